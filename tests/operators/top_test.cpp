#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/harness.h"
#include "operators/operator_story.h"
#include "operators/top.h"
#include "operators/top_changes.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

std::unique_ptr<Operator> make_top(const plan::BoundPlan& plan, std::size_t node) {
  const auto& bound = plan.nodes[node];
  const auto& input = plan.nodes[bound.inputs[0]].schema;
  bool changes = std::get<plan::Top>(bound.node->body).emit == plan::Emission::update;
  if (changes) return std::make_unique<TopChanges>(bound, input);
  return std::make_unique<Top>(bound, input);
}

/// Holds random tops with this emission to the judge.
void try_tops(const char* emission, Given given) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    Trial trial;
    bool unnested = random.one_in(3);
    std::string before = unnested ? R"({"name": "u", "type": "unnest", "input": "a",
      "column": "tags", "as": "tag"}, )"
                                  : "";
    const char* keys[] = {"", R"("k")", R"("g", "k")"};
    const char* columns[] = {"v", "r", "m", "k", "g", "t"};
    auto ordering = [&] {
      return fmt::format(R"({{"column": "{}", "descending": {}}})", columns[random.below(6)],
                         random.one_in(2));
    };
    std::string order = ordering();
    if (random.one_in(3)) order += ", " + ordering();
    std::string top = fmt::format(
        R"({{"name": "n", "type": "top", "input": "{}", "keys": [{}], "order_by": [{}],
           "limit": {}, "ties": {}, "rank": "{}", "emit": "{}"}})",
        unnested ? "u" : "a", keys[random.below(3)], order, random.between(1, 5), random.one_in(2),
        random.one_in(2) ? "rank" : "", emission);
    trial.plan = plan_of(before + top, random.one_in(2) ? 30 : 5);
    trial.node = "n";
    trial.given = given;
    trial.logs["a"] = interpreter::random_log(random, 3, random.one_in(4) ? 300 : 60);
    check(trial, seed, make_top);
  }
}

}  // namespace

TEST_CASE("a row that is among the first by event time is given with its rank then") {
  try_tops("watermark", Given::in_order);
}

TEST_CASE("a row that is among the first when it comes is given with its rank then") {
  try_tops("at_once", Given::at_once);
}

TEST_CASE("the changes of the first rows lead to those that the judge has in the end") {
  try_tops("update", Given::changes);
}

TEST_CASE("a row's rank is that among the rows before it in time") {
  std::string node = R"("type": "top", "input": "a", "keys": ["k"], "limit": 2, "rank": "rank",
    "emit": "watermark", "order_by": [{"column": "v", "descending": )";
  OperatorStory largest(node + "true}]", make_top);
  CHECK(largest.tell("a 3 x 5; a 1 x 7; a 2 x 7; a 2 y 1; a 4 x 8; a 5 x 8; > 3") ==
        "x 7 1; x 7 2; y 1 1");
  CHECK(largest.tell("a 6 x 7; a 7 x 8; > end") == "x 8 1; x 8 2");
  // NULL is the largest.
  CHECK(OperatorStory(node + "true}]", make_top).tell("a 1 x 7; a 2 x -; > end") == "x 7 1; x - 1");
  CHECK(OperatorStory(node + "false}]", make_top).tell("a 1 x 7; a 2 x -; a 3 x 9; > end") ==
        "x 7 1; x - 2; x 9 2");
}

TEST_CASE("of equal rows the earlier one is first, though it comes later") {
  OperatorStory story(R"("type": "top", "input": "a", "keys": ["k"], "limit": 1, "rank": "rank",
    "emit": "at_once", "order_by": [{"column": "v"}])",
                      make_top);
  CHECK(story.tell("a 5 x 1; a 4 x 1; a 4 x 1; a 3 x 1 4") == "x 1 1; x 1 1; late x 1");
}

TEST_CASE("a better row takes back the last one, or moves those behind it") {
  std::string node = R"("type": "top", "input": "a", "limit": 2, "order_by": [{"column": "v"}])";
  OperatorStory plain(node, make_top);
  CHECK(plain.tell("a 1 x 5; a 2 y 7; a 3 z 9; > 1") == "x 5; y 7");
  CHECK(plain.tell("a 4 u 1; a 5 v 6; > 2") == "- y 7; + u 1");
  CHECK(plain.tell("a 6 w 5; > end") == "");
  OperatorStory ranked(node + R"(, "rank": "rank")", make_top);
  CHECK(ranked.tell("a 1 x 5; > 1; a 4 u 1; > 2") == "x 5 1; - x 5 1; + u 1 1; x 5 2");
  CHECK(ranked.tell("a 2 t 0; > end") == "- u 1 1; + t 0 1; - x 5 2; + u 1 2");
}

TEST_CASE("with ties rows share a rank, and go when as many as the limit are before them") {
  std::string node =
      R"("type": "top", "input": "a", "limit": 2, "ties": true, "order_by": [{"column": "v"}])";
  OperatorStory plain(node, make_top);
  CHECK(plain.tell("a 1 x 5; a 2 y 7; a 3 z 7; a 3 z 8; > 1") == "x 5; y 7; z 7");
  CHECK(plain.tell("a 4 u 5; a 5 v 7; > 2") == "- y 7; + u 5; ! z 7");
  CHECK(plain.tell("a 6 w 5; > end") == "w 5");
  OperatorStory ranked(node + R"(, "rank": "rank")", make_top);
  CHECK(ranked.tell("a 1 x 5; a 2 y 5; > 1") == "x 5 1; y 5 1");
  CHECK(ranked.tell("a 2 t 0; > end") == "- x 5 1; + t 0 1; - y 5 1; + x 5 2; y 5 2");
}

TEST_CASE("with ties a row that comes has the rank of its equals") {
  OperatorStory story(R"("type": "top", "input": "a", "limit": 2, "ties": true, "rank": "rank",
    "emit": "at_once", "order_by": [{"column": "v", "descending": true}])",
                      make_top);
  CHECK(story.tell("a 1 x 5; a 1 x 5; a 3 x 5; a 2 x 7; a 5 x 5") ==
        "x 5 1; x 5 1; x 5 1; x 7 1; x 5 2");
  CHECK(story.tell("a 5 y 7; a 6 x 5; a 7 y 7") == "y 7 1; y 7 1");
}

TEST_CASE("with ties a row is judged by those that are better") {
  OperatorStory story(R"("type": "top", "input": "a", "limit": 2, "ties": true, "rank": "rank",
    "emit": "watermark", "order_by": [{"column": "v"}])",
                      make_top);
  CHECK(story.tell("a 1 x 5; a 2 x 5; a 3 x 5; a 4 x 3; a 5 x 5; a 6 x 4; a 7 x 5; > end") ==
        "x 5 1; x 5 1; x 5 1; x 3 1; x 5 2; x 4 2");
}

TEST_SUITE_END();
