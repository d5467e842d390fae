// Windows of fixed bounds: small stories that can be counted by hand, and random ones held to the
// judge.
#include <limits>
#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/fixed_window.h"
#include "operators/harness.h"
#include "operators/window_story.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

std::unique_ptr<Operator> make_window(const plan::BoundPlan& plan, std::size_t node) {
  const auto& bound = plan.nodes[node];
  return std::make_unique<FixedWindow>(bound, plan.nodes[bound.inputs[0]].schema,
                                       static_cast<std::int32_t>(node));
}

std::string random_shape(Random& random) {
  std::int64_t size = random.between(1, random.one_in(3) ? 200 : 20);
  std::string offset =
      random.one_in(2) ? fmt::format(R"(, "offset_ms": {})", random.between(-30, 30)) : "";
  switch (random.below(4)) {
    case 0: return fmt::format(R"("kind": "tumbling", "size_ms": {}{})", size, offset);
    case 1: {
      std::int64_t steps = random.between(1, 8);
      return fmt::format(R"("kind": "cumulate", "size_ms": {}, "step_ms": {}{})", size * steps,
                         size, offset);
    }
    default:
      return fmt::format(R"("kind": "hopping", "size_ms": {}, "slide_ms": {}{})", size,
                         random.between(1, size), offset);
  }
}

std::string random_keys(Random& random) {
  constexpr const char* keys[] = {"", R"("k")", R"("g")", R"("g", "k")", R"("m", "t")"};
  return keys[random.below(5)];
}

constexpr const char* aggregates = R"([
  {"name": "n", "function": "count"},
  {"name": "s", "function": "sum", "argument": {"column": "v"}},
  {"name": "a", "function": "avg", "argument": {"column": "r"}},
  {"name": "low", "function": "min", "argument": {"column": "k"}},
  {"name": "end", "function": "last", "argument": {"column": "m"}}])";

// Has no valid argument where g is 0.
constexpr const char* failing_aggregates = R"([
  {"name": "n", "function": "count"},
  {"name": "q", "function": "sum", "argument": {"call": "/", "arguments": [
    {"column": "v"}, {"column": "g"}]}}])";

/// Holds random windows with these options to the judge.
void try_windows(const std::string& options, Given given) {
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    Random random(seed);
    Trial trial;
    trial.plan = plan_of(fmt::format(R"({{"name": "n", "type": "window", "input": "a",
      "window": {{{}}}, "keys": [{}], "aggregates": {}{}}})",
                                     random_shape(random), random_keys(random),
                                     random.one_in(4) ? failing_aggregates : aggregates, options),
                         random.one_in(2) ? 30 : 5);
    trial.node = "n";
    trial.given = given;
    trial.logs["a"] = interpreter::random_log(random, 3, random.one_in(4) ? 400 : 60);
    check(trial, seed, make_window);
  }
}

}  // namespace

TEST_CASE("a window's rows come out by key when event time has come to its end") {
  WindowStory story(make_window, R"("window": {"kind": "tumbling", "size_ms": 10})");
  CHECK(story.tell("100 y 1; 109 x 2; 110 y 4; > 109") == "");
  CHECK(story.tell("105 - -; > 110") == "100 110 x 1 2; 100 110 y 1 1; 100 110 - 1 -");
  CHECK(story.tell("> end") == "110 120 y 1 4");
}

TEST_CASE("a row counts in the windows that end behind its own watermark") {
  WindowStory story(make_window, R"("window": {"kind": "hopping", "size_ms": 10, "slide_ms": 5})");
  CHECK(story.tell("100 x 1; 102 x 2 105; 101 x 4 109; 103 x 8 110; > end") ==
        "late 103; 95 105 x 1 1; 100 110 x 3 7");
}

TEST_CASE("hopping windows whose size is no multiple of their slide are cut where one ends") {
  WindowStory story(make_window, R"("window": {"kind": "hopping", "size_ms": 7, "slide_ms": 5})");
  CHECK(story.tell("100 x 1; 101 x 2; 102 x 4; 104 x 8; > end") == "95 102 x 2 3; 100 107 x 4 15");
}

TEST_CASE("cumulating windows begin anew with each whole one") {
  WindowStory story(make_window, R"("window": {"kind": "cumulate", "size_ms": 10, "step_ms": 5})");
  CHECK(story.tell("100 x 1; 106 x 2; 110 x 4; > end") ==
        "100 105 x 1 1; 100 110 x 2 3; 110 115 x 1 4; 110 120 x 1 4");
}

TEST_CASE("a window gives what came on time when it closes, and then what late rows make of it") {
  WindowStory story(make_window,
                    R"("window": {"kind": "tumbling", "size_ms": 10}, "lateness_ms": 10)");
  CHECK(story.tell("100 x 1; 101 x 2 115; > 109") == "");
  CHECK(story.tell("> 110") == "100 110 x 1 1; - 100 110 x 1 1; + 100 110 x 2 3");
  CHECK(story.tell("102 y 4 119; > 115") == "100 110 y 1 4");
  CHECK(story.tell("102 y 4 120; > 120; 103 z 1 110") == "late 102");
}

