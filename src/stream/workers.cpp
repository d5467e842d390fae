#include "stream/workers.h"

namespace leat::stream {

Workers::Workers(std::size_t workers) {
  for (std::size_t i = 1; i < workers; ++i) threads_.emplace_back([this, i] { serve(i); });
}

Workers::~Workers() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    begun_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
}

void Workers::run(const std::function<void(std::size_t)>& work) {
  {
    std::lock_guard lock(mutex_);
    work_ = &work;
    ++round_;
    working_ = threads_.size();
    begun_.notify_all();
  }
  work(0);
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return working_ == 0; });
}

void Workers::serve(std::size_t worker) {
  std::uint64_t served = 0;
  while (true) {
    const std::function<void(std::size_t)>* work;
    {
      std::unique_lock lock(mutex_);
      begun_.wait(lock, [&] { return stop_ || round_ != served; });
      if (stop_) return;
      served = round_;
      work = work_;
    }
    (*work)(worker);
    std::lock_guard lock(mutex_);
    if (--working_ == 0) ended_.notify_one();
  }
}

}  // namespace leat::stream
