// The brokers of a cluster, and the connections to them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "client/connection.h"
#include "client/error.h"
#include "client/metadata.h"
#include "leat/options.h"
#include "net/task.h"

namespace leat::client {

/// A broker serves a connection's requests one after the other: what may wait there for long goes
/// over a connection of its own, beside what is meant to be answered at once.
enum class Lane : std::uint8_t { shared, coordinator };

/// Lives on one executor that runs one thing at a time, where all members are called. Shared by
/// whatever uses it: coroutines hold it. close() makes every one of them end soon.
class Cluster : public std::enable_shared_from_this<Cluster> {
 public:
  /// Everything fails with what is `wrong` about options, those or others, if something is.
  Cluster(boost::asio::any_io_executor executor, ClientOptions options,
          std::optional<Error> wrong = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// A connection to any broker: an open one, or a new one to a known broker or to one of the
  /// addresses given.
  net::Task<Result<Connection::Ptr>> any_broker();
  /// A connection to that broker, opened if need be.
  net::Task<Result<Connection::Ptr>> broker(std::int32_t id, Lane lane = Lane::shared);
  /// To the broker that creates and deletes topics.
  net::Task<Result<Connection::Ptr>> controller();

  /// Asks for the metadata of `topics`, or of all topics; `create` lets the broker make those that
  /// are missing, if it does so. One attempt.
  net::Task<Result<void>> refresh(std::optional<std::vector<std::string>> topics,
                                  bool create = false);
  Metadata& metadata() { return metadata_; }

  /// Waits before a further attempt, longer after each, and less long once close() is called.
  net::Task<void> back_off(int attempts);

  /// Has `work` called by close(), or at once if that was before.
  void when_closed(std::function<void()> work);
  /// Closes all connections and fails all that is asked for from now on with `error`.
  void close(Error error);
  const std::optional<Error>& closed() const { return closed_; }
  const ClientOptions& options() const { return options_; }
  /// As options.brokers names them; at least one unless closed().
  const std::vector<net::Address>& addresses() const { return addresses_; }
  const boost::asio::any_io_executor& executor() const { return executor_; }
  /// Of large answers: bounded by 0 until whoever gets such says otherwise.
  RecycledMemory& memory() { return *memory_; }

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

  /// A coroutine's place among those that back off.
  class Waiting;

  net::Task<Result<Connection::Ptr>> connection_to(net::Address address, Lane lane);
  Connection::Ptr open_connection_to(const net::Address& address, Lane lane) const;

  boost::asio::any_io_executor executor_;
  ClientOptions options_;
  std::shared_ptr<RecycledMemory> memory_ = std::make_shared<RecycledMemory>();
  Metadata metadata_;
  std::vector<net::Address> addresses_;
  std::map<std::pair<Lane, net::Address>, Slot> slots_;
  std::list<boost::asio::steady_timer*> waiting_;
  std::vector<std::function<void()>> when_closed_;
  Random random_;
  std::optional<Error> closed_;
};

}  // namespace leat::client
