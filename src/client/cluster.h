// The brokers of a cluster, and the connections to them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "client/connection.h"
#include "client/metadata.h"
#include "client/options.h"
#include "net/task.h"

namespace leat::client {

/// Lives on one executor of one thread, where all members are called, and outlives the coroutines
/// that use it: close() makes every one of them end soon.
class Cluster {
 public:
  Cluster(boost::asio::any_io_executor executor, ClientOptions options);
  ~Cluster();

  /// A connection to any broker: an open one, or a new one to a known broker or to one of the
  /// addresses given.
  net::Task<Result<Connection::Ptr>> any_broker();
  /// A connection to that broker, opened if need be.
  net::Task<Result<Connection::Ptr>> broker(std::int32_t id);
  /// To the broker that creates and deletes topics.
  net::Task<Result<Connection::Ptr>> controller();

  /// Asks for the metadata of `topics`, or of all topics; `create` lets the broker make those that
  /// are missing, if it does so. One attempt.
  net::Task<Result<void>> refresh(std::optional<std::vector<std::string>> topics,
                                  bool create = false);
  Metadata& metadata() { return metadata_; }

  /// Waits before a further attempt, longer after each, and less long once close() is called.
  net::Task<void> back_off(int attempts);

  /// Closes all connections and fails all that is asked for from now on with `error`.
  void close(Error error);
  const std::optional<Error>& closed() const { return closed_; }
  const ClientOptions& options() const { return options_; }
  const boost::asio::any_io_executor& executor() const { return executor_; }

 private:
  /// A broker's address and what leads there.
  struct Slot {
    Connection::Ptr connection;
    bool opening = false;
    /// Cancelled when opening is over.
    std::shared_ptr<boost::asio::steady_timer> opened;
    /// Why it could not be opened.
    std::optional<Error> error;

    bool is_ready() const { return connection && !opening && connection->is_open(); }
  };

  net::Task<Result<Connection::Ptr>> connection_to(net::Address address);
  Connection::Ptr open_connection_to(const net::Address& address) const;

  boost::asio::any_io_executor executor_;
  ClientOptions options_;
  Metadata metadata_;
  std::map<net::Address, Slot> slots_;
  std::list<boost::asio::steady_timer*> waiting_;
  Random random_;
  std::optional<Error> closed_;
};

}  // namespace leat::client
