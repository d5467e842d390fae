// Sessions: small stories that can be counted by hand, and random ones held to the judge.
#include <limits>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/harness.h"
#include "operators/session_window.h"
#include "operators/window_story.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

std::unique_ptr<Operator> make_sessions(const plan::BoundPlan& plan, std::size_t node) {
  const auto& bound = plan.nodes[node];
  return std::make_unique<SessionWindow>(bound, plan.nodes[bound.inputs[0]].schema,
                                         static_cast<std::int32_t>(node));
}

const std::string sessions = R"("window": {"kind": "session", "gap_ms": 10})";

/// Holds random sessions with these options to the judge.
void try_sessions(const std::string& options, Given given) {
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    Random random(seed);
    constexpr const char* keys[] = {"", R"("k")", R"("g")", R"("g", "k")"};
    Trial trial;
    trial.plan = plan_of(
        fmt::format(R"({{"name": "n", "type": "window", "input": "a",
      "window": {{"kind": "session", "gap_ms": {}}}, "keys": [{}], "aggregates": [
        {{"name": "n", "function": "count"}},
        {{"name": "s", "function": "sum", "argument": {{"column": "v"}}}},
        {{"name": "a", "function": "avg", "argument": {{"column": "r"}}}},
        {{"name": "low", "function": "min", "argument": {{"column": "k"}}}},
        {{"name": "end", "function": "last", "argument": {{"column": "m"}}}}]{}}})",
                    random.between(1, random.one_in(2) ? 30 : 8), keys[random.below(4)], options),
        random.one_in(2) ? 30 : 5);
    trial.node = "n";
    trial.given = given;
    trial.logs["a"] = interpreter::random_log(random, 3, random.one_in(4) ? 400 : 60);
    check(trial, seed, make_sessions);
  }
}

}  // namespace

TEST_CASE("a session comes out when no row can join it any more") {
  WindowStory story(make_sessions, sessions);
  CHECK(story.tell("100 x 1; 109 x 2; 105 y 4; > 127") == "105 115 y 1 4");
  CHECK(story.tell("> 128") == "100 119 x 2 3");
  CHECK(story.passes_on(128) == 119);
}

TEST_CASE("a row between two sessions makes them one") {
  WindowStory story(make_sessions, sessions);
  CHECK(story.tell("100 x 1; 118 x 2; 109 x 4; > end") == "100 128 x 3 7");
  CHECK(story.tell("100 x 1; 120 x 2; 110 x 4; > end") ==
        "100 110 x 1 1; 110 120 x 1 4; 120 130 x 1 2");
}

TEST_CASE("a row is judged by itself, and may join what ended before its watermark") {
  WindowStory story(make_sessions, sessions);
  CHECK(story.tell("100 x 1; 105 x 2 114; 104 x 4 114; > end") == "late 104; 100 115 x 2 3");
}

TEST_CASE("sessions come out by end, start and key") {
  WindowStory story(make_sessions, sessions);
  CHECK(story.tell("105 y 1; 105 x 1; 100 z 1; 105 z 1; 101 w 1; > end") ==
        "101 111 w 1 1; 100 115 z 2 2; 105 115 x 1 1; 105 115 y 1 1");
}

TEST_CASE("late rows change, join and bring back sessions that were given") {
  WindowStory story(make_sessions, sessions + R"(, "lateness_ms": 100)");
  CHECK(story.tell("100 x 1; 115 x 2; > 134") == "100 110 x 1 1; 115 125 x 1 2");
  CHECK(story.tell("108 x 4 134; > 135") == "! 100 110 x 1 1; ! 115 125 x 1 2; 100 125 x 3 7");
  CHECK(story.tell("101 x 8 135; > 136") == "- 100 125 x 3 7; + 100 125 x 4 15");
  CHECK(story.tell("50 y 1 136; > 137") == "50 60 y 1 1");
}

