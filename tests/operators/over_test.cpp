#include <list>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/harness.h"
#include "operators/over.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

// Of every kind, over columns that have the largest values there are: sums overflow; and with
// arguments that some rows have no value for.
const std::vector<std::string> aggregates{
    R"("function": "count")",
    R"("function": "count", "argument": {"column": "v"})",
    R"("function": "sum", "argument": {"column": "v"})",
    R"("function": "avg", "argument": {"column": "v"})",
    R"("function": "sum", "argument": {"column": "r"})",
    R"("function": "avg", "argument": {"column": "m"})",
    R"("function": "min", "argument": {"column": "v"})",
    R"("function": "max", "argument": {"column": "k"})",
    R"("function": "first", "argument": {"column": "tags"})",
    R"("function": "last", "argument": {"column": "v"})",
    R"("function": "count_distinct", "argument": {"column": "v"})",
    R"("function": "count_distinct", "argument": {"column": "k"})",
    R"("function": "approx_count_distinct", "argument": {"column": "r"})",
    R"("function": "percentile", "argument": {"column": "r"}, "fraction": 0.5)",
    R"("function": "top_n", "argument": {"column": "k"}, "order_by": {"column": "v"}, "limit": 2)",
    R"("function": "array_agg", "argument": {"column": "k"})",
    R"("function": "string_agg", "argument": {"column": "k"}, "separator": ",")",
};

std::string random_aggregates(Random& random) {
  std::string all;
  for (auto left = random.between(1, 4); left > 0; --left) {
    std::string filter = random.one_in(3) ? R"(, "filter": {"call": ">", "arguments":
      [{"column": "v"}, {"bigint": 10}]})"
                                          : "";
    std::string aggregate = aggregates[random.below(aggregates.size())];
    if (random.one_in(6)) {
      aggregate = R"("function": "sum", "argument": {"call": "/", "arguments":
        [{"bigint": 100}, {"column": "g"}]})";
    }
    all += fmt::format(R"({}{{"name": "x{}", {}{}}})", all.empty() ? "" : ", ", left, aggregate,
                       filter);
  }
  return all;
}

// Gives the columns that OVERs are tried with, of several rows at a time, in order.
const std::string window = R"({"name": "u", "type": "window", "input": "a", "keys": ["k", "g"],
    "window": {"kind": "hopping", "size_ms": 20, "slide_ms": 10}, "aggregates": [
      {"name": "v", "function": "max", "argument": {"column": "v"}},
      {"name": "r", "function": "min", "argument": {"column": "r"}},
      {"name": "m", "function": "last", "argument": {"column": "m"}},
      {"name": "tags", "function": "first", "argument": {"column": "tags"}}]}, )";

// Holds random OVERs with this frame and emission to the judge.
void try_overs(const std::string& frame, const std::string& emit, Given given,
               const std::string& behind = "") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    Trial trial;
    std::string before = random.one_in(3) ? R"({"name": "u", "type": "unnest", "input": "a",
      "column": "tags", "as": "tag"}, )"
                                          : behind;
    std::string keys = random.one_in(2) ? R"("k")" : random.one_in(2) ? R"("g", "k")" : "";
    trial.plan = plan_of(before + fmt::format(R"({{"name": "n", "type": "over", "input": "{}",
      "keys": [{}], "frame": {{{}}}, "emit": "{}", "aggregates": [{}]}})",
                                              before.empty() ? "a" : "u", keys, frame, emit,
                                              random_aggregates(random)),
                         random.one_in(2) ? 30 : 5);
    trial.node = "n";
    trial.given = given;
    trial.logs["a"] = interpreter::random_log(random, 3, random.one_in(4) ? 200 : 50);
    check(trial, seed, [](const plan::BoundPlan& plan, std::size_t node) {
      return make_over(plan.nodes[node]);
    });
  }
}

