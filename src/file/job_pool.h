// The threads on which file operations may block.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/executor.h"

namespace leat::file {

/// Runs jobs on a fixed number of threads, started in the order given. Thread-safe. Destruction
/// runs what is queued, then joins: no job is dropped.
class JobPool {
 public:
  explicit JobPool(int threads);
  ~JobPool();
  JobPool(const JobPool&) = delete;
  JobPool& operator=(const JobPool&) = delete;

  void run(Work job);

 private:
  void work();

  std::mutex mutex_;
  // Guarded by mutex_:
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  // Started last, when the rest exists.
  std::vector<std::thread> threads_;
};

}  // namespace leat::file
