#include "server/kafka_service.h"

#include <utility>
#include <vector>

namespace leat::server {

using boost::system::error_code;

KafkaService::KafkaService(Executor& executor, Metrics& metrics, broker::Broker& broker,
                           const ServerOptions& options, std::unique_ptr<net::Listener> listener)
    : executor_(executor),
      options_(options),
      listener_(std::move(listener)),
      pool_(options.limits.request_memory_bytes),
      metrics_(metrics),
      node_{broker, options, metrics},
      environment_{node_, options.limits,
                   pool_, metrics_,
                   {},    [this](Connection& connection) { forget(connection); }} {}

Result<void> KafkaService::start() {
  net::ConnectionLimit limit(options_.limits.connections_max,
                             options_.limits.connections_per_address_max);
  return listener_->start(std::move(limit), [this](auto socket, auto token) {
    accept(std::move(socket), std::move(token));
  });
}

net::Address KafkaService::advertised_to(const Connection::Socket& socket) const {
  error_code error;
  auto local = socket.local_endpoint(error);
  if (options_.advertised) {
    net::Address address = *options_.advertised;
    if (address.port == 0) address.port = local.port();
    return address;
  }
  boost::asio::ip::address host = local.address();
  if (host.is_v6() && host.to_v6().is_v4_mapped()) {
    host = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, host.to_v6());
  }
  return {host.to_string(), local.port()};
}

void KafkaService::accept(Connection::Socket socket, net::ConnectionLimit::Token token) {
  metrics_.connections_accepted.add();
  metrics_.connections_open.add(1);
  net::Address advertised = advertised_to(socket);
  auto connection = std::make_shared<Connection>(std::move(socket), std::move(token),
                                                 std::move(advertised), environment_);
  connections_.insert(connection);
  connection->start();
}

void KafkaService::forget(Connection& connection) {
  if (connections_.erase(connection.shared_from_this()) == 0) return;
  metrics_.connections_open.add(-1);
  if (!connections_.empty() || !stopped_) return;
  executor_.cancel(stop_timer_);
  executor_.post(std::exchange(stopped_, nullptr));
}

void KafkaService::stop(UniqueFunction<void()> done) {
  listener_->stop();
  if (connections_.empty()) return executor_.post(std::move(done));
  stopped_ = std::move(done);
  stop_timer_ =
      executor_.after(options_.limits.stop_timeout, [this] { close_all("the server stops"); });
  std::vector<std::shared_ptr<Connection>> open(connections_.begin(), connections_.end());
  for (const auto& connection : open) connection->drain();
}

void KafkaService::close_all(const std::string& reason) {
  listener_->stop();
  std::vector<std::shared_ptr<Connection>> open(connections_.begin(), connections_.end());
  for (const auto& connection : open) connection->close(reason);
}

}  // namespace leat::server
