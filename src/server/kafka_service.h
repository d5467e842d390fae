// The Kafka listener and its connections.
#pragma once

#include <memory>
#include <unordered_set>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/metrics.h"
#include "net/asio_executor.h"
#include "net/buffer_pool.h"
#include "net/listener.h"
#include "server/connection.h"
#include "server/node.h"
#include "server/request_metrics.h"

namespace leat::server {

/// Lives on the first of `shards`, home, and its connections on all of them in turn. Nothing runs
/// on the shards any more when it is destroyed.
class KafkaService {
 public:
  KafkaService(const std::vector<net::AsioExecutor*>& shards, Metrics& metrics,
               broker::Broker& broker, const ServerOptions& options,
               std::unique_ptr<net::Listener> listener);

  Result<void> start();
  /// Accepts no more, lets every request that came be answered, for stop_timeout at most, and calls
  /// `done` when the last connection is closed.
  void stop(UniqueFunction<void()> done);
  /// Ends every connection, as soon as its shard hears of it.
  void close_all(const std::string& reason);

  net::Address address() const { return listener_->address(); }

 private:
  /// The connections of one shard. Belongs to its thread.
  struct Seat {
    Connection::Environment environment;
    std::unordered_set<std::shared_ptr<Connection>> connections;
    bool is_stopping = false;
  };
  void accept(Connection::Socket socket, net::ConnectionLimit::Token token);
  net::Address advertised_to(const Connection::Socket& socket) const;
  // On the shard of the seat:
  void open(Seat& seat, Connection::Socket socket, net::ConnectionLimit::Token token);
  void forget(Seat& seat, Connection& connection);
  static void close_all(Seat& seat, const std::string& reason);
  void tell_if_empty(Seat& seat);

  net::AsioExecutor& home_;
  const ServerOptions& options_;
  std::unique_ptr<net::Listener> listener_;
  net::BufferPool pool_;
  RequestMetrics metrics_;
  Node node_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::size_t busy_seats_ = 0;  // while it stops
  UniqueFunction<void()> stopped_;
  Executor::TimerId stop_timer_ = 0;
};

}  // namespace leat::server