// An OVER by key k that counts rows, with its rows made here.
class Counted : public Context {
 public:
  Counted(const std::string& frame, const std::string& emit)
      : plan_(plan_of(fmt::format(R"({{"name": "n", "type": "over", "input": "a", "keys": ["k"],
          "frame": {{{}}}, "emit": "{}", "aggregates": [{{"name": "c", "function": "count"}}]}})",
                                  frame, emit),
                      0)),
        bound_(plan::bind(plan_)),
        operator_(make_over(bound_->nodes[1])),
        state_(operator_->make_state()) {}

  /// Rows of one time, each of a key of its own that begins with `key`, or all of that one.
  void add(std::int64_t time_ms, const std::string& key, std::size_t rows, bool own_keys) {
    auto context = std::make_shared<column::RowContext>();
    std::vector<std::string>& keys = keys_.emplace_back();
    for (std::size_t i = 0; i < rows; ++i) {
      keys.push_back(own_keys ? key + std::to_string(i) : key);
      context->event_times_ms.push_back(time_ms);
      context->places.push_back(place_++);
    }
    context->runs = {{static_cast<std::uint32_t>(rows), 0, watermark_min, 0}};
    column::Chunk chunk;
    for (const auto& field : bound_->nodes[0].schema) {
      auto column = std::make_shared<column::Vector>(field.type);
      column->resize(rows);
      for (std::size_t i = 0; i < rows; ++i) {
        if (field.name == "k")
          column->set_text(i, keys[i]);
        else
          column->set_null(i);
      }
      chunk.columns.push_back(column);
    }
    chunk.rows = rows;
    chunk.selection = column::Selection::all(rows);
    chunk.context = context;
    REQUIRE(operator_->process(*state_, 0, chunk, *this).has_value());
    last_ = std::move(chunk);
  }
  /// A row each of that key, of times one behind the other, in chunks of their own, as windows that
  /// are closed at once give them.
  void add_windows(const std::string& key, std::size_t count) {
    add(0, key, 1, false);
    column::Chunk chunk = last_;
    for (std::size_t i = 1; i < count; ++i) {
      auto context = std::make_shared<column::RowContext>(*last_.context);
      context->event_times_ms = {static_cast<std::int64_t>(i)};
      context->places = {place_++};
      chunk.context = context;
      REQUIRE(operator_->process(*state_, 0, chunk, *this).has_value());
    }
  }
  void advance(Watermark watermark) {
    REQUIRE(operator_->advance(*state_, watermark, *this).has_value());
    REQUIRE(operator_->update(*state_, *this).has_value());
  }
  std::size_t bytes() const { return state_->bytes(); }

  Result<void> push(const column::Chunk& chunk) override {
    CHECK(chunk.rows <= column::chunk_rows);
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      counts.push_back(chunk.columns.back()->integer(chunk.selection[i]));
    }
    return {};
  }
  Result<void> push_late(const column::Chunk&, std::span<const std::uint32_t>) override {
    return {};
  }
  Result<void> reject(const column::Schema&, const column::Chunk&, std::uint32_t,
                      const std::string&) override {
    return {};
  }
  std::int64_t now_ms() const override { return 0; }

  std::vector<std::int64_t> counts;

 private:
  plan::Plan plan_;
  Result<plan::BoundPlan> bound_;
  std::unique_ptr<Operator> operator_;
  std::unique_ptr<OperatorState> state_;
  std::int64_t place_ = 0;
  column::Chunk last_;
  std::list<std::vector<std::string>> keys_;  // which chunks that are kept refer to
};

}  // namespace

