// When a snapshot is worth what it costs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace leat::pipeline {

/// A start repeats what was read behind the last snapshot, so a snapshot pays when repeating that
/// costs some times as much as writing what is kept; of little it is written after a while, so that
/// a start is quick where that costs nothing. Not thread-safe.
class SnapshotPolicy {
 public:
  /// Bytes were read and steps done.
  void add(std::uint64_t bytes_read, std::uint64_t steps) {
    // A step costs about as much as reading so much.
    constexpr std::uint64_t step_bytes = 16 << 10;
    cost_bytes_ += bytes_read + steps * step_bytes;
  }
  /// One was written, or is what the run began with.
  void written(std::uint64_t bytes, std::chrono::nanoseconds now) {
    snapshot_bytes_ = bytes;
    written_at_ = now;
  }
  /// One is taken: what comes from now on is behind it.
  void taken(std::chrono::nanoseconds now) {
    cost_bytes_ = 0;
    written_at_ = now;
  }

  bool due(std::chrono::nanoseconds now) const {
    using namespace std::chrono_literals;
    constexpr std::uint64_t least_bytes = 32 << 20;
    constexpr std::uint64_t times = 4;
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
  std::uint64_t cost_bytes_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
  std::chrono::nanoseconds written_at_{0};
};

}  // namespace leat::pipeline
