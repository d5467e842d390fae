// Polls a ConsumerDriver for whoever asks.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

#include "client/consumer_driver.h"
#include "client/error.h"
#include "leat/records.h"
#include "net/event.h"
#include "net/task.h"

namespace leat::client {

/// Lives on the driver's executor.
class Poller : public std::enable_shared_from_this<Poller> {
 public:
  /// `bytes`: about what one poll gives. `is_automatic`: polling again and closing say that what
  /// was given is done.
  Poller(const boost::asio::any_io_executor& executor, std::shared_ptr<ConsumerDriver> driver,
         std::size_t bytes, bool is_automatic);

  /// At least one record, or none when none came within `timeout`. Says first that what was given
  /// before is done, where that is automatic. Errc::cancelled, and nothing is taken, when `stop` is
  /// requested.
  net::Task<Result<Records>> poll(std::optional<std::chrono::milliseconds> timeout,
                                  std::stop_token stop);
  /// What was given is done, where that is automatic.
  void given_is_done();

 private:
  std::shared_ptr<ConsumerDriver> driver_;
  std::size_t bytes_;
  bool is_automatic_;
  /// The last poll gave something, and nothing was asked of the driver since.
  bool has_given_ = false;
  bool is_polling_ = false;
  /// Of the poll under way.
  std::stop_token stop_;
  net::Event ended_;
};

}  // namespace leat::client
