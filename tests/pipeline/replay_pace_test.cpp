#include "pipeline/replay_pace.h"

#include <functional>

#include <doctest/doctest.h>

#include "pipeline/pending_epoch.h"
#include "pipeline/step_gate.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

class HandClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return now / 1ms; }
  std::chrono::nanoseconds monotonic() const override { return now; }
  std::chrono::nanoseconds now = 1h;
};

/// A live run that gives an epoch a millisecond, and a replay that works a millisecond and rests as
/// it is told.
struct Machine {
  using Took = std::function<std::chrono::microseconds(bool replay_works)>;

  /// The part of the time in which the replay worked.
  double pass(std::chrono::seconds time, bool replays, const Took& took) {
    int worked = 0, all = 0;
    for (auto end = clock.now + time; clock.now < end; ++all) {
      bool works = replays && clock.now >= free_at;
      clock.now += 1ms;
      pace.lived(took(works));
      if (!works) continue;
      ++worked;
      free_at = clock.now + pace.rest_after(1ms);
    }
    return static_cast<double>(worked) / all;
  }

  HandClock clock;
  ReplayPace pace{clock};
  std::chrono::nanoseconds free_at{0};
};

std::chrono::microseconds calm(bool) {
  return 1'000us;
}

}  // namespace

TEST_CASE("a replay that nobody feels comes to work all the time") {
  Machine machine;
  machine.pass(5s, false, calm);
  CHECK(machine.pass(1s, true, calm) < 0.9);
  machine.pass(5s, true, calm);
  CHECK(machine.pass(5s, true, calm) == doctest::Approx(1));
}

TEST_CASE("where live epochs take longer while a replay works, it works as much as they bear") {
  Machine machine;
  auto hurt = [](bool works) { return works ? 5'000us : 1'000us; };
  machine.pass(5s, false, calm);
  machine.pass(5s, true, hurt);
  // 1.7 times as long on average, at four times more a turn of it.
  double worked = machine.pass(30s, true, hurt);
  CHECK(worked > 0.05);
  CHECK(worked < 0.2);
}

TEST_CASE("a replay never stops, and goes on when what was slow for other reasons is quick again") {
  Machine machine;
  machine.pass(5s, false, calm);
  auto slow = [](bool) { return 20'000us; };
  double worked = machine.pass(3s, true, slow);
  CHECK(worked > 0);
  CHECK(worked < 0.15);
  machine.pass(10s, true, calm);
  CHECK(machine.pass(5s, true, calm) > 0.9);
}

TEST_CASE("what stays slow though replays hardly work is taken for the way it is now") {
  Machine machine;
  machine.pass(5s, false, calm);
  auto slower = [](bool) { return 3'000us; };
  machine.pass(30s, true, slower);
  CHECK(machine.pass(5s, true, slower) > 0.5);
}

TEST_CASE("where nothing is live a replay works all the time") {
  HandClock clock;
  ReplayPace pace(clock);
  for (int i = 0; i < 100'000; ++i) {
    clock.now += 1ms;
    clock.now += pace.rest_after(1ms);
  }
  CHECK(pace.share() == doctest::Approx(1));
  CHECK(pace.rest_after(1s) == 0ns);
}

TEST_CASE("rests that are too short for a timer are taken together") {
  HandClock clock;
  StepGate gate(clock, 0);
  gate.rest(1ms);
  CHECK_FALSE(gate.rate_wait());
  gate.rest(1'500us);
  CHECK(gate.rate_wait() == 2'500us);
  clock.now += 2'500us;
  CHECK_FALSE(gate.rate_wait());
}

TEST_CASE("an epoch of who gives way waits for more, though it has output") {
  for (bool gives_way : {false, true}) {
    CAPTURE(gives_way);
    PendingEpoch pending(gives_way);
    std::vector<stream::OutputBatch> output(1);
    output[0].bytes.resize(100);
    pending.add({}, 0, std::move(output), 1s);
    CHECK(pending.due_at() == (gives_way ? 1'500ms : 1'000ms));
    pending.close();
    CHECK(pending.due_at() == 1'000ms);
  }
}

TEST_SUITE_END();
