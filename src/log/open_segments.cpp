#include "log/open_segments.h"

#include <vector>

#include "log/segment.h"

namespace leat::log {

void OpenSegments::opened(std::weak_ptr<const Segment> segment) {
  std::vector<std::shared_ptr<const Segment>> idle;
  {
    std::lock_guard lock(mutex_);
    ring_.push_back(std::move(segment));
    // Whoever was used since is looked at once more.
    for (std::size_t looks = 2 * ring_.size(); ring_.size() > max_ && looks > 0; --looks) {
      std::shared_ptr<const Segment> oldest = ring_.front().lock();
      if (oldest && oldest->take_used()) {
        ring_.push_back(ring_.front());
      } else if (oldest) {
        idle.push_back(std::move(oldest));
      }
      ring_.pop_front();
    }
  }
  for (const auto& each : idle) each->close_file();
}

}  // namespace leat::log
