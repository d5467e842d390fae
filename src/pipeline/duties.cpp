#include "pipeline/duties.h"

#include <algorithm>

namespace leat::pipeline {

bool Duties::is_due(const std::string& duty, Time now) {
  auto found = waiting_.find(duty);
  if (found == waiting_.end()) return true;
  found->second.is_asked_for = true;
  return now >= found->second.due;
}

bool Duties::failed(const std::string& duty, const Error& error, Time now) {
  Waiting& waiting = waiting_[duty];
  const auto& before = waiting.failures.error();
  bool is_news = !before || before->code != error.code || before->what != error.what;
  // Nobody else would ever do it, so it is tried however often it fails.
  Time delay = waiting.failures.failed(error, Time(0)).value_or(Failures::last_delay);
  waiting.due = now + delay;
  waiting.is_asked_for = true;
  return is_news;
}

void Duties::forget_unasked(Time now) {
  std::erase_if(waiting_, [now](const auto& entry) {
    return now >= entry.second.due && !entry.second.is_asked_for;
  });
  for (auto& [duty, waiting] : waiting_) waiting.is_asked_for = false;
}

void Duties::try_all_now() {
  for (auto& [duty, waiting] : waiting_) waiting.due = Time(0);
}

std::optional<Duties::Time> Duties::next_due() const {
  std::optional<Time> next;
  for (const auto& [duty, waiting] : waiting_) {
    next = std::min(next.value_or(waiting.due), waiting.due);
  }
  return next;
}

std::vector<HeldUp> Duties::held_up(Time now, std::int64_t wall_ms) const {
  std::vector<HeldUp> all;
  for (const auto& [duty, waiting] : waiting_) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(waiting.due - now);
    all.push_back({duty, waiting.failures.count(), *waiting.failures.error(),
                   wall_ms + std::max<std::int64_t>(0, left.count())});
  }
  return all;
}

}  // namespace leat::pipeline
