#include "net/event.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace leat::net {

Event::Event(const boost::asio::any_io_executor& executor)
    : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

void Event::notify() {
  is_notified_ = true;
  timer_.cancel();
}

Task<void> Event::wait() {
  if (!is_notified_) {
    boost::system::error_code cancelled;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, cancelled);
    co_await timer_.async_wait(token);
  }
  is_notified_ = false;
}

}  // namespace leat::net