TEST_CASE("a window of late rows alone tells of them without waiting for its end") {
  WindowStory story(make_window,
                    R"("window": {"kind": "tumbling", "size_ms": 10}, "lateness_ms": 10)");
  CHECK(story.tell("102 x 4 111; > 111") == "100 110 x 1 4");
  CHECK(story.tell("103 x 1 112; > 112") == "- 100 110 x 1 4; + 100 110 x 2 5");
}

TEST_CASE("each change is told when there was one") {
  WindowStory story(make_window,
                    R"("window": {"kind": "tumbling", "size_ms": 10}, "emit": "update")");
  CHECK(story.tell("100 x 1; 101 x 2; > 100") == "100 110 x 2 3");
  CHECK(story.tell("> 101") == "");
  CHECK(story.tell("102 x 4; now 1") == "- 100 110 x 2 3; + 100 110 x 3 7");
}

TEST_CASE("rows of keys that came before the last changes were told count like others") {
  WindowStory story(make_window, R"("window": {"kind": "hopping", "size_ms": 20, "slide_ms": 10},
                                 "emit": "update")");
  CHECK(story.tell("105 x 1; 106 y 2; now 1") ==
        "90 110 x 1 1; 90 110 y 1 2; 100 120 x 1 1; 100 120 y 1 2");
  CHECK(story.tell("107 y 4; now 2") ==
        "- 90 110 y 1 2; + 90 110 y 2 6; - 100 120 y 1 2; + 100 120 y 2 6");
}

TEST_CASE("changes are told each time that so much processing time has passed, and at the end") {
  WindowStory story(make_window, R"("window": {"kind": "tumbling", "size_ms": 10},
                                 "emit": "every", "every_ms": 50)");
  CHECK(story.tell("100 x 1; now 40") == "");
  CHECK(story.tell("now 50") == "100 110 x 1 1");
  CHECK(story.tell("100 x 1; now 60; > 105") == "");
  story.restart();
  CHECK(story.tell("now 99") == "");
  CHECK(story.tell("now 100") == "- 100 110 x 1 1; + 100 110 x 2 2");
  CHECK(story.tell("106 x 1; now 149") == "");
  CHECK(story.tell("> 110") == "- 100 110 x 2 2; + 100 110 x 3 3");
}

TEST_CASE("a result beyond its type is bad when nothing can change it any more") {
  const std::string shape = R"("window": {"kind": "tumbling", "size_ms": 10})";
  constexpr std::int64_t most_number = std::numeric_limits<std::int64_t>::max();
  const std::string most = std::to_string(most_number);
  WindowStory closing(make_window, shape);
  CHECK(closing.tell("100 y 1; 100 x 1; 101 x " + most + "; > 110") ==
        "bad 100 110 x; 100 110 y 1 1");
  WindowStory patient(make_window, shape + R"(, "lateness_ms": 10)");
  CHECK(patient.tell("100 x 1; > 110; 101 x " + most + " 111; > 111") ==
        "100 110 x 1 1; ! 100 110 x 1 1");
  CHECK(patient.tell("> 120") == "bad 100 110 x");
  CHECK(patient.tell("200 y 1; 200 x 1; 201 x " + most + "; > 210") == "200 210 y 1 1");
  patient.restart();
  CHECK(patient.tell("202 x 1 210; > 211") == "");
  CHECK(patient.tell("203 x -9 211; > 212") == "200 210 x 4 " + std::to_string(most_number - 7));
  CHECK(patient.tell("> 220") == "");
  CHECK(patient.tell("300 x 1; 301 x " + most + "; > 310") == "");
  patient.restart();
  CHECK(patient.tell("> 319") == "");
  CHECK(patient.tell("> 320") == "bad 300 310 x");
  CHECK(patient.tell("400 x 1; 401 x " + most + "; > end") == "bad 400 410 x");
  WindowStory telling(make_window, shape + R"(, "emit": "update")");
  CHECK(telling.tell("100 x 1; 101 x " + most + "; now 1") == "");
  CHECK(telling.tell("102 x -1; now 1") == "100 110 x 3 " + most);
  CHECK(telling.tell("> end") == "");
}

TEST_CASE("rows that came with late ones without a valid argument count all the same") {
  WindowStory story(make_window, R"("window": {"kind": "tumbling", "size_ms": 10}, "emit": "update",
                                 "lateness_ms": 10)",
                    R"("k")",
                    R"({"name": "s", "function": "sum", "argument":
                       {"call": "/", "arguments": [{"bigint": 6}, {"column": "v"}]}})");
  CHECK(story.tell("100 x 2 & 101 x 3 111 & 102 y 0 111; > 111") == "bad y 0; 100 110 x 5");
  CHECK(story.tell("115 x 1 & 116 x 2 & 117 x 0 121; > 121") == "bad x 0; 110 120 x 9");
}

