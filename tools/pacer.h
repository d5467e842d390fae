// Holds records back until they are due.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tools/interrupt.h"
#include "tools/pace.h"
#include "tools/progress.h"
#include "tools/record_target.h"

namespace leat::tools {

/// Begins to count when it is made. Not thread-safe.
class Pacer {
 public:
  Pacer(Pace pace, RecordTarget& target, Progress& progress, const Interrupt& interrupt)
      : pace_(pace), target_(target), progress_(progress), interrupt_(interrupt) {}

  /// Waits until a record of that time is due, and lets what was put before go out if that takes a
  /// while. Shows `text` now and then. False when it was interrupted: the record is not due then.
  bool wait(std::optional<std::int64_t> time_ms, const std::function<std::string()>& text);

 private:
  using Clock = std::chrono::steady_clock;
  void wait_until(Pace::Duration due, const std::function<std::string()>& text);

  Pace pace_;
  RecordTarget& target_;
  Progress& progress_;
  const Interrupt& interrupt_;
  Clock::time_point started_ = Clock::now();
  Pace::Duration now_{0};
  std::uint64_t records_ = 0;
};

}  // namespace leat::tools
