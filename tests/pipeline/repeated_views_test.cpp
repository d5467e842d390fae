// Views as they were: made again by repeating what is recorded.
#include "pipeline/repeated_views.h"

#include <map>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// How many rows each key had in a day, as a view, and each row to a topic beside.
plan::Plan counting(const std::string& mode = "") {
  auto parsed = plan::parse(fmt::format(R"({{"version": 1, "name": "p", {} "nodes": [
      {{"name": "in", "type": "source", "topic": "in", "event_time": "t", "idle_ms": 0,
       "columns": [{{"name": "t", "type": "timestamp"}}, {{"name": "k", "type": "text"}}]}},
      {{"name": "w", "type": "window", "input": "in", "emit": "update", "keys": ["k"],
       "window": {{"kind": "tumbling", "size_ms": 86400000}},
       "aggregates": [{{"function": "count", "name": "rows"}}]}},
      {{"name": "rows", "type": "sink", "topic": "out", "input": "in"}},
      {{"name": "out", "type": "sink", "view": "counts", "keys": ["k"], "input": "w"}}]}})",
                                        mode));
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what);
  return std::move(*parsed);
}

std::string text_of(const stream::View& view, stream::View::Query query = {}) {
  auto answer = view.read(query);
  if (!answer) return answer.error().what;
  std::string text = std::to_string(answer->moment.epoch) + ":";
  for (const auto& row : answer->rows) {
    auto at = row->json.find("\"rows\":") + 7;
    text += " " + row->key + "=" + row->json.substr(at, row->json.find_first_of(",}", at) - at);
  }
  return text;
}

/// What the run of a play shows.
std::string shown(Play& play) {
  auto views = play.run().views();
  return views.empty() ? "nothing" : text_of(*views.front());
}

class Past {
 public:
  explicit Past(Play& play, plan::Plan plan = counting())
      : play_(play),
        views_({play.topics, play.files, play.executor, play.epochs, "/data", play.executor}) {
    wanted_.name = "counts";
    wanted_.pipeline = "p";
    wanted_.is_batch = plan.mode.type == plan::Mode::Type::batch;
    wanted_.plan = std::move(plan);
    wanted_.identity = "one";
  }
  PastView& wanted() { return wanted_; }
  void stop() { views_.stop(); }
  std::string at(std::optional<std::uint64_t> epoch, std::optional<std::int64_t> time_ms = {}) {
    wanted_.epoch = epoch;
    wanted_.time_ms = time_ms;
    std::optional<std::string> found;
    views_.find(wanted_, [&](const Result<std::shared_ptr<const stream::View>>& view) {
      found = view ? text_of(**view) : view.error().what;
    });
    play_.pass(1ms);
    REQUIRE(found);
    return *found;
  }

 private:
  Play& play_;
  RepeatedViews views_;
  PastView wanted_;
};

}  // namespace

