// The Executor of a server or client: an Asio io_context that one thread runs.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/executor.h"

namespace leat::net {

/// Runs work on `io`, which outlives it and which exactly one thread runs. Work and timers that
/// are left when `io` ends are dropped with it.
class AsioExecutor final : public Executor {
 public:
  explicit AsioExecutor(boost::asio::io_context& io) : io_(io) {}
  AsioExecutor(const AsioExecutor&) = delete;
  AsioExecutor& operator=(const AsioExecutor&) = delete;

  void post(Work work) override;
  TimerId after(std::chrono::nanoseconds delay, Work work) override;
  void cancel(TimerId timer) override;

  /// From here to release(), `io` runs none of our work but collects it: so another thread may
  /// set up what belongs to this executor while `io` serves something else.
  void hold() { held_ = true; }
  void release();

  boost::asio::io_context& context() { return io_; }
  /// True on the thread that runs `io`, while it does.
  bool is_current() const { return io_.get_executor().running_in_this_thread(); }

 private:
  struct Timer {
    boost::asio::steady_timer timer;
    Work work;
  };
  void fire(TimerId id);

  boost::asio::io_context& io_;
  std::atomic<bool> held_{false};
  std::mutex mutex_;
  // Guarded by mutex_:
  std::vector<Work> waiting_;
  std::map<TimerId, Timer> timers_;
  TimerId last_timer_ = 0;
};

}  // namespace leat::net
