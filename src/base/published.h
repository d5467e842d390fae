// A value that one thread replaces and any thread reads.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace leat {

/// Holds an immutable T. Thread-safe: whoever loads keeps what there was, whatever is stored
/// meanwhile. As std::atomic<std::shared_ptr>, whose load() lets go of its lock without ordering
/// what it has read before (g++ 12), so that a store may overtake it.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> value = nullptr) : value_(std::move(value)) {}

  std::shared_ptr<const T> load() const {
    std::lock_guard lock(mutex_);
    return value_;
  }
  void store(std::shared_ptr<const T> value) {
    std::lock_guard lock(mutex_);
    value_.swap(value);
    // What was there ends behind the lock, with the argument.
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;  // guarded by mutex_
};

}  // namespace leat
