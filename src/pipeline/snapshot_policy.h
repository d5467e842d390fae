// When a snapshot is worth what it costs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace leat::pipeline {

/// A start repeats what was read behind the last snapshot, so a snapshot pays when repeating that
/// costs some times as much as writing what is kept; of little it is written after a while, so that
/// a start is quick where that costs nothing. The run stands still while one is taken, which
/// readers of its output feel: that may be a small part of the time, a larger one while it is far
/// behind. Not thread-safe.
class SnapshotPolicy {
 public:
  /// Bytes were read and steps done.
  void add(std::uint64_t bytes_read, std::uint64_t steps) {
    // A step costs about as much as reading so much.
    constexpr std::uint64_t step_bytes = 16 << 10;
    cost_bytes_ += bytes_read + steps * step_bytes;
  }
  /// All that there was had been read.
  void caught_up() { caught_up_ = true; }
  /// One was written, or is what the run began with.
  void written(std::uint64_t bytes, std::chrono::nanoseconds now) {
    snapshot_bytes_ = bytes;
    written_at_ = now;
  }
  /// One is taken, which took so long: what comes from now on is behind it.
  void taken(std::chrono::nanoseconds now, std::chrono::nanoseconds took) {
    cost_bytes_ = 0;
    caught_up_ = false;
    took_ = took;
    taken_at_ = written_at_ = now;
  }

  bool due(std::chrono::nanoseconds now) const {
    using namespace std::chrono_literals;
    constexpr std::uint64_t least_bytes = 32 << 20;
    constexpr std::uint64_t times = 4;
    if (disturbs(now)) return false;
    auto since = now - written_at_;
    if (cost_bytes_ >= std::max(least_bytes, times * snapshot_bytes_)) return true;
    if (since >= 30s && cost_bytes_ >= std::max<std::uint64_t>(snapshot_bytes_ / times, 1)) {
      return true;
    }
    return since >= 10min && cost_bytes_ > 0;
  }
  /// Whether one makes the next start shorter than it makes this end longer.
  bool pays_at_end() const { return cost_bytes_ > 0 && cost_bytes_ >= snapshot_bytes_; }

 private:
  // Who keeps up with what arrives can repeat that in less time than it took. Who does not is
  // waited for by nobody.
  bool disturbs(std::chrono::nanoseconds now) const {
    return now - taken_at_ < took_ * (caught_up_ ? 500 : 20);
  }

  std::uint64_t cost_bytes_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
  std::chrono::nanoseconds written_at_{0};
  std::chrono::nanoseconds taken_at_{0};
  std::chrono::nanoseconds took_{0};
  bool caught_up_ = false;
};

}  // namespace leat::pipeline
