// Every aggregate against the judge's, however rows are grouped, spread, merged and taken back.
#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "aggregate/random_rows.h"

TEST_SUITE_BEGIN("aggregate");

using namespace leat;
using namespace leat::aggregate;

namespace {

using Numbers = std::vector<std::uint32_t>;

constexpr std::uint32_t groups = 3;

// How many groups had a value, and how many a reason for none.
struct Seen {
  int values = 0;
  int reasons = 0;
};

// What one aggregate gives for random rows, by two ways.
class Trial {
 public:
  Trial(Random& random, const plan::Signature& signature, std::size_t count)
      : random_(random),
        aggregate_(random, signature),
        rows_(random, aggregate_.bound(), count),
        whole_(made()),
        rows_of_(groups) {
    whole_->resize(2 * groups);
  }

  void run() {
    std::vector<std::unique_ptr<Accumulators>> parts;
    for (auto left = 1 + random_.below(4); left > 0; --left) {
      parts.push_back(made());
      parts.back()->resize(groups);
    }
    std::size_t end = rows_.size();
    for (std::size_t from = 0; from < end;) {
      std::size_t to = std::min(end, from + 1 + random_.below(end));
      add(*parts[random_.below(parts.size())], from, to);
      from = to;
      auto& part = parts[random_.below(parts.size())];
      if (random_.one_in(4)) part = restored(*part);
    }
    while (!parts.empty()) {
      std::swap(parts[random_.below(parts.size())], parts.back());
      merge(*parts.back());
      parts.pop_back();
      if (random_.one_in(4)) whole_ = restored(*whole_);
    }
  }

  Seen check() {
    Seen seen;
    for (std::uint32_t group = 0; group < groups; ++group) {
      auto expected = rows_.judge(aggregate_.node, rows_of_[group]);
      column::Vector out(aggregate_.bound().type);
      out.resize(1);
      column::TextArena texts;
      std::string reason;
      bool given = whole_->result(group, out, 0, texts, reason);
      CHECK(reason == expected.reason);
      CHECK(given == expected.reason.empty());
      if (given) CHECK(same(out.value(0), expected.value));
      if (given && !out.is_null(0)) ++seen.values;
      if (!given) ++seen.reasons;
    }
    CHECK(whole_->bytes() > 0);
    return seen;
  }

 private:
  std::unique_ptr<Accumulators> made() const {
    return make_accumulators(aggregate_.bound(),
                             rows_leave_ ? aggregate::Rows::leave : aggregate::Rows::stay);
  }

  static bool same(const column::Value& a, const column::Value& b) {
    const double* real = std::get_if<double>(&a);
    if (real == nullptr || !std::holds_alternative<double>(b)) return a == b;
    return std::bit_cast<std::uint64_t>(*real) == std::bit_cast<std::uint64_t>(std::get<double>(b));
  }

  // Rows [from, to), each to a group; some are left out, and some go again.
  void add(Accumulators& part, std::size_t from, std::size_t to) {
    Numbers rows, to_groups, again, of_groups;
    for (std::size_t row = from; row < to; ++row) {
      if (random_.one_in(8)) continue;
      auto group = static_cast<std::uint32_t>(random_.below(groups));
      rows.push_back(static_cast<std::uint32_t>(row));
      to_groups.push_back(group);
      if (part.can_subtract() && random_.one_in(4)) {
        again.push_back(rows.back());
        of_groups.push_back(group);
      } else {
        rows_of_[group].push_back(rows.back());
      }
    }
    part.update(rows_.input(), rows, to_groups);
    if (!again.empty()) part.subtract(rows_.input(), again, of_groups);
  }

  void merge(const Accumulators& part) {
    if (random_.one_in(2)) {
      Numbers same;
      for (std::uint32_t group = 0; group < groups; ++group) same.push_back(group);
      whole_->merge(part, same);
      return;
    }
    for (std::uint32_t group = 0; group < groups; ++group) {
      whole_->merge_group(groups + group, part, group);
      whole_->merge_group(group, *whole_, groups + group);
      whole_->clear_group(groups + group);
    }
  }

  std::unique_ptr<Accumulators> restored(const Accumulators& accumulators) {
    StateWriter writer;
    accumulators.snapshot(writer);
    Bytes bytes = writer.finish();
    auto reader = StateReader::open(bytes);
    REQUIRE(reader);
    auto again = made();
    again->resize(&accumulators == whole_.get() ? 2 * groups : groups);
    again->restore(*reader);
    REQUIRE(reader->finish());
    return again;
  }

  Random& random_;
  bool rows_leave_ = random_.one_in(2);
  RandomAggregate aggregate_;
  RandomRows rows_;
  std::unique_ptr<Accumulators> whole_;
  std::vector<Numbers> rows_of_;
};

Seen try_out(const plan::Signature& signature, std::uint64_t seed, std::size_t rows) {
  CAPTURE(std::string(signature.name));
  CAPTURE(std::string(signature.arguments));
  CAPTURE(seed);
  Random random(seed);
  Trial trial(random, signature, rows);
  trial.run();
  return trial.check();
}

}  // namespace

TEST_CASE("every aggregate gives what the judge gives, in any order, grouping and splitting") {
  for (const auto& signature : plan::aggregates()) {
    CAPTURE(std::string(signature.name));
    Seen seen;
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
      auto [values, reasons] = try_out(signature, seed, seed % 8 == 0 ? seed : seed % 20);
      seen.values += values;
      seen.reasons += reasons;
    }
    CHECK(seen.values > 100);
    bool may_overflow = signature.name == "sum" || signature.arguments == "double";
    if (may_overflow && signature.name != "percentile") CHECK(seen.reasons > 0);
  }
}

TEST_CASE("sketches of many values are those of the judge") {
  for (const auto& signature : plan::aggregates()) {
    bool many = signature.name == "percentile" || signature.name == "approx_count_distinct" ||
                signature.name == "count_distinct";
    for (std::uint64_t seed = 0; many && seed < 12; ++seed) {
      CHECK(try_out(signature, seed, 6000).values == groups);
    }
  }
}

TEST_SUITE_END();
