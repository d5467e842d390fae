// Threads that share the work of one step of a task.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace leat::stream {

/// The caller and some threads that wait for it: run() forks and joins, so that nothing happens
/// between two calls. For one calling thread at a time.
class Workers {
 public:
  /// As many as do the work, the caller included.
  explicit Workers(std::size_t workers);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t size() const { return threads_.size() + 1; }
  /// Calls `work` on every worker with its number, on the caller with 0, and waits for all. What
  /// each of them saw or did before is seen by all behind it.
  void run(const std::function<void(std::size_t)>& work);

 private:
  void serve(std::size_t worker);

  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable ended_;
  // Guarded by mutex_:
  const std::function<void(std::size_t)>* work_ = nullptr;
  std::uint64_t round_ = 0;
  std::size_t working_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace leat::stream
