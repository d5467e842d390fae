// Reads what is finished and sealed again, slowly, so that damage is found while a copy of the data
// may still exist somewhere.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "log/context.h"
#include "log/segment.h"

namespace leat::log {

/// Goes over all sealed segments once a day, a piece at a time, at the rate that the options give.
/// What fails its CRC becomes damage, as if a reader had found it; what its seal does not describe
/// is reported. Belongs to the store's executor; reads where it may block.
class Scrubber {
 public:
  /// Gives the segments that are sealed now.
  using List = std::function<std::vector<std::shared_ptr<const Segment>>()>;
  Scrubber(StoreContext& context, List list);
  ~Scrubber();

  /// A segment has been sealed: there is something to do.
  void sealed();

 private:
  struct Piece;
  void arm(std::chrono::nanoseconds delay);
  void start_round();
  void next_piece();
  void finished(const Piece& piece);
  void end_round();

  StoreContext& context_;
  List list_;
  std::deque<std::weak_ptr<const Segment>> round_;  // still to do
  std::shared_ptr<Piece> piece_;                    // of the segment that is under way
  std::uint64_t bytes_left_ = 0;
  Executor::TimerId timer_ = 0;
};

}  // namespace leat::log
