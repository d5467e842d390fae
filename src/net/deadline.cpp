#include "net/deadline.h"

namespace leat::net {

Deadline::Deadline(const boost::asio::any_io_executor& executor, UniqueFunction<void()> expired)
    : timer_(executor), expired_(std::move(expired)) {}

void Deadline::set(std::chrono::nanoseconds from_now) {
  at_ = Clock::now() + from_now;
  is_set_ = true;
  if (!is_armed_ || at_ < armed_at_) arm(at_);
}

void Deadline::arm(Clock::time_point at) {
  is_armed_ = true;
  armed_at_ = at;
  timer_.expires_at(at);
  std::weak_ptr<void> alive = alive_;
  timer_.async_wait([this, alive](const boost::system::error_code& error) {
    // Cancelled by destruction or by an earlier time: another wait, or none, is in force.
    if (error || alive.expired()) return;
    is_armed_ = false;
    if (!is_set_) return;
    if (Clock::now() < at_) return arm(at_);
    is_set_ = false;
    expired_();
  });
}

}  // namespace leat::net
