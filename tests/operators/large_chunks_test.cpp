// Joins of chunks that are large enough to be kept in place of copies of their rows.
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "operators/as_of_join.h"
#include "operators/interval_join.h"
#include "operators/restarted.h"
#include "operators/window_join.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;
using plan::Join;

namespace {

/// A join of "a" with "b", read by a sink, or by what reads some of its columns.
struct Joined {
  Joined(const std::string& kind, const std::string& how, bool some_columns) {
    std::string json = R"({"version": 1, "name": "story", "nodes": [)";
    for (std::string side : {"a", "b"}) {
      json += fmt::format(R"({{"name": "{0}", "type": "source", "topic": "{0}", "columns": [
          {{"name": "{0}g", "type": "text"}}, {{"name": "{0}k", "type": "bigint"}},
          {{"name": "{0}t", "type": "text"}}, {{"name": "{0}v", "type": "bigint"}}]}}, )",
                          side);
    }
    std::string options;
    if (kind == "interval") options = R"(, "lower_ms": -30, "upper_ms": 50)";
    if (kind == "window")
      options = R"(, "window": {"kind": "hopping", "size_ms": 60,
        "slide_ms": 20})";
    json += fmt::format(R"({{"name": "n", "type": "join", "left": "a", "right": "b",
        "kind": "{}", "how": "{}", "keys": [{{"left": "ak", "right": "bk"}}]{}}}, )",
                        kind, how, options);
    if (some_columns) {
      bool both = how == "inner" || how == "left";
      json += fmt::format(R"({{"name": "p", "type": "project", "input": "n", "columns": [
          {{"name": "x", "expression": {{"column": "{}"}}}},
          {{"name": "y", "expression": {{"column": "{}"}}}}]}}, )",
                          both ? "bt" : "ak", "av");
    }
    json += fmt::format(R"({{"name": "out", "type": "sink", "console": true, "input": "{}"}}]}})",
                        some_columns ? "p" : "n");
    auto parsed = plan::parse(json);
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what, " in ", json);
    plan = *parsed;
    auto found = plan::bind(plan);
    REQUIRE_MESSAGE(found.has_value(), found.error().what);
    bound = *found;
    constexpr std::size_t node = 2;
    for (const auto& field : bound.nodes[node].schema) names.push_back(field.name);
    if (kind == "interval") join = std::make_unique<IntervalJoin>(bound, node);
    if (kind == "window") join = std::make_unique<WindowJoin>(bound, node);
    if (kind == "as_of") join = std::make_unique<AsOfJoin>(bound, node);
  }

  plan::Plan plan;
  plan::BoundPlan bound;
  std::vector<std::string> names;  // of the join's columns
  std::unique_ptr<Operator> join;
};

/// What a join gives: each row's time, position, and cells.
class Rows : public Context {
 public:
  struct Row {
    std::string place;
    std::vector<column::Value> cells;
    friend bool operator==(const Row&, const Row&) = default;
  };

  Result<void> push(const column::Chunk& chunk) override {
    CHECK(chunk.rows <= column::chunk_rows);
    column::RunCursor runs(*chunk.context);
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      auto position = chunk.context->position(row, runs.run_of(row));
      Row& one = rows.emplace_back();
      one.place = fmt::format("{} {} {} {}", chunk.context->event_times_ms[row], position.origin,
                              position.place, position.rest);
      for (const auto& column : chunk.columns) one.cells.push_back(column->value(row));
    }
    return {};
  }
  Result<void> push_late(const column::Chunk&, std::span<const std::uint32_t> some) override {
    late += some.size();
    return {};
  }
  Result<void> reject(const column::Schema&, const column::Chunk&, std::uint32_t,
                      const std::string& reason) override {
    FAIL(reason);
    return {};
  }
  std::int64_t now_ms() const override { return 0; }

  std::vector<Row> rows;
  std::size_t late = 0;
};

/// Chunks of one side, out of order by some ms. What their records are in is gone with them.
class Maker {
 public:
  Maker(std::uint64_t seed, std::size_t input) : random_(seed * 2 + input), input_(input) {}

  column::Chunk make(std::int64_t begin_ms, std::size_t count, std::int64_t keys) {
    using Kind = column::Type::Kind;
    auto records = std::make_shared<std::string>();
    records->reserve(count * 64);
    std::vector<std::shared_ptr<column::Vector>> columns;
    for (Kind kind : {Kind::text, Kind::bigint, Kind::text, Kind::bigint}) {
      columns.push_back(std::make_shared<column::Vector>(column::Type(kind)));
      columns.back()->resize(count);
    }
    auto context = std::make_shared<column::RowContext>();
    for (std::size_t row = 0; row < count; ++row, ++place_) {
      columns[1]->set_integer(row, random_.between(1, keys));
      if (random_.one_in(20)) columns[1]->set_null(row);
      for (std::size_t c : {0, 2}) {
        std::size_t begin = records->size();
        *records += fmt::format("text {} of {}/{}", c, input_, place_);
        columns[c]->set_text(row, std::string_view(*records).substr(begin));
        if (random_.one_in(10)) columns[c]->set_null(row);
      }
      columns[3]->set_integer(row, place_);
      context->event_times_ms.push_back(begin_ms + static_cast<std::int64_t>(row) / 11 +
                                        random_.between(0, 5));
      context->places.push_back(place_);
    }
    context->runs = {
        {static_cast<std::uint32_t>(count), 0, begin_ms - 10, static_cast<std::int32_t>(input_)}};
    context->buffers = {
        {records, 0, as_bytes(std::string_view(*records)), static_cast<std::int32_t>(input_)}};
    column::Chunk chunk;
    chunk.columns = {columns.begin(), columns.end()};
    chunk.rows = count;
    chunk.selection = column::Selection::all(count);
    chunk.context = context;
    return chunk;
  }

