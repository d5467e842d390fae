#include "client/cluster.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "client/brokers.h"
#include "client/check_options.h"
#include "wire/metadata.h"

namespace leat::client {

namespace asio = boost::asio;

class Cluster::Waiting {
 public:
  Waiting(std::list<asio::steady_timer*>& all, asio::steady_timer& timer)
      : all_(all), place_(all.insert(all.end(), &timer)) {}
  ~Waiting() { all_.erase(place_); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::list<asio::steady_timer*>& all_;
  std::list<asio::steady_timer*>::iterator place_;
};

Cluster::Cluster(asio::any_io_executor executor, ClientOptions options, std::optional<Error> wrong)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      random_(Random::from_entropy()) {
  Result<std::vector<net::Address>> addresses = parse_brokers(options_.brokers);
  if (addresses)
    addresses_ = std::move(*addresses);
  else
    closed_ = addresses.error();
  if (!closed_) closed_ = check(options_);
  if (!closed_) closed_ = std::move(wrong);
}

Cluster::~Cluster() {
  close({Errc::cancelled, "the client is closed"});
}

net::Task<Result<Connection::Ptr>> Cluster::any_broker() {
  auto self = shared_from_this();
  if (closed_) co_return tl::unexpected(*closed_);
  for (auto& [key, slot] : slots_)
    if (slot.is_ready() && key.first == Lane::shared) co_return slot.connection;
  std::vector<net::Address> addresses;
  for (const auto& [id, address] : metadata_.brokers()) addresses.push_back(address);
  addresses.insert(addresses.end(), addresses_.begin(), addresses_.end());
  Error last{Errc::connection_failed, "no broker is known"};
  for (const net::Address& address : addresses) {
    Result<Connection::Ptr> connection = co_await connection_to(address, Lane::shared);
    if (connection || closed_) co_return connection;
    last = connection.error();
  }
  co_return tl::unexpected(std::move(last));
}

net::Task<Result<Connection::Ptr>> Cluster::broker(std::int32_t id, Lane lane) {
  auto self = shared_from_this();
  auto address = metadata_.broker(id);
  if (!address)
    co_return fail(Errc::connection_failed, fmt::format("no address of broker {} is known", id));
  Result<Connection::Ptr> connection = co_await connection_to(*address, lane);
  co_return connection;
}

net::Task<Result<Connection::Ptr>> Cluster::controller() {
  auto self = shared_from_this();
  auto address = metadata_.broker(metadata_.controller());
  // A cluster that hides its controller takes such requests anywhere.
  if (!address) {
    Result<Connection::Ptr> any = co_await any_broker();
    co_return any;
  }
  Result<Connection::Ptr> connection = co_await connection_to(*address, Lane::shared);
  co_return connection;
}

Connection::Ptr Cluster::open_connection_to(const net::Address& address, Lane lane) const {
  // The address given at the start and the one that the broker tells are often two names of one
  // broker: then one connection does.
  for (const auto& [key, slot] : slots_)
    if (key.first == lane && slot.is_ready() && slot.connection->leads_to(address))
      return slot.connection;
  return nullptr;
}

net::Task<Result<Connection::Ptr>> Cluster::connection_to(net::Address address, Lane lane) {
  auto self = shared_from_this();
  if (closed_) co_return tl::unexpected(*closed_);
  if (Connection::Ptr open = open_connection_to(address, lane)) co_return open;
  Slot& slot = slots_[{lane, address}];
  if (slot.opening) {
    auto opened = slot.opened;
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await opened->async_wait(token);
  } else {
    slot.opening = true;
    slot.opened =
        std::make_shared<asio::steady_timer>(executor_, asio::steady_timer::time_point::max());
    ConnectionOptions options{options_.client_id, options_.connect_timeout,
                              options_.max_response_bytes, memory_};
    slot.connection = std::make_shared<Connection>(executor_, std::move(address), options);
    Result<void> opened = co_await slot.connection->open();
    slot.opening = false;
    slot.error = opened ? std::nullopt : std::optional(opened.error());
    slot.opened->cancel();
  }
  if (closed_) co_return tl::unexpected(*closed_);
  if (slot.error) co_return tl::unexpected(*slot.error);
  co_return slot.connection;
}

net::Task<Result<void>> Cluster::refresh(std::optional<std::vector<std::string>> topics,
                                         bool create) {
  auto self = shared_from_this();
  Result<Connection::Ptr> connection = co_await any_broker();
  if (!connection) co_return fail(connection);
  wire::MetadataRequest request;
  request.allow_auto_topic_creation = create;
  if (topics) {
    request.topics.emplace();
    for (const std::string& topic : *topics)
      request.topics->push_back({.topic_id = {}, .name = topic});
  }
  Connection::Ptr broker = *connection;
  auto timeout = options_.request_timeout;
  auto answer = co_await broker->call(request, timeout);
  if (!answer) co_return fail(answer);
  if (!topics) metadata_.forget_topics();
  metadata_.update(answer->message);
  co_return Result<void>{};
}

net::Task<void> Cluster::back_off(int attempts) {
  auto self = shared_from_this();
  auto delay = options_.retry_backoff;
  for (int i = 1; i < attempts && delay < options_.retry_backoff_max; ++i) delay *= 2;
  delay = std::min(delay, options_.retry_backoff_max);
  delay = delay * random_.between(80, 120) / 100;
  if (closed_) co_return;
  asio::steady_timer timer(executor_, delay);
  Waiting waiting(waiting_, timer);
  boost::system::error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  co_await timer.async_wait(token);
}

void Cluster::when_closed(std::function<void()> work) {
  if (closed_)
    work();
  else
    when_closed_.push_back(std::move(work));
}

void Cluster::close(Error error) {
  if (closed_) return;
  closed_ = std::move(error);
  for (auto& [key, slot] : slots_) {
    if (slot.connection) slot.connection->close(*closed_);
    if (slot.opened) slot.opened->cancel();
  }
  for (asio::steady_timer* timer : waiting_) timer->cancel();
  // What is still out is not to hold anything beside itself.
  memory_->set_bound(0);
  for (auto& work : std::exchange(when_closed_, {})) work();
}

}  // namespace leat::client