TEST_CASE("what no open window needs is freed") {
  for (const char* more : {"", R"(, "lateness_ms": 100)", R"(, "emit": "update")"}) {
    CAPTURE(more);
    WindowStory story(
        make_window,
        std::string(R"("window": {"kind": "hopping", "size_ms": 1000, "slide_ms": 100})") + more);
    std::size_t before = 0;
    for (int i = 0; i < 400; ++i) {
      story.tell(fmt::format("{0} k{1} 1; > {0}", 100 * i, i));
      if (i == 100) before = story.bytes();
    }
    CHECK(story.bytes() <= before * 3 / 2);
  }
}

TEST_CASE("of a slice that no window needs any more its tables stay, for the next ones") {
  WindowStory story(make_window, R"("window": {"kind": "hopping", "size_ms": 20, "slide_ms": 10})");
  story.tell("105 x 1; 106 x 2 110");
  auto& state = static_cast<WindowState&>(story.state());
  const WindowTable* whole = state.slices.begin()->second.whole()->table.get();
  const WindowTable* other = state.slices.begin()->second.partials.back()->table.get();
  CHECK(story.tell("> 120") == "90 110 x 1 1; 100 120 x 2 3");
  CHECK(state.slices.empty());
  CHECK(state.split.empty());
  auto last = state.take_table(), before = state.take_table();
  CHECK(last.get() == other);
  CHECK(before.get() == whole);

  WindowStory telling(make_window,
                      R"("window": {"kind": "tumbling", "size_ms": 10}, "emit": "update")");
  telling.tell("105 x 1");
  auto& told = static_cast<WindowState&>(telling.state());
  const WindowTable* sums = told.changes.windows.begin()->second.sums.get();
  telling.tell("> 110");
  CHECK(told.take_table().get() == sums);
}

TEST_CASE("a state of other windows is refused") {
  WindowStory story(make_window, R"("window": {"kind": "tumbling", "size_ms": 10})");
  story.tell("105 x 1");
  StateWriter writer;
  story.state().snapshot(writer);
  Bytes bytes = writer.finish();
  WindowStory other(make_window, R"("window": {"kind": "tumbling", "size_ms": 7})");
  auto reader = StateReader::open(bytes);
  auto restored = other.state().restore(*reader);
  REQUIRE_FALSE(restored.has_value());
  CHECK(restored.error().code == Errc::snapshot_mismatch);
}

TEST_CASE("rows that are spread over states and put together are as those of one") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::string window = R"("window": {)" + random_shape(random) + "}";
    WindowStory one(make_window, window), whole(make_window, window), part(make_window, window),
        other(make_window, window);
    REQUIRE(one.can_merge());
    std::int64_t newest[] = {0, 0};  // of each partition, whose disorder is 20
    std::string expected, found;
    auto advance = [&](Watermark watermark) {
      std::string step = watermark == watermark_max ? "> end" : fmt::format("> {}", watermark);
      expected += one.tell(step) + "|";
      for (WindowStory* from : {&part, &other}) whole.merge(*from, watermark);
      found += whole.tell(step) + "|";
    };
    for (int i = 0; i < 150; ++i) {
      std::int64_t& partition = newest[random.below(2)];
      std::int64_t time = partition + random.between(-40, 10);
      std::string row = fmt::format("{} k{} {} {}", time, random.below(4), i, partition - 20);
      std::string late = one.tell(row);
      WindowStory* to[] = {&whole, &part, &other};
      CHECK(to[random.below(3)]->tell(row) == late);
      partition = std::max(partition, time);
      if (random.one_in(10)) advance(std::min(newest[0], newest[1]) - 20);
      if (random.one_in(30)) whole.restart();
    }
    advance(watermark_max);
    CHECK(found == expected);
    for (WindowStory* of : {&one, &whole, &part, &other}) {
      const auto& state = static_cast<const WindowState&>(of->state());
      CHECK(state.slices.empty());
      CHECK(state.split.empty());
    }
  }
}

TEST_CASE("windows that close are what the judge says, in its order") {
  try_windows("", Given::in_order);
}

TEST_CASE("windows that take late rows for a while end as the judge says") {
  try_windows(R"(, "lateness_ms": 1)", Given::changes);
  try_windows(R"(, "lateness_ms": 50)", Given::changes);
}

TEST_CASE("windows that tell of every change end as the judge says") {
  try_windows(R"(, "emit": "update")", Given::changes);
  try_windows(R"(, "emit": "update", "lateness_ms": 20)", Given::changes);
}

TEST_CASE("windows that tell of changes now and then end as the judge says") {
  try_windows(R"(, "emit": "every", "every_ms": 1000)", Given::changes);
}

TEST_SUITE_END();
