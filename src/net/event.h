// Lets a coroutine wait for something that another piece of work on the same thread brings about.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/task.h"

namespace leat::net {

/// Belongs to one thread, that of `executor`. Waiters look at their condition again afterwards: a
/// notification says only that it may have changed.
class Event {
 public:
  explicit Event(const boost::asio::any_io_executor& executor);

  /// Wakes every coroutine that waits now.
  void notify();
  /// Returns at the next notify(), or at once if one came since the last wait().
  Task<void> wait();

 private:
  boost::asio::steady_timer timer_;
  bool is_notified_ = false;
};

}  // namespace leat::net