TEST_CASE("of keys that frames of time are over for nothing is kept") {
  for (const char* emit : {"at_once", "watermark", "update"}) {
    CAPTURE(emit);
    Counted over(R"("range_ms": 500)", emit);
    std::size_t early = 0;
    for (int i = 0; i < 400; ++i) {
      over.add(i * 100, "key of round " + std::to_string(i) + " number ", 50, true);
      over.advance(i * 100);
      if (i == 100) early = over.bytes();
    }
    CHECK(over.bytes() < early * 2);
    CHECK(over.counts == std::vector<std::int64_t>(over.counts.size(), 1));
    over.advance(watermark_max);
    CHECK(over.counts.size() == 20'000);
  }
}

TEST_CASE("of a key the rows are kept that frames of rows need") {
  for (const char* emit : {"at_once", "watermark", "update"}) {
    CAPTURE(emit);
    Counted over(R"("rows": 10)", emit);
    std::size_t early = 0;
    for (int i = 0; i < 400; ++i) {
      over.add(i * 100, "hot", 50, false);
      over.advance(i * 100);
      if (i == 100) early = over.bytes();
    }
    CHECK(over.bytes() < early * 2);
    CHECK(over.counts.back() == 11);
  }
}

TEST_CASE("rows of one time that are more than a chunk count for each other") {
  Counted over(R"("range_ms": 0)", "watermark");
  for (int i = 0; i < 3; ++i) over.add(1000, "hot", 3000, false);
  over.add(1001, "hot", 1, false);
  over.advance(watermark_max);
  std::vector<std::int64_t> expected(9000, 9000);
  expected.push_back(1);
  CHECK(over.counts == expected);
}

TEST_CASE(
    "of rows in the order of time those are given that event time has passed, the others wait") {
  Counted over(R"("range_ms": 0)", "watermark");
  over.add(1000, "hot", 3000, false);
  over.add(1000, "hot", 3000, false);
  over.add(1001, "hot", 10, false);
  std::vector<std::int64_t> expected(6000, 6000);
  over.advance(1001);
  CHECK(over.counts == expected);
  // Behind those that wait, before them, and at their time.
  over.add(1003, "hot", 2, false);
  over.add(1002, "hot", 1, false);
  over.add(1001, "hot", 1, false);
  over.advance(1002);
  expected.insert(expected.end(), 11, 11);
  CHECK(over.counts == expected);
  over.advance(watermark_max);
  expected.insert(expected.end(), {1, 2, 2});
  CHECK(over.counts == expected);
}

// Nothing tells how often a chunk that waits is moved; were it as often as others go before it,
// this would not end within the time that a suite has.
TEST_CASE("of very many windows that are closed at once each is taken up once") {
  constexpr std::size_t windows = 300'000;
  Counted over(R"("range_ms": 0)", "watermark");
  over.add_windows("k", windows);
  over.advance(watermark_max);
  CHECK(over.counts == std::vector<std::int64_t>(windows, 1));
}

TEST_CASE("aggregates over frames by event time are what the judge says") {
  try_overs("", "watermark", Given::in_order);
  try_overs(R"("range_ms": 0)", "watermark", Given::in_order);
  try_overs(R"("range_ms": 25)", "watermark", Given::in_order);
  try_overs(R"("rows": 0)", "watermark", Given::in_order);
  try_overs(R"("rows": 3)", "watermark", Given::in_order);
}

TEST_CASE("aggregates over the rows that windows give at one time are what the judge says") {
  try_overs(R"("range_ms": 0)", "watermark", Given::in_order, window);
  try_overs(R"("range_ms": 10)", "watermark", Given::in_order, window);
}

TEST_CASE("aggregates over frames of what came before are what the judge says") {
  try_overs("", "at_once", Given::at_once);
  try_overs(R"("range_ms": 0)", "at_once", Given::at_once);
  try_overs(R"("range_ms": 25)", "at_once", Given::at_once);
  try_overs(R"("rows": 0)", "at_once", Given::at_once);
  try_overs(R"("rows": 3)", "at_once", Given::at_once);
}

TEST_CASE("changes of aggregates over frames end where the judge says") {
  try_overs("", "update", Given::changes);
  try_overs(R"("range_ms": 0)", "update", Given::changes);
  try_overs(R"("range_ms": 25)", "update", Given::changes);
  try_overs(R"("rows": 0)", "update", Given::changes);
  try_overs(R"("rows": 3)", "update", Given::changes);
}

TEST_SUITE_END();
