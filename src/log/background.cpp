#include "log/background.h"

namespace leat::log {

void Background::run(Work job, Work done) {
  queue_.push_back({std::move(job), std::move(done)});
  if (!running_) next();
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
