#include "log/space_watch.h"

#include "base/logging.h"

namespace leat::log {

bool SpaceWatch::refuses(std::uint64_t bytes) {
  std::uint64_t least = context_.options.free_bytes_min;
  if (least == 0) return false;
  constexpr std::chrono::seconds interval{1};
  std::lock_guard lock(mutex_);
  bool is_old = !asked_ || context_.clock.monotonic() - *asked_ >= interval;
  // What was taken is written twice, journal and segment.
  if (is_old || taken_ > least / 16) ask();
  if (!is_low_) taken_ += bytes;
  return is_low_;
}

void SpaceWatch::ask() {
  asked_ = context_.clock.monotonic();
  taken_ = 0;
  Result<std::uint64_t> free = context_.files.free_bytes(context_.layout.root());
  if (!free) return;  // whoever cannot say it may still have room
  context_.metrics.free_bytes.set(static_cast<std::int64_t>(*free));
  bool is_low = *free < context_.options.free_bytes_min;
  if (is_low == is_low_) return;
  is_low_ = is_low;
  context_.metrics.is_space_low.set(is_low ? 1 : 0);
  if (is_low) {
    log_error("{}: only {} MiB are left on the disk, less than {}: no appends until there is room",
              context_.layout.root(), *free >> 20, context_.options.free_bytes_min >> 20);
  } else {
    log_info("{}: the disk has {} MiB left: appends are taken again", context_.layout.root(),
             *free >> 20);
  }
}

}  // namespace leat::log
