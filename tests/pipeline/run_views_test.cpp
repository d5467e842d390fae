// Views of a run: as of committed epochs, also after a crash.
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// How many rows each key had, in a view; those that came earlier than a day ago are gone.
plan::Plan counting() {
  auto parsed = plan::parse(R"({"version": 1, "name": "p", "nodes": [
      {"name": "in", "type": "source", "topic": "in", "event_time": "t", "idle_ms": 0,
       "columns": [{"name": "t", "type": "timestamp"}, {"name": "k", "type": "text"}]},
      {"name": "w", "type": "window", "input": "in", "emit": "update", "keys": ["k"],
       "window": {"kind": "tumbling", "size_ms": 86400000},
       "aggregates": [{"function": "count", "name": "rows"}]},
      {"name": "out", "type": "sink", "view": "rows-per-key", "keys": ["k"], "input": "w"}]})");
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what);
  return std::move(*parsed);
}

/// "a=2 b=1", with the epoch in front.
std::string shown(const VersionRun& run, stream::View::Query query = {}) {
  auto views = run.views();
  REQUIRE(views.size() == 1);
  auto answer = views[0]->read(query);
  if (!answer) return answer.error().what;
  std::string text = std::to_string(answer->moment.epoch) + ":";
  for (const auto& row : answer->rows) {
    auto at = row->json.find("\"rows\":") + 7;
    text += " " + row->key + "=" + row->json.substr(at, row->json.find_first_of(",}", at) - at);
  }
  return text;
}

}  // namespace

TEST_CASE("a view shows an epoch when it is committed, and of which inputs it is") {
  Play play;
  play.start(counting());
  play.pass(1s);
  CHECK(shown(play.run()) == "1:");
  play.produce(1000, "a");
  play.produce(2000, "b");
  play.produce(3000, "a");
  play.pass(1s);
  CHECK(shown(play.run()) == "2: a=2 b=1");
  auto moment = play.run().views()[0]->read({})->moment;
  REQUIRE(moment.inputs.size() == 1);
  CHECK(moment.inputs[0].name == "in");
  CHECK(moment.inputs[0].next == Offset{3});
  play.produce(4000, "a");
  play.pass(1s);
  CHECK(shown(play.run()) == "3: a=3 b=1");
  stream::View::Query before;
  before.epoch = 2;
  CHECK(shown(play.run(), before) == "2: a=2 b=1");
}

TEST_CASE("a view is after a crash what it was, with a snapshot and without") {
  for (bool with_snapshot : {false, true}) {
    CAPTURE(with_snapshot);
    Play play;
    play.start(counting());
    play.produce(1000, "a");
    play.pass(1s);
    if (with_snapshot) {
      play.run().stop([](const Result<void>&) {});
      play.pass(1s);
      play.start(counting());
    }
    play.produce(2000, "b");
    play.pass(1s);
    std::string before = shown(play.run());
    play.crash();
    play.start(counting());
    play.pass(1s);
    CHECK(shown(play.run()) == before);
    play.produce(3000, "b");
    play.pass(1s);
    CHECK(shown(play.run()).ends_with(": a=1 b=2"));
  }
}

TEST_SUITE_END();
