// Refuses appends before the disk is full.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "log/context.h"

namespace leat::log {

/// Asks the file system now and then how much room is left, no more often than matters.
/// Thread-safe.
class SpaceWatch {
 public:
  explicit SpaceWatch(StoreContext& context) : context_(context) {}

  /// Whether an append of `bytes` finds too little room.
  bool refuses(std::uint64_t bytes);

 private:
  /// REQUIRES: mutex_ is held.
  void ask();

  StoreContext& context_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::optional<std::chrono::nanoseconds> asked_;
  std::uint64_t taken_ = 0;  // since then
  bool is_low_ = false;
};

}  // namespace leat::log
