#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/as_of_join.h"
#include "operators/harness.h"
#include "operators/operator_story.h"
#include "operators/interval_join.h"
#include "operators/table_join.h"
#include "operators/window_join.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

std::unique_ptr<Operator> make_join(const plan::BoundPlan& plan, std::size_t node) {
  switch (std::get<plan::Join>(plan.nodes[node].node->body).kind) {
    case plan::Join::Kind::interval: return std::make_unique<IntervalJoin>(plan, node);
    case plan::Join::Kind::window: return std::make_unique<WindowJoin>(plan, node);
    case plan::Join::Kind::table: return std::make_unique<TableJoin>(plan, node);
    case plan::Join::Kind::as_of: break;
  }
  return std::make_unique<AsOfJoin>(plan, node);
}

const char* const hows[] = {"inner", "left", "semi", "anti"};

/// Columns of "b" under other names, but for a key that has the left one's name if that is wished;
/// sometimes several rows of each.
std::string right_side(Random& random, bool same_name) {
  std::string input = "b", before;
  if (random.one_in(3)) {
    before = R"({"name": "bu", "type": "unnest", "input": "b", "column": "tags", "as": "x"}, )";
    input = "bu";
  }
  return before + fmt::format(R"({{"name": "r", "type": "project", "input": "{}", "columns": [
    {{"name": "bv", "expression": {{"column": "v"}}}},
    {{"name": "{}", "expression": {{"column": "k"}}}},
    {{"name": "bg", "expression": {{"column": "g"}}}},
    {{"name": "btags", "expression": {{"column": "tags"}}}}]}})",
                              input, same_name ? "k" : "bk");
}

/// Holds random joins of "a" with "b" to the judge. `options(random)` says what is joined how.
template <class Options>
void try_joins(const Options& options, Given given) {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    for (const char* how : hows) {
      CAPTURE(how);
      Random random(seed);
      bool same_name = random.one_in(2);
      std::string keys = fmt::format(R"({{"left": "k", "right": "{}"}})", same_name ? "k" : "bk");
      if (random.one_in(3)) keys += R"(, {"left": "g", "right": "bg"})";
      Trial trial;
      trial.plan = plan_of(right_side(random, same_name) +
                               fmt::format(R"(, {{"name": "n", "type": "join", "left": "a",
                                 "right": "r", "how": "{}", "keys": [{}], {}}})",
                                           how, keys, options(random)),
                           random.one_in(2) ? 30 : 5);
      trial.node = "n";
      trial.given = given;
      trial.right_first = given == Given::as_it_comes;
      for (const char* topic : {"a", "b"}) {
        trial.logs[topic] = interpreter::random_log(random, 3, random.one_in(4) ? 80 : 30);
      }
      check(trial, seed, make_join);
    }
  }
}

/// Versions of rows of a few keys, each key's in one partition, and some that take them back.
interpreter::Log random_table(Random& random) {
  interpreter::Log log;
  log.partitions.resize(3);
  std::int64_t time = 1'000'000;
  for (int i = 0; i < 60; ++i) {
    auto number = random.below(7);
    interpreter::Record record;
    record.key = number == 0 ? "hot" : fmt::format("k{}", number - 1);
    record.timestamp_ms = time += random.between(-3, 10);
    if (!random.one_in(5)) record.value = fmt::format(R"({{"v":{}}})", random.between(-9, 99));
    log.partitions[number % 3].push_back(std::move(record));
  }
  return log;
}

/// Holds random lookups in a table to the judge.
void try_tables(const char* kind, Given given) {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    for (const char* how : hows) {
      CAPTURE(how);
      Random random(seed);
      std::string table = fmt::format(R"({{"name": "t", "type": "source", "topic": "t",
        "upsert": true, "disorder_ms": {}, "columns": [
          {{"name": "tv", "type": "bigint", "path": "$.v"}},
          {{"name": "tk", "type": "text", "from": "key"}}]}})",
                                      random.between(0, 20));
      std::string right = "t";
      if (random.one_in(2)) {
        table += R"(, {"name": "f", "type": "filter", "input": "t", "condition":
          {"call": ">", "arguments": [{"column": "tv"}, {"bigint": 30}]}})";
        right = "f";
      }
      Trial trial;
      trial.plan = plan_of(table + fmt::format(R"(, {{"name": "n", "type": "join", "left": "a",
          "right": "{}", "kind": "{}", "how": "{}", "keys": [{{"left": "k", "right": "tk"}}]}})",
                                               right, kind, how),
                           random.between(0, 30));
      trial.node = "n";
      trial.given = given;
      trial.right_first = given == Given::as_it_comes;
      trial.logs["a"] = interpreter::random_log(random, 3, 60);
      trial.logs["t"] = random_table(random);
      check(trial, seed, make_join);
    }
  }
}

