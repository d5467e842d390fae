// Windows of rows that are taken back and changed: what they say in the end is what the judge makes
// of the rows that stand then.
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/row_text.h"
#include "interpreter/interpreter.h"
#include "interpreter/random_pipeline.h"
#include "operators/harness.h"
#include "operators/restarted.h"
#include "operators/revised_window.h"
#include "stream/chunk_of_rows.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;
using interpreter::Kind;
using interpreter::Row;
using interpreter::Rows;

namespace {

const std::string every_aggregate = R"(
  {"name": "xa", "function": "count"},
  {"name": "xb", "function": "count", "argument": {"column": "v"}},
  {"name": "xc", "function": "count_distinct", "argument": {"column": "k"}},
  {"name": "xd", "function": "approx_count_distinct", "argument": {"column": "v"}},
  {"name": "xe", "function": "sum", "argument": {"column": "m"}},
  {"name": "xf", "function": "avg", "argument": {"column": "r"},
   "filter": {"call": ">", "arguments": [{"column": "v"}, {"bigint": 10}]}},
  {"name": "xh", "function": "min", "argument": {"column": "v"}},
  {"name": "xi", "function": "max", "argument": {"column": "k"}},
  {"name": "xj", "function": "first", "argument": {"column": "v"}},
  {"name": "xl", "function": "last", "argument": {"column": "k"}},
  {"name": "xn", "function": "percentile", "argument": {"column": "v"}, "fraction": 0.5},
  {"name": "xo", "function": "top_n", "argument": {"column": "k"}, "limit": 2,
   "order_by": {"call": "+", "arguments": [{"column": "v"}, {"bigint": 0}]}},
  {"name": "xp", "function": "array_agg", "argument": {"column": "k"}},
  {"name": "xq", "function": "string_agg", "argument": {"column": "k"}, "separator": ","})";
const std::string counts_alone = R"(
  {"name": "xa", "function": "count"},
  {"name": "xe", "function": "sum", "argument": {"column": "m"}})";

/// Lines, and how often they stand.
using Lines = std::map<std::string, int>;

void count(Lines& lines, const std::string& line, int by) {
  int& times = lines[line];
  times += by;
  if (times == 0) lines.erase(line);
}

class Revisions final : private Context {
 public:
  Revisions(const std::string& keys, const std::string& window, const std::string& aggregates,
            const std::string& emit = R"("update")")
      : plan_(plan_of(R"({"name": "w", "type": "window", "input": "a", "emit": )" + emit +
                          R"(, "keys": [)" + keys + R"(], "window": {)" + window +
                          R"(}, "aggregates": [)" + aggregates + "]}",
                      0)),
        bound_(bind(plan_)) {
    while (bound_.nodes[node_].node->name != "w") ++node_;
    operator_ = std::make_unique<RevisedWindow>(bound_.nodes[node_], schema(0),
                                                static_cast<std::int32_t>(node_));
    state_ = operator_->make_state();
  }

  /// Rows of the source that a random log gives.
  Rows source_rows(Random& random) {
    interpreter::Run run;
    run.logs["a"] = interpreter::random_log(random, 2, 60);
    auto outcome = interpreter::interpret(bound_, run);
    REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
    Rows rows = outcome->given.at("a");
    for (Row& row : rows) row.watermark = watermark_min;
    return rows;
  }
  void give(const Rows& rows) {
    auto chunk = stream::chunk_of_rows(schema(0), rows);
    REQUIRE(operator_->process(*state_, 0, chunk, *this).has_value());
    tell(now_ms_);
  }
  /// At that processing time.
  void tell(std::int64_t now_ms) {
    now_ms_ = now_ms;
    REQUIRE(operator_->update(*state_, *this).has_value());
  }
  /// Says how many results are bad.
  int finish() {
    rejected_ = 0;
    REQUIRE(operator_->advance(*state_, watermark_max, *this).has_value());
    return rejected_;
  }
  void restart() { state_ = restarted(*operator_, *state_); }
  /// What the judge says of these rows.
  Lines judge(const Rows& rows) {
    interpreter::NodeResult result;
    interpreter::Progress progress;
    interpreter::Turn turn{
        bound_.nodes[node_], static_cast<std::int64_t>(node_), 0, 0, progress, result};
    interpreter::run_window(turn, std::get<plan::Window>(bound_.nodes[node_].node->body), rows);
    for (Row& row : result.rows) row.position = {0, 0, 0};
    Lines lines;
    auto chunk = stream::chunk_of_rows(schema(node_), result.rows);
    for (std::uint32_t row = 0; row < chunk.rows; ++row) count(lines, line_of(chunk, row), 1);
    return lines;
  }
  const Lines& standing() const { return standing_; }
  std::size_t kept() const { return snapshot_bytes(*state_); }

 private:
  static plan::BoundPlan bind(const plan::Plan& plan) {
    auto bound = plan::bind(plan);
    REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
    return std::move(*bound);
  }
  const column::Schema& schema(std::size_t node) const { return bound_.nodes[node].schema; }
  std::string line_of(const column::Chunk& chunk, std::uint32_t row) const {
    std::string line;
    column::JsonRows(schema(node_)).append(line, chunk, row);
    return line;
  }

