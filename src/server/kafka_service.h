// The Kafka listener and its connections.
#pragma once

#include <memory>
#include <unordered_set>

#include <boost/asio/io_context.hpp>

#include "base/executor.h"
#include "base/metrics.h"
#include "net/buffer_pool.h"
#include "net/listener.h"
#include "server/connection.h"
#include "server/node.h"
#include "server/request_metrics.h"

namespace leat::server {

/// Lives on the thread of `io`, which is the broker's executor.
class KafkaService {
 public:
  KafkaService(Executor& executor, Metrics& metrics, broker::Broker& broker,
               const ServerOptions& options, std::unique_ptr<net::Listener> listener);

  Result<void> start();
  /// Accepts no more, lets every request that came be answered, for stop_timeout at most, and calls
  /// `done` when the last connection is closed.
  void stop(UniqueFunction<void()> done);
  /// Ends every connection at once.
  void close_all(const std::string& reason);

  net::Address address() const { return listener_->address(); }

 private:
  void accept(Connection::Socket socket, net::ConnectionLimit::Token token);
  void forget(Connection& connection);
  net::Address advertised_to(const Connection::Socket& socket) const;

  Executor& executor_;
  const ServerOptions& options_;
  std::unique_ptr<net::Listener> listener_;
  net::BufferPool pool_;
  RequestMetrics metrics_;
  Node node_;
  Connection::Environment environment_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  UniqueFunction<void()> stopped_;
  Executor::TimerId stop_timer_ = 0;
};

}  // namespace leat::server