std::string window_options(Random& random) {
  const std::int64_t sizes[] = {1, 20, 60, 120};
  std::int64_t size = sizes[random.below(4)];
  const char* kinds[] = {"tumbling", "hopping", "cumulate"};
  auto kind = random.below(3);
  std::string more;
  if (kind == 1) more = fmt::format(R"(, "slide_ms": {})", (size + 2) / 3);
  if (kind == 2) more = fmt::format(R"(, "step_ms": {})", (size + 1) / 2);
  return fmt::format(
      R"("kind": "window", "window": {{"kind": "{}", "size_ms": {}, "offset_ms": {}{}}})",
      kinds[kind], size, random.between(-50, 50), more);
}

/// A join of "a" with "b" by `k` and `l`.
std::string join(const std::string& kind, const std::string& how, const std::string& more = "") {
  return fmt::format(R"("type": "join", "left": "a", "right": "b", "kind": "{}", "how": "{}",
    "keys": [{{"left": "k", "right": "l"}}]{})",
                     kind, how, more);
}

}  // namespace

TEST_CASE("rows that are as far apart as an interval join says are joined as the judge says") {
  auto options = [](Random& random) {
    std::int64_t lower = random.between(-30, 10);
    return fmt::format(R"("kind": "interval", "lower_ms": {}, "upper_ms": {})", lower,
                       lower + random.between(0, 40));
  };
  try_joins(options, Given::in_order);
}

TEST_CASE("rows of one window are joined as the judge says") {
  try_joins(window_options, Given::in_order);
}

TEST_CASE("rows are joined with the last of the other side at their time as the judge says") {
  try_joins([](Random&) { return R"("kind": "as_of")"; }, Given::in_order);
  try_tables("as_of", Given::in_order);
}

TEST_CASE("rows are looked up in the other side's last rows as the judge says") {
  try_joins([](Random&) { return R"("kind": "table")"; }, Given::as_it_comes);
  try_tables("table", Given::as_it_comes);
}

TEST_CASE("a pair is given when event time has passed the later one of it") {
  OperatorStory story(join("interval", "inner", R"(, "lower_ms": -2, "upper_ms": 5)"), make_join);
  CHECK(story.tell("a 10 x 1; b 15 x 2; b 16 x 3; b 8 x 4; b 7 x 5; b 10 y 6; > 11") == "x 1 x 4");
  CHECK(story.tell("> 15") == "");
  CHECK(story.tell("> 16") == "x 1 x 2");
  CHECK(story.tell("a 18 x 7; b 20 - 8; a 20 - 9; > end") == "x 7 x 3");
  CHECK(story.node().passes_on(100) == 100);
}

TEST_CASE("a left row without partner is given when none can come any more") {
  std::string bounds = R"(, "lower_ms": -2, "upper_ms": 5)";
  OperatorStory left(join("interval", "left", bounds), make_join);
  CHECK(left.tell("a 10 x 1; a 10 y 2; a 11 - 3; b 12 y 4; > 15") == "");
  CHECK(left.tell("> 16") == "x 1 - -");
  CHECK(left.tell("> 17") == "- 3 - -");
  CHECK(left.tell("> 18") == "y 2 y 4");
  CHECK(left.node().passes_on(18) == 13);
  OperatorStory anti(join("interval", "anti", bounds), make_join);
  CHECK(anti.tell("a 10 x 1; a 10 y 2; a 11 - 3; b 12 y 4; > 16; > end") == "x 1; - 3");
  OperatorStory semi(join("interval", "semi", bounds), make_join);
  CHECK(semi.tell("a 10 x 1; a 10 y 2; a 11 - 3; b 12 y 4; b 13 y 5; > end") == "y 2");
}

