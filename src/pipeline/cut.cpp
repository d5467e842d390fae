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

}  // namespace

Cut::Cut(Executor& executor, std::shared_ptr<Run> live, std::shared_ptr<Run> other)
    : executor_(executor), live_(std::move(live)), other_(std::move(other)) {}

Cut::~Cut() {
  if (timer_ != 0) executor_.cancel(timer_);
}

// Both are asked to pause, then to come to the same place.
void Cut::begin(std::chrono::nanoseconds patience, Done done) {
  done_ = std::move(done);
  timer_ = executor_.after(patience, [this] {
    timer_ = 0;
    end(fail(Errc::request_timed_out, "the versions did not come to the same place"));
  });
  left_ = 2;
  live_->pause(step(&Cut::meet));
  other_->pause(step(&Cut::meet));
}

void Cut::cancel() {
  end(fail(Errc::cancelled, "the cut was given up"));
}

void Cut::resume() {
  live_->resume();
  other_->resume();
}

/// Goes on with `next` when all that were asked have answered.
Run::Done Cut::step(void (Cut::*next)()) {
  // It does not keep this, which keeps the run that has it.
  return [this, executor = &executor_, alive = std::weak_ptr<char>(alive_),
          next](Result<void> outcome) {
    executor->post([this, alive, next, outcome = std::move(outcome)] {
      if (alive.expired() || !done_) return;
      if (!outcome) return end(fail(outcome));
      if (--left_ == 0) (this->*next)();
    });
  };
}

void Cut::meet() {
  Positions live = live_->positions();
  Positions other = other_->positions();
  meeting_ = later_of(live, other);
  left_ = 2;
  go(*live_, live);
  go(*other_, other);
}

// Asked even where it stands there already: it may not be able to stop there.
void Cut::go(Run& run, const Positions& from) {
  run.run_to(of_names(meeting_, from), step(&Cut::arrive));
}

void Cut::arrive() {
  end(std::move(meeting_));
}

void Cut::end(Result<Positions> outcome) {
  if (!done_) return;
  if (timer_ != 0) executor_.cancel(std::exchange(timer_, 0));
  if (!outcome) resume();
  Done done = std::exchange(done_, nullptr);
  done(std::move(outcome));
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
