#include "server/kafka_service.h"

#include <algorithm>
#include <utility>

namespace leat::server {

using boost::system::error_code;

KafkaService::KafkaService(const std::vector<net::AsioExecutor*>& shards, Metrics& metrics,
                           broker::Broker& broker, const ServerOptions& options,
                           std::unique_ptr<net::Listener> listener)
    : home_(*shards.front()),
      options_(options),
      listener_(std::move(listener)),
      pool_(options.limits.request_memory_bytes),
      metrics_(metrics),
      node_{broker, options, metrics} {
  Gauge& open_sessions = metrics.gauge("leat_fetch_sessions", "Fetch sessions that clients have.");
  for (net::AsioExecutor* shard : shards) {
    // Sessions are shared out, as connections are.
    FetchSessions sessions({(options.limits.fetch_sessions_max + shards.size() - 1) / shards.size(),
                            options.limits.fetch_session_bytes_max / shards.size()},
                           Random::from_entropy(), open_sessions);
    auto seat = std::make_unique<Seat>(Seat{
        {*shard, node_, options.limits, pool_, metrics_, std::move(sessions), {}, nullptr}, {}});
    seat->environment.closed = [this, mine = seat.get()](Connection& connection) {
      forget(*mine, connection);
    };
    seats_.push_back(std::move(seat));
  }
}

Result<void> KafkaService::start() {
  net::ConnectionLimit limit(options_.limits.connections_max,
                             options_.limits.connections_per_address_max);
  auto accepted = [this](auto socket, auto token) { accept(std::move(socket), std::move(token)); };
  std::vector<boost::asio::io_context*> loops;
  for (const auto& seat : seats_) loops.push_back(&seat->environment.executor.context());
  return listener_->start(std::move(limit), accepted, std::move(loops));
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
  // The listener has made the socket for the loop whose turn it is.
  auto of_socket = [&](const std::unique_ptr<Seat>& seat) {
    return seat->environment.executor.context().get_executor() == socket.get_executor();
  };
  Seat& seat = **std::find_if(seats_.begin(), seats_.end(), of_socket);
  if (&seat.environment.executor == &home_) {
    return open(seat, std::move(socket), std::move(token));
  }
  seat.environment.executor.post(
      [this, &seat, socket = std::move(socket), token = std::move(token)]() mutable {
        open(seat, std::move(socket), std::move(token));
      });
}

void KafkaService::open(Seat& seat, Connection::Socket socket, net::ConnectionLimit::Token token) {
  net::Address advertised = advertised_to(socket);
  // Its last owner may be a request that another shard has answered; its timers and its socket
  // are this shard's.
  auto destroy = [&executor = seat.environment.executor](Connection* connection) {
    std::unique_ptr<Connection> owned(connection);
    if (!executor.is_current()) executor.post([owned = std::move(owned)] {});
  };
  std::shared_ptr<Connection> connection(
      new Connection(std::move(socket), std::move(token), std::move(advertised), seat.environment),
      destroy);
  seat.connections.insert(connection);
  connection->start();
}

void KafkaService::forget(Seat& seat, Connection& connection) {
  if (seat.connections.erase(connection.shared_from_this()) == 0) return;
  metrics_.connections_open.add(-1);
  tell_if_empty(seat);
}

void KafkaService::tell_if_empty(Seat& seat) {
  if (!seat.is_stopping || !seat.connections.empty()) return;
  home_.post([this] {
    if (--busy_seats_ > 0) return;
    if (stop_timer_ != 0) home_.cancel(stop_timer_);
    std::exchange(stopped_, nullptr)();
  });
}

void KafkaService::stop(UniqueFunction<void()> done) {
  listener_->stop();
  stopped_ = std::move(done);
  stop_timer_ =
      home_.after(options_.limits.stop_timeout, [this] { close_all("the server stops"); });
  busy_seats_ = seats_.size();
  for (const auto& seat : seats_) {
    seat->environment.executor.post([this, &seat = *seat] {
      seat.is_stopping = true;
      std::vector<std::shared_ptr<Connection>> open(seat.connections.begin(),
                                                    seat.connections.end());
      if (open.empty()) return tell_if_empty(seat);
      for (const auto& connection : open) connection->drain();
    });
  }
}

void KafkaService::close_all(const std::string& reason) {
  listener_->stop();
  for (const auto& seat : seats_) {
    seat->environment.executor.post([&seat = *seat, reason] { close_all(seat, reason); });
  }
}

void KafkaService::close_all(Seat& seat, const std::string& reason) {
  std::vector<std::shared_ptr<Connection>> open(seat.connections.begin(), seat.connections.end());
  for (const auto& connection : open) connection->close(reason);
}

}  // namespace leat::server
