#include "net/asio_executor.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace leat::net {

void AsioExecutor::post(Work work) {
  if (held_.load(std::memory_order_acquire)) {
    std::lock_guard lock(mutex_);
    if (held_.load(std::memory_order_relaxed)) {
      waiting_.push_back(std::move(work));
      return;
    }
  }
  boost::asio::post(io_, std::move(work));
}

Executor::TimerId AsioExecutor::after(std::chrono::nanoseconds delay, Work work) {
  std::lock_guard lock(mutex_);
  TimerId id = ++last_timer_;
  auto [at, added] =
      timers_.try_emplace(id, Timer{boost::asio::steady_timer(io_, delay), std::move(work)});
  at->second.timer.async_wait([this, id](const boost::system::error_code&) { fire(id); });
  return id;
}

void AsioExecutor::cancel(TimerId timer) {
  decltype(timers_)::node_type dropped;  // destroyed behind the lock: its work may call us then
  std::lock_guard lock(mutex_);
  dropped = timers_.extract(timer);
}

void AsioExecutor::fire(TimerId id) {
  Work work;
  {
    // A timer that is no longer there was cancelled after its wait had ended.
    std::lock_guard lock(mutex_);
    auto at = timers_.find(id);
    if (at == timers_.end()) return;
    work = std::move(at->second.work);
    timers_.erase(at);
    if (held_.load(std::memory_order_relaxed)) {
      waiting_.push_back(std::move(work));
      return;
    }
  }
  work();
}

void AsioExecutor::release() {
  {
    std::lock_guard lock(mutex_);
    // Posted under the lock, so that later work cannot overtake it.
    for (Work& work : waiting_) boost::asio::post(io_, std::move(work));
    waiting_.clear();
    held_.store(false, std::memory_order_release);
  }
}

}  // namespace leat::net
