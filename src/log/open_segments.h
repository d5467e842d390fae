// Bounds how many segments hold a descriptor, so that connections always find some left.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

namespace leat::log {

class Segment;

/// Thread-safe. Knows the segments that have their file open, and has those let go of it that were
/// not used since it last came by.
class OpenSegments {
 public:
  explicit OpenSegments(std::size_t max) : max_(max) {}

  /// `segment` has opened its file. REQUIRES: it holds no lock of its own.
  void opened(std::weak_ptr<const Segment> segment);

 private:
  std::size_t max_;
  std::mutex mutex_;
  std::deque<std::weak_ptr<const Segment>> ring_;  // guarded by mutex_
};

}  // namespace leat::log