TEST_CASE("a view of any epoch is made again as it was, from the start and from snapshots") {
  Play play;
  Past past(play);
  play.start(counting());
  play.pass(1s);
  std::map<std::uint64_t, std::string> were;
  std::map<std::int64_t, std::string> at_times;
  for (int i = 0; i < 60; ++i) {
    play.produce(1000 * i, std::string(1, static_cast<char>('a' + play.random.below(5))));
    play.pass(std::chrono::milliseconds(play.random.below(400)));
    if (i % 20 == 19) {
      play.run().stop([](const Result<void>&) {});
      play.pass(1s);
      play.start(counting());
      play.pass(1s);
    }
    play.pass(200ms);
    auto moment = play.run().views().front()->read({})->moment;
    were[moment.epoch] = shown(play);
    at_times[play.executor.wall_ms()] = shown(play);
    play.pass(1ms);
  }
  REQUIRE(were.size() > 20);
  for (const auto& [epoch, text] : were) CHECK(past.at(epoch) == text);
  for (const auto& [time_ms, text] : at_times) {
    CAPTURE(time_ms);
    std::string then = past.at({}, time_ms);
    // A version that starts again tells its last epoch under the same number.
    CHECK(then == text);
  }
  CHECK(past.at({}) == were.rbegin()->second);
  // It wrote nothing, and the version goes on as if nothing had been.
  std::size_t records = play.count();
  CHECK(records == 60);
  play.produce(99'000, "z");
  play.pass(1s);
  CHECK(shown(play).ends_with("z=1"));
  CHECK(play.count() == records + 1);
}

TEST_CASE("a moment that is not there is told from one that is, with where the view begins") {
  Play play;
  Past past(play);
  CHECK(past.at({}) == "view counts has no epoch yet");
  play.pass(5s);
  play.start(counting());
  play.pass(1s);
  play.produce(1000, "a");
  play.pass(1s);
  CHECK(past.at(2) == "2: a=1");
  CHECK(past.at(1) == "1:");
  CHECK(past.at(3) == "view counts is at epoch 2, before epoch 3");
  std::string before = past.at({}, play.executor.wall_ms() - 60'000);
  CHECK(before.find("was not there by then: it begins with epoch 1, at ") != before.npos);
}

TEST_CASE("a batch's view is that of its last end, while the next run is under way and after it") {
  Play play;
  auto plan = counting(R"("mode": {"type": "batch"},)");
  Past past(play, plan);
  play.produce(1000, "a");
  play.start(plan);
  CHECK(past.at({}) ==
        "view counts is empty until its batch has run to the end: `leat pipeline run p`");
  play.pass(1s);
  CHECK(play.status().state == RunState::finished);
  std::string first = shown(play);
  CHECK(first.ends_with(": a=1"));
  std::uint64_t first_end = play.status().epochs;
  play.produce(2000, "b");
  auto options = play.options(plan);
  options.anew_behind = 1'000'000;
  play.hold_commits();
  play.start(options);
  play.pass(1s);
  CHECK(shown(play) == "nothing");
  CHECK(past.at({}) == first);
  play.epochs.set_commit(nullptr);
  while (!play.held.empty()) {
    play.commit();
    play.pass(1s);
  }
  CHECK(play.status().state == RunState::finished);
  CHECK(shown(play).ends_with(": a=1 b=1"));
  CHECK(past.at({}) == shown(play));
  CHECK(past.at(first_end) == first);
  CHECK(past.at(play.status().epochs - 1) == first);
  stream::View::Query before;
  before.epoch = play.status().epochs - 1;
  CHECK(text_of(*play.run().views().front(), before).find("is known from epoch") !=
        std::string::npos);
}

TEST_CASE("a batch's view of before is made by the plan that its run had") {
  Play play;
  auto hourly = counting(R"("mode": {"type": "batch"},)");
  for (auto& node : hourly.nodes) {
    if (auto* window = std::get_if<plan::Window>(&node.body)) window->window.size_ms = 3'600'000;
  }
  auto daily = counting(R"("mode": {"type": "batch"},)");
  play.produce(1'000, "a");
  play.produce(3'601'000, "a");
  play.start(hourly);
  play.pass(1s);
  REQUIRE(play.status().state == RunState::finished);
  std::string first = shown(play);
  std::uint64_t first_end = play.status().epochs;
  auto options = play.options(daily);
  options.anew_behind = 1'000'000;
  play.start(options);
  play.pass(1s);
  REQUIRE(play.status().state == RunState::finished);
  Past past(play, daily);
  CHECK(shown(play).ends_with(": a=2"));
  CHECK(past.at({}) == shown(play));
  CHECK(first.ends_with(": a=1"));
  CHECK(past.at(first_end) == first);
}

TEST_CASE("what an ended batch is complete up to is in its view, and after a crash too") {
  for (bool with_snapshot : {false, true}) {
    CAPTURE(with_snapshot);
    // The third partition is empty: nothing is known of it, and nothing is held back by it.
    Play play(1, 3);
    auto plan = counting(R"("mode": {"type": "batch"},)");
    play.produce(5000, "a", 1, 0);
    play.produce(9000, "b", 1, 1);
    play.start(plan);
    play.pass(1s);
    REQUIRE(play.status().state == RunState::finished);
    CHECK(play.run().views().front()->read({})->moment.complete_to == 5000);
    if (with_snapshot) {
      play.run().stop([](const Result<void>&) {});
      play.pass(1s);
    }
    play.crash();
    play.start(plan);
    play.pass(1s);
    REQUIRE(play.status().state == RunState::finished);
    CHECK(play.run().views().front()->read({})->moment.complete_to == 5000);
  }
}

TEST_CASE("a view is made again as it was though the topics that its plan writes to are gone") {
  Play play(1, 2);
  // Somebody made it, with as many partitions as the plan does not say.
  REQUIRE(play.topics.create_topic("out", 3).has_value());
  Past past(play);
  play.start(counting());
  for (int i = 0; i < 20; ++i) {
    play.produce(1000 * i, std::string(1, static_cast<char>('a' + i % 5)), i, i % 2);
    play.pass(200ms);
  }
  std::string then = shown(play);
  REQUIRE(then.ends_with(": a=4 b=4 c=4 d=4 e=4"));
  auto epoch = play.status().epochs;
  play.topics.remove_topic("out");
  CHECK(past.at(epoch) == then);
  CHECK(past.at({}) == then);
  CHECK_FALSE(play.topics.find_topic("out"));
}

TEST_CASE("a view of a topic that was made anew under its name says so") {
  Play play;
  Past past(play);
  play.start(counting());
  play.produce(1000, "a");
  play.pass(1s);
  play.drop();
  play.topics.remove_topic("in");
  REQUIRE(play.topics.create_topic("in", 1).has_value());
  play.produce(1000, "b");
  CHECK(past.at(2).find("the topic in was made anew") != std::string::npos);
}

TEST_CASE("whoever asks for a view of before while all stops is told so, whatever is kept") {
  Play play;
  Past past(play);
  play.start(counting());
  play.produce(1000, "a");
  play.pass(1s);
  CHECK(past.at(2) == "2: a=1");
  past.stop();
  CHECK(past.at(2) == "the server is stopping");
  CHECK(past.at({}) == "the server is stopping");
}

TEST_CASE("a view whose inputs are gone says which, and what can be asked instead") {
  Play play;
  Past past(play);
  play.start(counting());
  play.produce(1000, "a");
  play.pass(1s);
  play.topics.trim({play.topics.find_topic("in")->id, PartitionId{0}}, Offset{1});
  std::string gone = past.at(2);
  CHECK(gone.find("cannot be made again as it was") != gone.npos);
  CHECK(gone.find("ask for a later moment") != gone.npos);
}

TEST_SUITE_END();