  Result<void> push(const column::Chunk& chunk) override {
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      auto kind = chunk.context->kinds[row];
      bool goes = kind == column::RowKind::erase || kind == column::RowKind::update_before;
      count(standing_, line_of(chunk, row), goes ? -1 : 1);
    }
    return {};
  }
  Result<void> push_late(const column::Chunk&, std::span<const std::uint32_t>) override {
    FAIL("a row is late");
    return {};
  }
  Result<void> reject(const column::Schema&, const column::Chunk&, std::uint32_t,
                      const std::string&) override {
    ++rejected_;
    return {};
  }
  std::int64_t now_ms() const override { return now_ms_; }

  plan::Plan plan_;
  plan::BoundPlan bound_;
  std::size_t node_ = 0;
  std::unique_ptr<Operator> operator_;
  std::unique_ptr<OperatorState> state_;
  Lines standing_;
  int rejected_ = 0;
  std::int64_t now_ms_ = 0;
};

/// Changes of some rows, and what stands behind them.
Rows random_changes(Random& random, Rows& to_come, Rows& standing) {
  Rows changes;
  for (auto left = 1 + random.below(12); left > 0; --left) {
    if (!to_come.empty() && random.one_in(2)) {
      standing.push_back(to_come.back());
      to_come.pop_back();
      changes.push_back(standing.back());
    } else if (!standing.empty()) {
      std::size_t at = random.below(standing.size());
      bool stays = random.one_in(2);
      changes.push_back(standing[at]);
      changes.back().kind = stays ? Kind::update_before : Kind::remove;
      if (stays) {
        standing[at].values = standing[random.below(standing.size())].values;
        changes.push_back(standing[at]);
        changes.back().kind = Kind::update_after;
      } else {
        standing.erase(standing.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
  }
  return changes;
}

}  // namespace

TEST_CASE("whatever is taken back, windows say what the rows that stand add up to") {
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const std::string shape = std::vector<std::string>{
        R"("kind": "tumbling", "size_ms": 60)",
        R"("kind": "hopping", "size_ms": 60, "slide_ms": 25)",
        R"("kind": "cumulate", "size_ms": 60, "step_ms": 20)"}[random.below(3)];
    const std::string keys = std::vector<std::string>{"", R"("g")", R"("k", "g")"}[random.below(3)];
    Revisions trial(keys, shape, random.one_in(3) ? counts_alone : every_aggregate);
    const std::size_t nothing = trial.kept();
    Rows to_come = trial.source_rows(random), standing;
    for (int step = 0; step < 20; ++step) {
      trial.give(random_changes(random, to_come, standing));
      if (random.one_in(4)) trial.restart();
      if (random.one_in(5)) REQUIRE(trial.standing() == trial.judge(standing));
    }
    REQUIRE(trial.standing() == trial.judge(standing));
    // All goes, and so do what is said of it and what is kept.
    for (Row& row : standing) row.kind = Kind::remove;
    trial.give(standing);
    CHECK(trial.standing().empty());
    CHECK(trial.kept() == nothing);
    CHECK(trial.judge({}).empty());
  }
}

TEST_CASE(
    "changes are told each time that so much processing time has passed, also behind a restart") {
  Random random(1);
  Revisions trial("", R"("kind": "tumbling", "size_ms": 60)", counts_alone,
                  R"("every", "every_ms": 50)");
  Rows to_come = trial.source_rows(random), standing;
  REQUIRE(to_come.size() > 3);
  auto give_next = [&] {
    standing.push_back(to_come[standing.size()]);
    trial.give({standing.back()});
  };
  auto is_told = [&] { return trial.standing() == trial.judge(standing); };
  trial.tell(50);
  give_next();
  CHECK(is_told());
  give_next();
  trial.restart();
  trial.tell(99);
  CHECK_FALSE(is_told());
  trial.tell(100);
  CHECK(is_told());
  // Where there is nothing to tell, the next change waits for nothing.
  trial.restart();
  trial.tell(200);
  trial.tell(210);
  give_next();
  CHECK(is_told());
}

TEST_CASE("a result beyond its type is bad in the end, if it is so still") {
  for (bool stays : {true, false}) {
    CAPTURE(stays);
    Random random(1);
    Revisions trial("", R"("kind": "tumbling", "size_ms": 60)",
                    R"({"name": "xa", "function": "sum", "argument": {"column": "v"}})");
    Rows rows = trial.source_rows(random);
    rows.resize(2);
    constexpr std::size_t v = 3;
    for (Row& row : rows) {
      row.time = 1'000'000;
      row.values[v] = std::numeric_limits<std::int64_t>::max();
    }
    trial.give(rows);
    CHECK(trial.standing().empty());
    trial.restart();
    rows[0].kind = Kind::remove;
    if (!stays) trial.give({rows[0]});
    CHECK(trial.finish() == (stays ? 1 : 0));
    CHECK(trial.finish() == 0);
  }
}

TEST_SUITE_END();
