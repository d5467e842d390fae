// A time by which something must have happened, cheap to move: most deadlines never pass.
#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/unique_function.h"

namespace leat::net {

/// Belongs to one thread, that of `executor`. Moving a deadline further away only stores it; the
/// timer behind it finds out when it fires.
class Deadline {
 public:
  /// `expired` is called on the executor, once for each set() that was not cleared or moved in
  /// time, and never after destruction.
  Deadline(const boost::asio::any_io_executor& executor, UniqueFunction<void()> expired);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void set(std::chrono::nanoseconds from_now);
  void clear() { is_set_ = false; }
  bool is_set() const { return is_set_; }

 private:
  using Clock = std::chrono::steady_clock;
  void arm(Clock::time_point at);

  boost::asio::steady_timer timer_;
  UniqueFunction<void()> expired_;
  Clock::time_point at_{};
  Clock::time_point armed_at_{};
  bool is_set_ = false;
  bool is_armed_ = false;
  // Dies with us, which a wait that has already ended can tell by it.
  std::shared_ptr<void> alive_ = std::make_shared<char>();
};

}  // namespace leat::net
