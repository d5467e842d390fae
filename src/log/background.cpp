#include "log/background.h"

#include <utility>

namespace leat::log {

void Background::run(Work job, Work done) {
  queue_.push_back({std::move(job), std::move(done)});
  if (!running_) next();
}

void Background::remove(Work job, Work done) {
  if (hold_.expired()) {
    run(std::move(job), std::move(done));
  } else {
    held_.push_back({std::move(job), std::move(done)});
  }
}

std::shared_ptr<void> Background::hold_files() {
  if (std::shared_ptr<void> hold = hold_.lock()) return hold;
  auto let_go = [&executor = context_.executor, alive = std::weak_ptr<void>(context_.alive),
                 run_held = context_.guarded([this] { run_held(); })](void*) {
    if (auto lock = alive.lock()) executor.post(run_held);
  };
  std::shared_ptr<void> hold(this, std::move(let_go));
  hold_ = hold;
  return hold;
}

void Background::end_holds() {
  hold_.reset();
  run_held();
}

void Background::run_held() {
  if (!hold_.expired()) return;
  for (Job& job : std::exchange(held_, {})) run(std::move(job.job), std::move(job.done));
}

void Background::next() {
  if (queue_.empty()) {
    if (on_idle_) on_idle_();
    return;
  }
  running_ = true;
  Job job = std::move(queue_.front());
  queue_.pop_front();
  done_ = std::move(job.done);
  context_.files.offload(std::move(job.job), context_.executor,
                         context_.guarded([this] { finished(); }));
}

void Background::finished() {
  running_ = false;
  Work done = std::move(done_);
  done_ = nullptr;
  done();
  if (!running_) next();
}

}  // namespace leat::log
