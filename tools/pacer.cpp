#include "tools/pacer.h"

#include <poll.h>

#include <algorithm>

namespace leat::tools {

bool Pacer::wait(std::optional<std::int64_t> time_ms, const std::function<std::string()>& text) {
  // The clock is looked at now and then only: it costs as much as a record.
  constexpr std::uint64_t stride = 256;
  if (records_++ % stride == 0) {
    now_ = Clock::now() - started_;
    progress_.show(text);
  }
  auto due = pace_.due(time_ms, now_);
  if (due > now_) {
    wait_until(due, text);
    now_ = Clock::now() - started_;
  }
  return !interrupt_.requested();
}

void Pacer::wait_until(Pace::Duration due, const std::function<std::string()>& text) {
  using std::chrono::milliseconds;
  constexpr milliseconds look{200};
  bool is_paused = false;
  while (!interrupt_.requested()) {
    // Rounded down: a record may be a millisecond early, and many need not be waited for each.
    auto left = std::chrono::duration_cast<milliseconds>(due - (Clock::now() - started_));
    if (left <= milliseconds(0)) return;
    if (!is_paused) target_.pause();
    is_paused = true;
    progress_.show(text);
    pollfd wake{interrupt_.wake_fd(), POLLIN, 0};
    ::poll(&wake, 1, static_cast<int>(std::min(left, look).count()));
  }
}

}  // namespace leat::tools
