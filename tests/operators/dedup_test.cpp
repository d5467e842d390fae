#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/dedup.h"
#include "operators/dedup_changes.h"
#include "operators/harness.h"
#include "operators/operator_story.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

std::unique_ptr<Operator> make_dedup(const plan::BoundPlan& plan, std::size_t node) {
  const auto& bound = plan.nodes[node];
  bool changes = std::get<plan::Dedup>(bound.node->body).emit == plan::Emission::update;
  if (changes) return std::make_unique<DedupChanges>(bound);
  return std::make_unique<Dedup>(bound);
}

/// Holds random dedups with these options to the judge.
void try_dedups(const std::string& options, Given given) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Random random(seed);
    Trial trial;
    std::string before = random.one_in(3) ? R"({"name": "u", "type": "unnest", "input": "a",
      "column": "tags", "as": "tag"}, )"
                                          : "";
    trial.plan = plan_of(before + fmt::format(R"({{"name": "n", "type": "dedup", "input": "{}",
      "keys": [{}]{}}})",
                                              before.empty() ? "a" : "u",
                                              random.one_in(2) ? R"("k")" : R"("g", "k")", options),
                         random.one_in(2) ? 30 : 5);
    trial.node = "n";
    trial.given = given;
    trial.logs["a"] = interpreter::random_log(random, 3, random.one_in(4) ? 300 : 60);
    check(trial, seed, make_dedup);
  }
}

}  // namespace

TEST_CASE("the first row of a key by event time is what the judge says") {
  try_dedups("", Given::in_order);
  try_dedups(R"(, "horizon_ms": 1)", Given::in_order);
  try_dedups(R"(, "horizon_ms": 40)", Given::in_order);
}

TEST_CASE("the first row of a key that comes is what the judge says") {
  try_dedups(R"(, "emit": "at_once")", Given::at_once);
  try_dedups(R"(, "emit": "at_once", "horizon_ms": 1)", Given::at_once);
  try_dedups(R"(, "emit": "at_once", "horizon_ms": 40)", Given::at_once);
}

TEST_CASE("the last row of a key within the horizon is what the judge says") {
  try_dedups(R"(, "keep": "last", "horizon_ms": 1)", Given::in_order);
  try_dedups(R"(, "keep": "last", "horizon_ms": 40)", Given::in_order);
}

TEST_CASE("the changes of a key's first or last row lead to what the judge has in the end") {
  for (std::string keep : {"first", "last"}) {
    CAPTURE(keep);
    std::string options = R"(, "emit": "update", "keep": ")" + keep + '"';
    try_dedups(options, Given::changes);
    try_dedups(options + R"(, "horizon_ms": 1)", Given::changes);
    try_dedups(options + R"(, "horizon_ms": 40)", Given::changes);
  }
}

TEST_CASE("the first row of a key is given when event time has passed it") {
  OperatorStory story(R"("type": "dedup", "input": "a", "keys": ["k"])", make_dedup);
  CHECK(story.tell("a 10 x 1; a 8 x 2; > 8") == "");
  CHECK(story.tell("> 9") == "x 2");
  CHECK(story.tell("a 9 y 3; a 9 - 4; a 9 - 5; a 8 z 6 9; > end") == "late z 6; y 3; - 4");
}

TEST_CASE("a key is the same up to before the end of its horizon, and then begins anew") {
  OperatorStory story(R"("type": "dedup", "input": "a", "keys": ["k"], "horizon_ms": 10)",
                      make_dedup);
  CHECK(story.tell("a 10 x 1; a 19 x 2; a 20 x 3; a 29 x 4; > 25; a 30 x 5; > end") ==
        "x 1; x 3; x 5");
}

TEST_CASE("a row that comes first is the first one, though others are before it in time") {
  OperatorStory story(
      R"("type": "dedup", "input": "a", "keys": ["k"], "emit": "at_once", "horizon_ms": 10)",
      make_dedup);
  CHECK(story.tell("a 10 x 1; a 5 x 2; a 20 x 3; a 19 x 4; a 21 x 5 22") == "x 1; x 3; late x 5");
}

TEST_CASE("the last row of a horizon is given when that is over, in the order of time") {
  OperatorStory story(
      R"("type": "dedup", "input": "a", "keys": ["k"], "keep": "last", "horizon_ms": 10)",
      make_dedup);
  CHECK(story.tell("a 10 x 1; a 18 x 2; a 11 y 3; > 20") == "");
  // Of y there may come one at 20, and x waits for what y has.
  CHECK(story.tell("> 21") == "y 3");
  CHECK(story.tell("> 27") == "");
  CHECK(story.tell("> 28") == "x 2");
  CHECK(story.node().passes_on(28) == 19);
  CHECK(story.node().passes_on(watermark_min + 3) == watermark_min);
  CHECK(story.node().passes_on(watermark_max) == watermark_max);
}

TEST_CASE("an earlier row takes the place of the first one as long as event time allows it") {
  OperatorStory story(R"("type": "dedup", "input": "a", "keys": ["k"], "emit": "update")",
                      make_dedup);
  CHECK(story.tell("a 10 x 1; a 12 x 9; > 5") == "x 1");
  CHECK(story.tell("a 8 x 2; a 9 x 3; > 8") == "- x 1; + x 2");
  CHECK(story.tell("a 8 x 4; a 11 x 5; > end") == "");
}

TEST_CASE("a row that comes between two changes what begins anew behind it") {
  OperatorStory story(
      R"("type": "dedup", "input": "a", "keys": ["k"], "emit": "update", "horizon_ms": 10)",
      make_dedup);
  CHECK(story.tell("a 10 x 1; a 21 x 2; > 5") == "x 1; x 2");
  CHECK(story.tell("a 9 x 3; a 20 x 4; > 6") == "- x 1; + x 3; - x 2; + x 4");
  CHECK(story.tell("a 7 x 5; > 6") == "- x 3; + x 5");
  CHECK(story.tell("a 17 x 6; > end") == "- x 4; + x 6");
}

TEST_CASE("the last row of a key takes the place of the one before it") {
  OperatorStory story(
      R"("type": "dedup", "input": "a", "keys": ["k"], "keep": "last", "emit": "update")",
      make_dedup);
  CHECK(story.tell("a 10 x 1; > 5; a 9 x 2; > 6; a 10 x 3; > 30") == "x 1; - x 1; + x 3");
  CHECK(story.tell("a 40 x 4; > end") == "- x 3; + x 4");
}

TEST_CASE("memory of keys is bounded by the horizon") {
  for (std::string emit : {"at_once", "watermark", "update"}) {
    CAPTURE(emit);
    OperatorStory story(
        R"("type": "dedup", "input": "a", "keys": ["k"], "horizon_ms": 10, "emit": ")" + emit + '"',
        make_dedup);
    std::size_t early = 0;
    for (int i = 0; i < 3'000; ++i) {
      story.tell(fmt::format("a {0} some-key-of-this-moment-{0} 1; > {0}", i));
      if (i == 1'000) early = story.bytes();
    }
    CHECK(story.bytes() < early + early / 2);
  }
}

TEST_SUITE_END();
