// A simulated Executor and Clock: time moves only when nothing is left to do now, and the order of
// work posted from "other threads" is drawn from a seed.
#pragma once

#include <map>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"

namespace leat {

/// One thread only. Work posted runs in order; what a device would complete later goes through
/// `after` with a delay drawn by whoever simulates the device.
class SimExecutor final : public Executor, public Clock {
 public:
  explicit SimExecutor(std::int64_t start_wall_ms = 1'700'000'000'000)
      : start_wall_ms_(start_wall_ms) {}

  void post(Work work) override { after(std::chrono::nanoseconds(0), std::move(work)); }
  TimerId after(std::chrono::nanoseconds delay, Work work) override;
  void cancel(TimerId timer) override;

  std::int64_t wall_ms() const override {
    return start_wall_ms_ + std::chrono::duration_cast<std::chrono::milliseconds>(now_).count();
  }
  std::chrono::nanoseconds monotonic() const override { return now_; }

  /// Runs the next piece of work, moving the clock to it. False when there is none.
  bool run_one();
  /// Runs until nothing is left that is due within `duration`, and moves the clock by it.
  void run_for(std::chrono::nanoseconds duration);
  /// Runs until no work is left. Endless when work keeps setting timers.
  void run_until_idle() {
    while (run_one()) {
    }
  }
  /// Drops everything not yet run, as a crash does.
  void drop_all();
  bool idle() const { return work_.empty(); }

 private:
  std::int64_t start_wall_ms_;
  std::chrono::nanoseconds now_{0};
  // By due time, then in the order given: TimerIds only grow.
  std::map<std::pair<std::chrono::nanoseconds, TimerId>, Work> work_;
  std::map<TimerId, std::chrono::nanoseconds> due_;
  TimerId last_timer_ = 0;
};

/// Another thread of the simulated machine: what is posted to it runs in order, in between what its
/// other threads do, as a seed draws. The machine outlives it.
class SimThread final : public Executor {
 public:
  SimThread(SimExecutor& machine, std::uint64_t seed) : machine_(machine), random_(seed) {}

  void post(Work work) override;
  TimerId after(std::chrono::nanoseconds delay, Work work) override {
    return machine_.after(delay, std::move(work));
  }
  void cancel(TimerId timer) override { machine_.cancel(timer); }

 private:
  SimExecutor& machine_;
  Random random_;
  std::chrono::nanoseconds last_{0};  // when what was posted last runs
};

}  // namespace leat
