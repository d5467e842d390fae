// Which partition's rows a worker takes next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace leat::stream {

/// The inputs of a task that have a block of rows, by the event time of its first row: workers take
/// the least and put it back with its next block. Ends when it has given out so many blocks, or as
/// soon as a worker finds none that begins before the horizon: no input runs far ahead of another,
/// and no worker waits for long. Thread-safe.
class BlockQueue {
 public:
  BlockQueue(std::int64_t horizon_ms, std::size_t blocks_max)
      : horizon_ms_(horizon_ms), blocks_left_(blocks_max) {}

  void put(std::int64_t event_time_ms, std::size_t input) {
    std::lock_guard lock(mutex_);
    heads_.emplace(event_time_ms, input);
  }
  /// Nothing at the end.
  std::optional<std::size_t> take() {
    std::lock_guard lock(mutex_);
    if (heads_.empty() || heads_.top().first > horizon_ms_) blocks_left_ = 0;
    if (blocks_left_ == 0) return {};
    --blocks_left_;
    std::size_t input = heads_.top().second;
    heads_.pop();
    return input;
  }
  void end() {
    std::lock_guard lock(mutex_);
    blocks_left_ = 0;
  }

 private:
  using Head = std::pair<std::int64_t, std::size_t>;
  const std::int64_t horizon_ms_;
  std::mutex mutex_;
  std::size_t blocks_left_;                                             // guarded by mutex_
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads_;  // guarded by mutex_
};

}  // namespace leat::stream
