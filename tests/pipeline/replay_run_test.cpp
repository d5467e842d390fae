// Exact replay: another version repeats the recorded epochs of one.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

VersionRun::Options replay_of(Play& play, const plan::Plan& plan, std::uint32_t version = 2) {
  auto options = play.options(plan);
  options.version = version;
  options.suffix = suffix_of(version);
  options.repeat = owner_of("p", 1);
  return options;
}

}  // namespace

TEST_CASE("an exact replay gives what the run gave") {
  Play play(1, 2);
  play.start(plan_of(per_second));
  for (int i = 0; i < 100; ++i) {
    // Each partition is late against the other one at times.
    play.produce(100 * i - (i % 7 == 3 ? 900 : 0), i % 3 == 0 ? "a" : "b", i, i % 2);
    play.pass(std::chrono::milliseconds(i % 5));
  }
  play.pass(1s);
  auto epochs = play.records().size();
  CHECK(epochs > 10);
  auto options = replay_of(play, plan_of(per_second));
  options.to.emplace();
  play.start(options);
  play.pass(1s);
  CHECK(play.error() == "");
  CHECK(play.status().state == RunState::finished);
  CHECK(play.status().rows_in == 100);
  CHECK(play.values().size() > 10);
  for (std::int32_t p : {0, 1}) CHECK(play.values("out.v2", p) == play.values("out", p));
  // The version that was repeated was not disturbed.
  play.start(plan_of(per_second));
  play.produce(100'000);
  play.pass(1s);
  CHECK(play.error() == "");
}

TEST_CASE("an exact replay that is killed goes on where it was, and then by itself") {
  Play play;
  play.start(plan_of(""));
  for (int i = 0; i < 50; ++i) {
    play.produce(i, "a", i);
    play.pass(1ms);
  }
  play.drop();
  for (int i = 50; i < 60; ++i) play.produce(i, "a", i);
  auto options = replay_of(play, plan_of(""));
  options.rows_per_s = 100;
  play.start(options);
  for (int i = 0; i < 3; ++i) {
    play.pass(100ms);
    play.crash();
    play.start(options);
  }
  play.pass(1s);
  CHECK(play.error() == "");
  CHECK(play.status().state == RunState::running);
  REQUIRE(play.values("out.v2").size() == 60);
  auto repeated = play.values("out.v2");
  repeated.resize(50);
  CHECK(repeated == play.values());
}

TEST_CASE("an exact replay that ends comes to its end though it is killed behind any commit") {
  bool ended = false;
  for (int commits = 1; !ended; ++commits) {
    CAPTURE(commits);
    Play play;
    play.start(plan_of(""));
    for (int i = 0; i < 5; ++i) {
      play.produce(i, "a", i);
      play.pass(1ms);
    }
    play.drop();
    auto options = replay_of(play, plan_of(""));
    options.to.emplace();
    options.rows_per_s = 100;  // so that each step is an epoch of its own
    play.hold_commits();
    play.start(options);
    for (int i = 0; i < commits; ++i) {
      for (int ms = 0; ms < 100 && play.held.empty(); ++ms) play.pass(1ms);
      if (!play.held.empty()) play.commit();
    }
    play.pass(1ms);
    ended = play.status().state == RunState::finished;
    play.crash();
    play.epochs.set_commit(nullptr);
    // Behind what is repeated, so nothing of it.
    play.produce(6, "a", 6);
    play.start(options);
    play.pass(1s);
    CHECK(play.error() == "");
    CHECK(play.status().state == RunState::finished);
    CHECK(play.values("out.v2") == play.values());
  }
}

TEST_CASE("what cannot be repeated is said at once") {
  Play play;
  play.start(plan_of(""));
  play.produce(0);
  play.pass(1ms);
  play.drop();
  auto error = [&](const VersionRun::Options& options) {
    play.start(options);
    play.pass(1s);
    return play.error();
  };
  auto options = replay_of(play, plan_of(per_second));
  auto said = error(options);
  CHECK_MESSAGE(said.starts_with("p.1 ran another plan, so its epochs cannot be repeated: "), said);
  options = replay_of(play, plan_of(""), 3);
  options.repeat = "q.1";
  CHECK(error(options) == "there are no epochs of q.1");
  auto record = play.record(1);
  record.steps[0].output_hash = 5;
  play.epochs.change("p.1", 1, encode(record));
  CHECK(error(replay_of(play, plan_of(""), 4)) ==
        "step 1 of 1 in epoch 2 of p.1 does not give again what it gave");
}

TEST_SUITE_END();
