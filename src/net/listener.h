// Accepts connections at one or more addresses.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "net/address.h"
#include "net/connection_limit.h"
#include "net/task.h"

namespace leat::net {

/// Belongs to the thread of its io_context once that runs.
class Listener {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  /// Takes over a connection; `token` is to be kept while it is open.
  using Accepted = std::function<void(Socket socket, ConnectionLimit::Token token)>;

  /// Takes the port at every address that the host's name has; "localhost" is both loopbacks,
  /// where the machine has both. Port 0 takes a free one, the same for all. Nobody can connect
  /// before start(). Errc::connection_failed, with a way out, when the port is taken.
  static Result<std::unique_ptr<Listener>> bind(boost::asio::io_context& io,
                                                const Address& address);

  /// Begins to accept; connections take turns on the threads of `loops`, or stay on ours where
  /// there are none, but `accepted` is called on ours. More connections than `limit` admits are
  /// closed at once. Where the process has no descriptors or memory left, it waits a little and
  /// tries again.
  Result<void> start(ConnectionLimit limit, Accepted accepted,
                     std::vector<boost::asio::io_context*> loops = {});
  /// Accepts no more, and gives the port back.
  void stop();

  /// The first address taken, with its real port.
  Address address() const;

 private:
  using Acceptor = boost::asio::ip::tcp::acceptor;

  Listener(boost::asio::io_context& io, std::string host) : io_(io), host_(std::move(host)) {}
  Result<void> bind_one(const boost::asio::ip::tcp::endpoint& endpoint);
  Task<void> accept(std::shared_ptr<Acceptor> acceptor);

  boost::asio::io_context& io_;
  std::string host_;
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
  std::shared_ptr<ConnectionLimit> limit_;
  Accepted accepted_;
  std::vector<boost::asio::io_context*> loops_;
  std::size_t next_loop_ = 0;
  bool is_stopped_ = false;
};

/// True for the addresses that only this machine can connect to: every address of the host's name
/// is a loopback. Blocks on the resolver for names.
Result<bool> is_loopback(const Address& address);

}  // namespace leat::net
