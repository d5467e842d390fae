#include "base/sim_executor.h"

#include <algorithm>

namespace leat {

Executor::TimerId SimExecutor::after(std::chrono::nanoseconds delay, Work work) {
  TimerId timer = ++last_timer_;
  auto due = now_ + std::max(delay, std::chrono::nanoseconds(0));
  work_.emplace(std::pair(due, timer), std::move(work));
  due_.emplace(timer, due);
  return timer;
}

void SimExecutor::cancel(TimerId timer) {
  auto found = due_.find(timer);
  if (found == due_.end()) return;
  auto entry = work_.find(std::pair(found->second, timer));
  Work dropped = std::move(entry->second);
  work_.erase(entry);
  due_.erase(found);
}

bool SimExecutor::run_one() {
  if (work_.empty()) return false;
  auto first = work_.begin();
  now_ = std::max(now_, first->first.first);
  Work work = std::move(first->second);
  due_.erase(first->first.second);
  work_.erase(first);
  work();
  return true;
}

void SimExecutor::run_for(std::chrono::nanoseconds duration) {
  auto end = now_ + duration;
  while (!work_.empty() && work_.begin()->first.first <= end) run_one();
  now_ = end;
}

void SimExecutor::drop_all() {
  auto dropped = std::move(work_);
  work_.clear();
  due_.clear();
}

void SimThread::post(Work work) {
  constexpr std::int64_t longest_us = 50;
  std::chrono::nanoseconds now = machine_.monotonic();
  std::chrono::nanoseconds wakes = now + std::chrono::microseconds(random_.between(0, longest_us));
  last_ = std::max(last_, wakes);
  machine_.after(last_ - now, std::move(work));
}

}  // namespace leat
