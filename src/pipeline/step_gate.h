// When the next step may be done.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace leat::pipeline {

/// Keeps to a rate of rows, to rests, and to the triggers of micro-batches, which are at whole
/// multiples of their interval by the wall's clock. For one thread.
class StepGate {
 public:
  /// `trigger_ms` is 0 if there are no triggers.
  StepGate(const Clock& clock, std::int64_t trigger_ms) : clock_(clock), trigger_ms_(trigger_ms) {}

  /// 0 for any rate.
  void set_rows_per_s(double rows_per_s) {
    rows_per_s_ = rows_per_s;
    free_at_ = {};
  }
  /// How many rows a step should have, so that waiting behind it is no long pause.
  std::size_t step_rows() const {
    constexpr std::size_t any = std::size_t{1} << 30;
    constexpr double steps_per_s = 20;
    bool limited = rows_per_s_ > 0 && rows_per_s_ / steps_per_s < static_cast<double>(any);
    return limited ? static_cast<std::size_t>(rows_per_s_ / steps_per_s) : any;
  }
  bool has_triggers() const { return trigger_ms_ > 0; }

  /// How long the next step has to wait for the rate, and for rests; nothing if it need not.
  std::optional<std::chrono::nanoseconds> rate_wait() const {
    auto now = clock_.monotonic();
    if (now >= free_at_) return {};
    return free_at_ - now;
  }
  /// How long until the next trigger; nothing if it is now. REQUIRES: has_triggers().
  std::optional<std::chrono::nanoseconds> trigger_wait() const {
    std::int64_t left_ms = next_trigger_ms_ - clock_.wall_ms();
    // A clock that was set back keeps nobody waiting.
    if (left_ms <= 0 || left_ms > trigger_ms_) return {};
    return std::chrono::milliseconds(left_ms);
  }

  /// Has the next step wait so long, or a later one if that is little.
  void rest(std::chrono::nanoseconds time) {
    constexpr std::chrono::milliseconds worth_a_timer{2};
    owed_ += time;
    if (owed_ < worth_a_timer) return;
    free_at_ = std::max(free_at_, clock_.monotonic()) + owed_;
    owed_ = {};
  }
  /// A step was done.
  void stepped(std::uint64_t rows) {
    if (rows_per_s_ > 0) {
      std::chrono::duration<double> takes(static_cast<double>(rows) / rows_per_s_);
      free_at_ = std::max(free_at_, clock_.monotonic()) +
                 std::chrono::duration_cast<std::chrono::nanoseconds>(takes);
    }
  }
  /// What was there at a trigger was consumed.
  void triggered() {
    std::int64_t now_ms = clock_.wall_ms();
    next_trigger_ms_ = now_ms - now_ms % trigger_ms_ + trigger_ms_;
  }

 private:
  const Clock& clock_;
  const std::int64_t trigger_ms_;
  double rows_per_s_ = 0;
  std::chrono::nanoseconds free_at_{0};
  std::chrono::nanoseconds owed_{0};
  std::int64_t next_trigger_ms_ = 0;
};

}  // namespace leat::pipeline
