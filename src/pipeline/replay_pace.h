// How much of the time replays may work, so that what is live stays quick.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.h"

namespace leat::pipeline {

/// Live runs say how long each epoch took that gave something, and replays how long they worked;
/// these are told how long to rest. While live epochs take much longer than they did without a
/// replay, the replays' share of the time is halved again and again; else it grows little by
/// little, as senders share a network. One for all runs of a process. Thread-safe, and never waits.
class ReplayPace {
 public:
  static constexpr double least_share = 0.02;

  explicit ReplayPace(const Clock& clock) : clock_(clock) {}
  ReplayPace(const ReplayPace&) = delete;
  ReplayPace& operator=(const ReplayPace&) = delete;

  /// An epoch of a live run took so long, from the beginning of its first step until it was
  /// durable.
  void lived(std::chrono::nanoseconds took);
  /// A replay worked so long: how long it has to rest before it goes on.
  std::chrono::nanoseconds rest_after(std::chrono::nanoseconds worked);
  /// Which part of the time replays may work now.
  double share() const;

 private:
  using Time = std::chrono::nanoseconds;

  /// Judges what was said since the last time, if that is enough.
  void judge(Time now);

  const Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  double share_ = 0.2;
  /// How long live epochs take without a replay: nothing until that is known.
  std::optional<double> calm_ns_;
  /// Since the last time:
  Time since_{0};
  double took_ns_ = 0;
  std::uint64_t epochs_ = 0;
  bool replayed_ = false;
};

}  // namespace leat::pipeline
