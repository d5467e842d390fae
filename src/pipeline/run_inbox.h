// What other threads have for a run.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "base/executor.h"

namespace leat::pipeline {

/// Has a run take turns on its executor: one that is asked for while one is waiting is the same.
/// Outlives the run in the hands of those who may still wake it, and does nothing then.
/// Thread-safe.
template <class Run>
class RunInbox : public std::enable_shared_from_this<RunInbox<Run>> {
 public:
  RunInbox(Executor& executor, Run& run) : executor_(&executor), run_(&run) {}

  /// Has the run take a turn soon.
  void wake() {
    std::lock_guard lock(mutex_);
    if (executor_ == nullptr || std::exchange(woken_, true)) return;
    executor_->post([self = this->shared_from_this()] { self->take_turn(); });
  }
  /// Has `work`, which takes the run, done on its executor; drops it if the run has gone.
  template <class Order>
  void post(Order order) {
    std::lock_guard lock(mutex_);
    if (executor_ == nullptr) return;
    executor_->post([self = this->shared_from_this(), order = std::move(order)]() mutable {
      if (Run* run = self->run()) order(*run);
    });
  }
  /// The run goes. On its executor, or when that runs no more.
  void close() {
    std::lock_guard lock(mutex_);
    executor_ = nullptr;
    run_ = nullptr;
  }

 private:
  void take_turn() {
    Run* run = nullptr;
    {
      std::lock_guard lock(mutex_);
      woken_ = false;
      run = run_;
    }
    if (run != nullptr) run->take_turn();
  }
  Run* run() {
    std::lock_guard lock(mutex_);
    return run_;
  }

  std::mutex mutex_;
  // Guarded by mutex_:
  Executor* executor_;
  Run* run_;
  bool woken_ = false;
};

}  // namespace leat::pipeline
