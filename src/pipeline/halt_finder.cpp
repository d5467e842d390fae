#include "pipeline/halt_finder.h"

#include <utility>

#include <fmt/format.h>

namespace leat::pipeline {

HaltFinder::HaltFinder(Executor& executor, VersionData& data, std::string owner,
                       std::unique_ptr<Run> run)
    : executor_(executor), data_(data), owner_(std::move(owner)), run_(std::move(run)) {}

HaltFinder::~HaltFinder() = default;

void HaltFinder::begin(Done done) {
  done_ = std::move(done);
  if (run_) return run_->pause(then(&HaltFinder::came_to_rest));
  executor_.post([this, alive = std::weak_ptr<char>(alive_)] {
    if (!alive.expired()) look_at_records();
  });
}

void HaltFinder::cancel() {
  is_cancelled_ = true;
  // What it was asked for is answered by that.
  if (run_) run_->stop([](const Result<void>&) {});
}

Run::Done HaltFinder::then(void (HaltFinder::*next)(const Result<void>&)) {
  return [this, executor = &executor_, alive = std::weak_ptr<char>(alive_),
          next](Result<void> outcome) {
    executor->post([this, alive, next, outcome = std::move(outcome)] {
      if (!alive.expired()) (this->*next)(outcome);
    });
  };
}

void HaltFinder::came_to_rest(const Result<void>& paused) {
  stands_ = paused ? Result<Positions>(run_->positions()) : fail(paused);
  // Only a run that has ended may be let go of here.
  run_->stop(then(&HaltFinder::ended));
}

void HaltFinder::ended(const Result<void>&) {
  if (!stands_) return look_at_records();
  end(Halt{std::move(*stands_), {}});
}

void HaltFinder::look_at_records() {
  if (is_cancelled_) return end(fail(Errc::cancelled, "nobody wants to know any more"));
  auto halt = data_.find_halt(owner_);
  if (halt || stands_) return end(std::move(halt));
  end(fail(halt.error().code, fmt::format("{}; its epochs do not say it either: {}",
                                          stands_.error().what, halt.error().what)));
}

void HaltFinder::end(Result<Halt> halt) {
  Done done = std::exchange(done_, nullptr);
  done(std::move(halt));
}

}  // namespace leat::pipeline
