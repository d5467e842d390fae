// An Executor of one thread, for programs that embed the log without a network.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/executor.h"

namespace leat {

/// Owns a thread that runs what is posted. Destruction finishes the work already posted, drops
/// timers, and joins the thread.
class ThreadExecutor final : public Executor {
 public:
  /// `name` is what `top -H` shows; at most 15 bytes of it.
  explicit ThreadExecutor(const std::string& name);
  ~ThreadExecutor() override;
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;

  void post(Work work) override;
  TimerId after(std::chrono::nanoseconds delay, Work work) override;
  void cancel(TimerId timer) override;
  /// True on the thread that this executor owns.
  bool is_current() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  void run();
  /// Gives timers that are due their place in the queue. REQUIRES: mutex_ is held.
  void take_due_timers();
  /// The first of the queue; nothing for a timer that was cancelled. REQUIRES: mutex_ is held.
  Work take_first();

  std::mutex mutex_;
  // Guarded by mutex_:
  std::condition_variable wake_;
  struct Queued {
    TimerId timer = 0;  // whose work is in due_; 0: it is here
    Work work{};
  };
  std::deque<Queued> queue_;
  std::map<TimerId, Work> due_;
  std::map<std::pair<Deadline, TimerId>, Work> timers_;
  std::map<TimerId, Deadline> deadlines_;
  TimerId last_timer_ = 0;
  bool stopping_ = false;
  // Started last, when the rest exists.
  std::thread thread_;
};

}  // namespace leat
