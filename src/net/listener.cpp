#include "net/listener.h"

#include <algorithm>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "base/logging.h"

namespace leat::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds back_off_min{10};
constexpr std::chrono::milliseconds back_off_max{1000};

Result<std::vector<tcp::endpoint>> resolve(const Address& address) {
  if (address.host == "localhost")
    return std::vector<tcp::endpoint>{{asio::ip::address_v4::loopback(), address.port},
                                      {asio::ip::address_v6::loopback(), address.port}};
  error_code error;
  asio::ip::address literal = asio::ip::make_address(address.host, error);
  if (!error) return std::vector<tcp::endpoint>{{literal, address.port}};
  asio::io_context io;
  tcp::resolver resolver(io);
  auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
  if (error)
    return fail(Errc::connection_failed,
                fmt::format("cannot resolve '{}': {}", address.host, error.message()));
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found)
    if (std::find(endpoints.begin(), endpoints.end(), entry.endpoint()) == endpoints.end())
      endpoints.push_back(entry.endpoint());
  return endpoints;
}

/// What accept() fails with when the process or the machine is short of something.
bool is_shortage(const error_code& error) {
  return error == asio::error::no_descriptors || error == asio::error::no_memory ||
         error == asio::error::no_buffer_space ||
         error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::bind(asio::io_context& io, const Address& address) {
  Result<std::vector<tcp::endpoint>> endpoints = resolve(address);
  if (!endpoints) return fail(endpoints);
  std::unique_ptr<Listener> listener(new Listener(io, address.host));
  for (tcp::endpoint endpoint : *endpoints) {
    if (!listener->acceptors_.empty()) endpoint.port(listener->address().port);
    Result<void> bound = listener->bind_one(endpoint);
    // A machine without IPv6 still has a localhost.
    bool is_optional = address.host == "localhost" && endpoint.address().is_v6();
    if (!bound && !is_optional) return fail(bound);
  }
  return listener;
}

Result<void> Listener::bind_one(const tcp::endpoint& endpoint) {
  auto acceptor = std::make_shared<Acceptor>(io_);
  error_code error;
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor->set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (error) {
    Address address{endpoint.address().to_string(), endpoint.port()};
    std::string way_out = error == asio::error::address_in_use
                              ? "; another program listens there: stop it or choose another port"
                              : "";
    return fail(
        Errc::connection_failed,
        fmt::format("cannot listen on {}: {}{}", address.to_string(), error.message(), way_out));
  }
  acceptors_.push_back(std::move(acceptor));
  return {};
}

Result<void> Listener::start(ConnectionLimit limit, Accepted accepted,
                             std::vector<asio::io_context*> loops) {
  loops_ = std::move(loops);
  if (loops_.empty()) loops_.push_back(&io_);
  limit_ = std::make_shared<ConnectionLimit>(std::move(limit));
  accepted_ = std::move(accepted);
  for (const auto& acceptor : acceptors_) {
    error_code error;
    acceptor->listen(tcp::acceptor::max_listen_connections, error);
    if (error)
      return fail(Errc::connection_failed,
                  fmt::format("cannot listen on {}: {}", address().to_string(), error.message()));
    Task<void> task = accept(acceptor);
    asio::co_spawn(io_, std::move(task), asio::detached);
  }
  return {};
}

void Listener::stop() {
  is_stopped_ = true;
  for (const auto& acceptor : acceptors_) {
    error_code ignored;
    acceptor->close(ignored);
  }
}

Address Listener::address() const {
  error_code error;
  tcp::endpoint endpoint = acceptors_.front()->local_endpoint(error);
  return {endpoint.address().to_string(), endpoint.port()};
}

Task<void> Listener::accept(std::shared_ptr<Acceptor> acceptor) {
  std::chrono::milliseconds back_off = back_off_min;
  asio::steady_timer timer(io_);
  while (!is_stopped_) {
    error_code error;
    tcp::endpoint peer;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    asio::io_context& loop = *loops_[next_loop_ % loops_.size()];
    Socket socket = co_await acceptor->async_accept(loop, peer, token);
    if (error == asio::error::operation_aborted) co_return;
    if (is_shortage(error)) {
      log_warning("cannot accept connections: {}; trying again in {} ms", error.message(),
                  back_off.count());
      timer.expires_after(back_off);
      co_await timer.async_wait(token);
      back_off = std::min(back_off * 2, back_off_max);
      continue;
    }
    // Any other error is of a peer that has gone already.
    if (error) continue;
    back_off = back_off_min;
    ConnectionLimit::Token admitted = limit_->admit(peer.address());
    if (!admitted) continue;
    ++next_loop_;
    accepted_(std::move(socket), std::move(admitted));
  }
}

Result<bool> is_loopback(const Address& address) {
  Result<std::vector<tcp::endpoint>> endpoints = resolve(address);
  if (!endpoints) return fail(endpoints);
  return std::all_of(endpoints->begin(), endpoints->end(),
                     [](const tcp::endpoint& e) { return e.address().is_loopback(); });
}

}  // namespace leat::net
