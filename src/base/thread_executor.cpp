#include "base/thread_executor.h"

#include <pthread.h>

namespace leat {

ThreadExecutor::ThreadExecutor(const std::string& name) : thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

ThreadExecutor::~ThreadExecutor() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ThreadExecutor::post(Work work) {
  // Notified under the lock: once it is free the work may run, and end the executor.
  std::lock_guard lock(mutex_);
  queue_.push_back({0, std::move(work)});
  wake_.notify_one();
}

Executor::TimerId ThreadExecutor::after(std::chrono::nanoseconds delay, Work work) {
  // Notified under the lock, as above.
  std::lock_guard lock(mutex_);
  TimerId timer = ++last_timer_;
  Deadline deadline = std::chrono::steady_clock::now() + delay;
  timers_.emplace(std::pair(deadline, timer), std::move(work));
  deadlines_.emplace(timer, deadline);
  wake_.notify_one();
  return timer;
}

void ThreadExecutor::cancel(TimerId timer) {
  Work dropped;  // destroyed after the lock is released: its destructor may call us
  std::lock_guard lock(mutex_);
  if (auto due = due_.find(timer); due != due_.end()) {
    dropped = std::move(due->second);
    due_.erase(due);
  }
  auto found = deadlines_.find(timer);
  if (found == deadlines_.end()) return;
  auto entry = timers_.find(std::pair(found->second, timer));
  dropped = std::move(entry->second);
  timers_.erase(entry);
  deadlines_.erase(found);
}

void ThreadExecutor::take_due_timers() {
  auto now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    TimerId timer = timers_.begin()->first.second;
    deadlines_.erase(timer);
    due_.emplace(timer, std::move(timers_.begin()->second));
    queue_.push_back({timer});
    timers_.erase(timers_.begin());
  }
}

Work ThreadExecutor::take_first() {
  Queued first = std::move(queue_.front());
  queue_.pop_front();
  if (first.timer == 0) return std::move(first.work);
  auto due = due_.find(first.timer);
  if (due == due_.end()) return nullptr;
  Work work = std::move(due->second);
  due_.erase(due);
  return work;
}

void ThreadExecutor::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    take_due_timers();
    if (!queue_.empty()) {
      Work work = take_first();
      if (!work) continue;
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    } else if (stopping_) {
      return;
    } else if (timers_.empty()) {
      wake_.wait(lock);
    } else {
      auto next = timers_.begin()->first.first;
      wake_.wait_until(lock, next);
    }
  }
}

}  // namespace leat
