// Polls a ConsumerDriver for whoever asks, and keeps what nobody waited for until the end.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "client/consumer_driver.h"
#include "client/error.h"
#include "leat/records.h"
#include "net/event.h"
#include "net/task.h"

namespace leat::client {

/// Lives on the driver's executor.
class Poller : public std::enable_shared_from_this<Poller> {
 public:
  /// `bytes`: about what one poll gives.
  Poller(std::shared_ptr<Cluster> cluster, std::shared_ptr<ConsumerDriver> driver,
         std::size_t bytes);

  /// At least one record. Says first that what was given before is done. Errc::cancelled when
  /// `stop` is requested: then what comes is for the next one.
  net::Task<Result<Records>> poll(std::stop_token stop);
  /// What was given is done.
  void given_is_done();
  /// Polling goes on elsewhere there: nothing of it that is kept is given any more.
  void forget(const ConsumerDriver::Place& place);

 private:
  net::Task<Result<std::vector<Fetched>>> next(std::stop_token stop);
  net::Task<void> fetch(std::shared_ptr<Poller> self);

  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<ConsumerDriver> driver_;
  std::size_t bytes_;
  /// The last poll gave something, and nothing was asked of the driver since.
  bool has_given_ = false;
  bool is_waited_for_ = false;
  bool is_fetching_ = false;
  std::optional<Result<std::vector<Fetched>>> result_;
  net::Event event_;
};

}  // namespace leat::client