 private:
  Random random_;
  std::size_t input_;
  std::int64_t place_ = 0;
};

/// Runs the join over chunks of 100 ms each; `whole` or a hundred rows at a time, which are copied.
Rows run(const Joined& joined, std::uint64_t seed, bool whole, bool restarts) {
  Rows rows;
  Random random(seed);
  Maker left(seed, 0), right(seed, 1);
  // Sometimes much fewer of one side.
  std::size_t left_rows = random.one_in(2) ? 1'100 : 40, right_rows = random.one_in(2) ? 1'100 : 30;
  std::int64_t keys = random.one_in(2) ? 8'000 : 1'500;
  auto state = joined.join->make_state();
  for (std::int64_t time = 0; time < 600; time += 100) {
    for (std::size_t input : {0, 1}) {
      std::size_t count = input == 0 ? left_rows : right_rows;
      column::Chunk chunk = (input == 0 ? left : right).make(time, count, keys);
      for (std::uint32_t row = 0; row < chunk.rows;) {
        column::Chunk some = chunk;
        std::vector<std::uint32_t> part;
        for (; row < chunk.rows && (whole || part.size() < 100); ++row) part.push_back(row);
        some.selection = column::Selection::of(std::move(part));
        REQUIRE(joined.join->process(*state, input, some, rows).has_value());
      }
    }
    std::int64_t watermark = time + static_cast<std::int64_t>(random.below(100)) - 10;
    if (random.one_in(4)) continue;
    REQUIRE(joined.join->advance(*state, watermark, rows).has_value());
    if (restarts && random.one_in(2)) state = restarted(*joined.join, *state);
  }
  REQUIRE(joined.join->advance(*state, watermark_max, rows).has_value());
  CHECK(rows.late == 0);
  return rows;
}

const char* const kinds[] = {"interval", "window", "as_of"};
const char* const hows[] = {"inner", "left", "semi", "anti"};

}  // namespace

TEST_CASE("a join gives the same rows whether it keeps chunks or copies their rows") {
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    for (std::string kind : kinds) {
      for (std::string how : hows) {
        CAPTURE(seed);
        CAPTURE(kind);
        CAPTURE(how);
        Joined joined(kind, how, false);
        Rows copied = run(joined, seed, false, false);
        CHECK(copied.rows.size() > 0);
        CHECK((run(joined, seed, true, false).rows == copied.rows));
        CHECK((run(joined, seed, true, true).rows == copied.rows));
      }
    }
  }
}

TEST_CASE("however many rows are joined at once, they are given in chunks") {
  for (std::string kind : kinds) {
    for (std::string how : {"inner", "left"}) {
      CAPTURE(kind);
      CAPTURE(how);
      Joined joined(kind, how, false);
      Maker left(1, 0), right(1, 1);
      Rows rows;
      auto state = joined.join->make_state();
      for (std::int64_t time = 0; time < 600; time += 100) {
        for (std::size_t input : {0, 1}) {
          column::Chunk chunk = (input == 0 ? left : right).make(time, 1'100, 400);
          REQUIRE(joined.join->process(*state, input, chunk, rows).has_value());
        }
      }
      REQUIRE(joined.join->advance(*state, watermark_max, rows).has_value());
      CHECK(rows.rows.size() > column::chunk_rows);
    }
  }
}

TEST_CASE("a join keeps only columns that are read, and gives NULL for the others") {
  for (std::string kind : kinds) {
    for (std::string how : hows) {
      CAPTURE(kind);
      CAPTURE(how);
      Joined all(kind, how, false), some(kind, how, true);
      Rows expected = run(all, 3, true, true), rows = run(some, 3, true, true);
      REQUIRE(rows.rows.size() == expected.rows.size());
      bool has_right = how == "inner" || how == "left";
      bool same = true;
      for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        same = same && rows.rows[i].place == expected.rows[i].place;
        for (std::size_t c = 0; c < some.names.size(); ++c) {
          const std::string& name = some.names[c];
          const auto& cell = rows.rows[i].cells[c];
          bool is_key = name == "ak" || name == "bk" || name.starts_with("window_");
          bool is_read = is_key || name == "av" || (name == "bt" && has_right);
          same = same && cell == (is_read ? expected.rows[i].cells[c] : column::Value());
        }
      }
      CHECK(same);
      CHECK(expected.rows.size() > 0);
    }
  }
}

TEST_SUITE_END();