TEST_CASE("sessions that tell of changes take back what they are no longer") {
  WindowStory story(make_sessions, sessions + R"(, "emit": "update")");
  CHECK(story.tell("100 x 1; now 1") == "100 110 x 1 1");
  CHECK(story.tell("105 x 2; now 1") == "! 100 110 x 1 1; 100 115 x 2 3");
  CHECK(story.tell("105 x 4; now 1") == "- 100 115 x 2 3; + 100 115 x 3 7");
}

TEST_CASE("changes of sessions are told each time that so much processing time has passed") {
  WindowStory story(make_sessions, sessions + R"(, "emit": "every", "every_ms": 50)");
  CHECK(story.tell("100 x 1; now 50") == "100 110 x 1 1");
  CHECK(story.tell("105 x 2; now 60") == "");
  story.restart();
  CHECK(story.tell("now 99") == "");
  CHECK(story.tell("now 100") == "! 100 110 x 1 1; 100 115 x 2 3");
}

TEST_CASE("a session's result beyond its type is bad when nothing can change it any more") {
  constexpr std::int64_t most_number = std::numeric_limits<std::int64_t>::max();
  const std::string most = std::to_string(most_number);
  WindowStory closing(make_sessions, sessions);
  CHECK(closing.tell("100 x 1; 101 x " + most + "; > end") == "bad 100 111 x");
  WindowStory patient(make_sessions, sessions + R"(, "lateness_ms": 10)");
  CHECK(patient.tell("100 x 1; > 119; 101 x " + most + " 119; > 120") ==
        "100 110 x 1 1; ! 100 110 x 1 1");
  CHECK(patient.tell("> 130") == "bad 100 111 x");
  CHECK(patient.tell("200 x 1; 201 x " + most + "; > 220") == "");
  patient.restart();
  CHECK(patient.tell("202 x -9 220; > 221") == "200 212 x 3 " + std::to_string(most_number - 8));
  CHECK(patient.tell("> 240") == "");
  CHECK(patient.tell("300 x 1; 301 x " + most + "; > 320") == "");
  patient.restart();
  CHECK(patient.tell("> 329") == "");
  CHECK(patient.tell("> 330") == "bad 300 311 x");
  // One that a late row joins to another one is bad or good with it.
  CHECK(patient.tell("400 x 1; 401 x " + most + "; 412 x 1; > 421") == "");
  CHECK(patient.tell("405 x -9 421; > 430") == "");
  CHECK(patient.tell("> 431") ==
        "412 422 x 1 1; ! 412 422 x 1 1; 400 422 x 4 " + std::to_string(most_number - 7));
  CHECK(patient.tell("> end") == "");
}

TEST_CASE("keys without sessions are forgotten") {
  for (const char* more : {"", R"(, "lateness_ms": 100)", R"(, "emit": "update")"}) {
    CAPTURE(more);
    WindowStory story(make_sessions, sessions + more);
    std::size_t before = 0;
    for (int i = 0; i < 10'000; ++i) {
      story.tell(fmt::format("{0} k{1} 1; > {0}", 10 * i, i));
      if (i == 3'000) before = story.bytes();
    }
    CHECK(story.bytes() <= before * 3 / 2);
  }
}

TEST_CASE("sessions are what the judge says, in its order") {
  try_sessions("", Given::in_order);
}

TEST_CASE("sessions that take late rows for a while end as the judge says") {
  try_sessions(R"(, "lateness_ms": 1)", Given::changes);
  try_sessions(R"(, "lateness_ms": 50)", Given::changes);
}

TEST_CASE("sessions that tell of changes end as the judge says") {
  try_sessions(R"(, "emit": "update")", Given::changes);
  try_sessions(R"(, "emit": "update", "lateness_ms": 20)", Given::changes);
  try_sessions(R"(, "emit": "every", "every_ms": 1000)", Given::changes);
}

TEST_SUITE_END();
