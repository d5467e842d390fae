#include "pipeline/keeper.h"

#include <utility>

#include "base/assert.h"
#include "base/logging.h"

namespace leat::pipeline {

Keeper::Keeper(const Environment& environment, std::function<void()> changed)
    : environment_(environment), changed_(std::move(changed)) {}

Keeper::~Keeper() {
  cancel_timer();
}

void Keeper::start(VersionRun::Options options) {
  options_ = std::move(options);
  failures_.forget();
  cancel_timer();
  if (stopping_) {
    start_again_ = true;
    return;
  }
  ASSERT(!run_);
  launch();
}

void Keeper::launch() {
  VersionRun::Options options = options_;
  // A state that was handed over is one of now.
  options_.carried.reset();
  options.on_state = [changed = later([this] { look(); })](RunState) {
    auto tell = changed;
    tell();
  };
  works_since_ = std::chrono::nanoseconds(0);
  run_ = environment_.start(std::move(options));
  set(State::at_work);
}

void Keeper::look() {
  if (!run_ || stopping_) {
    if (run_) changed_();
    return;
  }
  VersionStatus status = run_->status();
  switch (status.state) {
    case RunState::running:
      if (works_since_.count() == 0) works_since_ = environment_.clock.monotonic();
      break;
    case RunState::failed: return fail(status);
    case RunState::finished:
      last_status_ = std::move(status);
      look_at_views();
      run_.reset();
      return set(State::finished);
    case RunState::recovering:
    case RunState::paused:
    case RunState::stopped: break;
  }
  changed_();
}

void Keeper::fail(const VersionStatus& status) {
  Error error = status.error.value_or(Error{Errc::storage_error, "it ended without a reason"});
  last_status_ = status;
  look_at_views();
  run_.reset();
  auto now = environment_.clock.monotonic();
  auto worked = works_since_.count() == 0 ? std::chrono::nanoseconds(0) : now - works_since_;
  last_error_ = error;
  last_error_ms_ = environment_.clock.wall_ms();
  auto delay = failures_.failed(error, worked);
  log_warning("pipeline {} version {}: {}{}", options_.pipeline, options_.version, error.what,
              delay ? "" : "; it fails so again and again, and is not tried any more");
  if (!delay) return set(State::given_up);
  due_ = now + *delay;
  timer_ = environment_.executor.after(*delay, [this] {
    timer_ = 0;
    ++restarts_;
    launch();
  });
  set(State::waiting);
}

void Keeper::change(VersionRun::Options options) {
  options_ = std::move(options);
  if (!run_ || stopping_) return;
  run_->hand_over(later([this](Result<HandedOver> handed) {
    if (!run_ || stopping_) return;
    last_status_ = run_->status();
    look_at_views();
    run_.reset();
    if (handed) options_.carried = std::move(*handed);
    launch();
  }));
}

void Keeper::stop(Done done) {
  cancel_timer();
  start_again_ = false;
  if (!run_) {
    set(State::off);
    environment_.executor.post(
        [alive = std::weak_ptr<char>(alive_), done = std::move(done)]() mutable {
          if (!alive.expired()) done();
        });
    return;
  }
  stop_done_.push_back(std::move(done));
  if (std::exchange(stopping_, true)) return;
  run_->stop(later([this](const Result<void>&) { end_run(); }));
}

void Keeper::end_run() {
  last_status_ = run_->status();
  look_at_views();
  run_.reset();
  stopping_ = false;
  bool starts = std::exchange(start_again_, false);
  auto waiting = std::exchange(stop_done_, {});
  if (starts) {
    launch();
  } else {
    set(State::off);
  }
  for (Done& done : waiting) done();
}

void Keeper::try_again() {
  failures_.forget();
  if (state_ != State::waiting && state_ != State::given_up) return;
  cancel_timer();
  ++restarts_;
  launch();
}

std::optional<VersionStatus> Keeper::status() const {
  return run_ ? run_->status() : last_status_;
}

std::optional<std::int64_t> Keeper::next_try_ms() const {
  if (state_ != State::waiting) return std::nullopt;
  auto left = due_ - environment_.clock.monotonic();
  return environment_.clock.wall_ms() +
         std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
}

void Keeper::look_at_views() {
  if (!run_) return;
  auto shown = run_->views();
  if (!shown.empty()) views_ = std::move(shown);
}

void Keeper::set(State state) {
  state_ = state;
  changed_();
}

void Keeper::cancel_timer() {
  if (timer_ != 0) environment_.executor.cancel(std::exchange(timer_, 0));
}

}  // namespace leat::pipeline
