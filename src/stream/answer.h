// A result that one thread gives and another waits for.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/result.h"

namespace leat::stream {

/// Thread-safe. Copies share one result; it may be given when whoever waited has gone.
template <class T>
class Answer {
 public:
  void give(Result<T> result) {
    std::lock_guard lock(shared_->mutex);
    shared_->result = std::move(result);
    shared_->given.notify_all();
  }
  /// `pump`, if it is not null, does what the other thread would do, some of it at a time, and says
  /// whether there was anything: Errc::cancelled if there is nothing and no result.
  Result<T> wait(const std::function<bool()>& pump) {
    std::unique_lock lock(shared_->mutex);
    while (pump && !shared_->result) {
      lock.unlock();
      bool pumped = pump();
      lock.lock();
      if (!pumped && !shared_->result) return fail(Errc::cancelled, "nobody answers any more");
    }
    shared_->given.wait(lock, [&] { return shared_->result.has_value(); });
    return std::move(*shared_->result);
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable given;
    std::optional<Result<T>> result;  // guarded by mutex
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace leat::stream
