// Tells of event time that stands still.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tools/foreground_run.h"

namespace leat::tools {

/// Watches one live run. Event time that waits for a partition while others are ahead of it may do
/// so for ever, and nothing comes out meanwhile: that is worth a line, one for each partition that
/// it comes to wait for. Not thread-safe.
class StallWatch {
 public:
  /// How long it stands still before that is told.
  static constexpr std::chrono::seconds patience{5};

  /// What to tell, if anything. `now` never goes back.
  std::optional<std::string> look(const RunFigures& figures, std::chrono::nanoseconds now) {
    bool moves = figures.watermark != watermark_ || figures.held_back_by != held_back_by_;
    if (moves) {
      watermark_ = figures.watermark;
      held_back_by_ = figures.held_back_by;
      since_ = now;
    }
    bool stands = since_ && !held_back_by_.empty() && now - *since_ >= patience;
    if (!stands || held_back_by_ == told_) return {};
    told_ = held_back_by_;
    return figures.event_time;
  }

 private:
  operators::Watermark watermark_ = operators::watermark_min;
  std::string held_back_by_;
  std::optional<std::chrono::nanoseconds> since_;
  std::string told_;
};

}  // namespace leat::tools
