#include "pipeline/cut.h"

#include <algorithm>
#include <utility>

namespace leat::pipeline {

namespace {

const Position* find(const Positions& positions, const Position& wanted) {
  auto found = std::find_if(positions.begin(), positions.end(), [&](const Position& position) {
    return position.name == wanted.name && position.partition == wanted.partition;
  });
  return found == positions.end() ? nullptr : &*found;
}

/// The two steps of a cut: both are asked to pause, then to come to the same place.
class Cut : public std::enable_shared_from_this<Cut> {
 public:
  Cut(Executor& executor, std::shared_ptr<Run> live, std::shared_ptr<Run> other, CutDone done)
      : executor_(executor),
        live_(std::move(live)),
        other_(std::move(other)),
        done_(std::move(done)) {}

  void begin(std::chrono::nanoseconds patience) {
    timer_ = executor_.after(patience, [self = shared_from_this()] {
      self->timer_ = 0;
      self->end(fail(Errc::request_timed_out, "the versions did not come to the same place"));
    });
    left_ = 2;
    live_->pause(step(&Cut::meet));
    other_->pause(step(&Cut::meet));
  }

 private:
  /// Goes on with `next` when all that were asked have answered.
  Run::Done step(void (Cut::*next)()) {
    // Nothing of this may be left with the run: it must not hold itself.
    return [self = shared_from_this(), next](Result<void> outcome) mutable {
      Executor& executor = self->executor_;
      executor.post([self = std::move(self), next, outcome = std::move(outcome)] {
        if (!outcome) self->end(fail(outcome));
        if (self->done_ && --self->left_ == 0) (*self.*next)();
      });
    };
  }

  void meet() {
    Positions live = live_->positions();
    Positions other = other_->positions();
    meeting_ = later_of(live, other);
    left_ = 2;
    go(*live_, live);
    go(*other_, other);
  }

  // Asked even where it stands there already: it may not be able to stop there.
  void go(Run& run, const Positions& from) {
    run.run_to(of_names(meeting_, from), step(&Cut::arrive));
  }

  void arrive() { end(std::move(meeting_)); }

  void end(Result<Positions> outcome) {
    if (!done_) return;
    if (timer_ != 0) executor_.cancel(std::exchange(timer_, 0));
    if (!outcome) {
      live_->resume();
      other_->resume();
    }
    std::exchange(done_, nullptr)(std::move(outcome));
  }

  Executor& executor_;
  std::shared_ptr<Run> live_;
  std::shared_ptr<Run> other_;
  CutDone done_;
  Executor::TimerId timer_ = 0;
  int left_ = 0;
  Positions meeting_;
};

}  // namespace

void cut(Executor& executor, const std::shared_ptr<Run>& live, const std::shared_ptr<Run>& other,
         std::chrono::nanoseconds patience, CutDone done) {
  std::make_shared<Cut>(executor, live, other, std::move(done))->begin(patience);
}

Positions later_of(const Positions& a, const Positions& b) {
  Positions all = a;
  for (Position& position : all) {
    const Position* other = find(b, position);
    if (other != nullptr) position.offset = std::max(position.offset, other->offset);
  }
  for (const Position& position : b) {
    if (find(a, position) == nullptr) all.push_back(position);
  }
  return all;
}

Positions of_names(const Positions& all, const Positions& some) {
  Positions found;
  for (const Position& position : some) {
    const Position* known = find(all, position);
    if (known != nullptr) found.push_back(*known);
  }
  return found;
}

std::int64_t records_between(const Positions& behind, const Positions& ahead) {
  std::int64_t records = 0;
  for (const Position& position : behind) {
    const Position* target = find(ahead, position);
    if (target == nullptr) continue;
    records += std::max<std::int64_t>(0, target->offset - position.offset);
  }
  return records;
}

}  // namespace leat::pipeline