TEST_CASE("an interval of one side of the row knows at once what has no partner") {
  OperatorStory story(join("interval", "anti", R"(, "lower_ms": -9, "upper_ms": -4)"), make_join);
  CHECK(story.tell("b 10 x 1; a 13 x 2; a 14 x 3; a 19 x 4; a 20 x 5; > 21") == "x 2; x 5");
  CHECK(story.node().passes_on(21) == 21);
}

TEST_CASE("rows of both sides can be late for a join") {
  OperatorStory story(join("interval", "inner", R"(, "lower_ms": 0, "upper_ms": 0)"), make_join);
  CHECK(story.tell("a 9 x 1 10; b 9 x 2 10; a 10 x 3 10; b 10 x 4; > end") ==
        "late x 1; late x 2; x 3 x 4");
}

TEST_CASE("a row counts in those windows that end behind its watermark") {
  OperatorStory story(
      join("window", "inner", R"(, "window": {"kind": "hopping", "size_ms": 10, "slide_ms": 5})"),
      make_join);
  CHECK(story.tell("a 12 x 1; b 13 x 2 15; b 9 x 3 15; > 15") == "late x 3");
  CHECK(story.tell("> 19") == "");
  CHECK(story.tell("> 20") == "10 20 x 1 x 2");
  CHECK(story.tell("a 22 x 4; a 22 - 5; b 22 - 6; b 23 x 7; > end") ==
        "15 25 x 4 x 7; 20 30 x 4 x 7");
}

TEST_CASE("a window gives left rows without partner when it ends") {
  std::string window = R"(, "window": {"kind": "tumbling", "size_ms": 10})";
  std::string rows = "a 12 x 1; a 11 y 2; a 13 - 3; b 19 y 4; b 20 x 5; > 20";
  CHECK(OperatorStory(join("window", "left", window), make_join).tell(rows) ==
        "10 20 x 1 - -; 10 20 y 2 y 4; 10 20 - 3 - -");
  CHECK(OperatorStory(join("window", "anti", window), make_join).tell(rows) ==
        "10 20 x 1; 10 20 - 3");
  CHECK(OperatorStory(join("window", "semi", window), make_join).tell(rows) == "10 20 y 2");
}

TEST_CASE("a left row gets the other side's row of its time, or the last one before") {
  OperatorStory story(join("as_of", "left"), make_join);
  CHECK(story.tell("a 9 x 1; b 10 x 2; a 10 x 3; b 10 x 4; a 12 x 5; b 13 x 6; > 13") ==
        "x 1 - -; x 3 x 4; x 5 x 4");
  CHECK(story.tell("a 13 x 7; a 14 y 8; a 14 - 9; b 5 x 0 6; > end") ==
        "late x 0; x 7 x 6; y 8 - -; - 9 - -");
}

TEST_CASE("a row is looked up as the other side is when it comes") {
  OperatorStory story(join("table", "inner"), make_join);
  CHECK(story.tell("a 9 x 1; b 10 x 2; a 3 x 3 8; b 5 x 4 6; a 5 x 5; a 5 - 6") ==
        "x 3 x 2; x 5 x 4");
  OperatorStory anti(join("table", "anti"), make_join);
  CHECK(anti.tell("a 9 x 1; b 10 x 2; a 3 x 3; a 5 - 6") == "x 1; - 6");
}

TEST_CASE("memory of joins by time is bounded by it") {
  for (std::string how : {"inner", "left", "semi", "anti"}) {
    for (std::string kind : {"interval", "window"}) {
      CAPTURE(how);
      CAPTURE(kind);
      std::string more = kind == "window"
                             ? R"(, "window": {"kind": "cumulate", "size_ms": 10, "step_ms": 5})"
                             : R"(, "lower_ms": -5, "upper_ms": 5)";
      OperatorStory story(join(kind, how, more), make_join);
      std::size_t early = 0;
      for (int i = 0; i < 3'000; ++i) {
        story.tell(fmt::format(
            "a {0} some-key-of-this-moment-{0} 1; b {1} some-key-of-this-moment-{1} 2; > {0}", i,
            i + i % 3));
        if (i == 1'000) early = story.bytes();
      }
      CHECK(story.bytes() < early + early / 2);
      story.tell("> end");
    }
  }
}

TEST_SUITE_END();
