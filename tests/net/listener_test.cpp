#include "net/listener.h"

#include <vector>

#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("net");

using boost::asio::ip::tcp;
using leat::net::Address;
using leat::net::ConnectionLimit;
using leat::net::Listener;

TEST_CASE("a port that somebody listens on is refused with a way out") {
  boost::asio::io_context io;
  auto first = Listener::bind(io, Address{"127.0.0.1", 0});
  REQUIRE(first);
  REQUIRE((*first)->start(ConnectionLimit(1, 1), [](auto, auto) {}));
  auto second = Listener::bind(io, Address{"127.0.0.1", (*first)->address().port});
  REQUIRE_FALSE(second);
  CHECK(second.error().what.find("choose another port") != std::string::npos);
}

TEST_CASE("connections beyond the limit are closed, and admitted again when one ends") {
  boost::asio::io_context io;
  auto listener = Listener::bind(io, Address{"127.0.0.1", 0});
  REQUIRE(listener);
  struct Open {
    tcp::socket socket;
    ConnectionLimit::Token token;
  };
  std::vector<Open> open;
  REQUIRE((*listener)->start(ConnectionLimit(10, 2), [&](auto socket, auto token) {
    open.push_back({std::move(socket), std::move(token)});
  }));
  boost::asio::io_context client_io;
  std::vector<tcp::socket> clients;
  auto connect = [&] {
    tcp::socket& client = clients.emplace_back(client_io);
    client.connect({boost::asio::ip::make_address("127.0.0.1"), (*listener)->address().port});
  };
  auto is_refused = [&](tcp::socket& client) {
    boost::system::error_code error;
    char byte;
    client.read_some(boost::asio::buffer(&byte, 1), error);
    return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
  };
  for (int i = 0; i < 3; ++i) connect();
  while (open.size() < 2) io.run_one();
  io.poll();
  CHECK(open.size() == 2);
  CHECK(is_refused(clients[2]));
  open.pop_back();
  connect();
  while (open.size() < 2) io.run_one();
  CHECK(open.size() == 2);
}

TEST_CASE("a listener without descriptors waits, and goes on when there are some (fault 14)") {
  boost::asio::io_context io;
  auto listener = Listener::bind(io, Address{"127.0.0.1", 0});
  REQUIRE(listener);
  std::vector<tcp::socket> accepted;
  REQUIRE((*listener)->start(ConnectionLimit(10, 10),
                             [&](auto socket, auto) { accepted.push_back(std::move(socket)); }));
  boost::asio::io_context client_io;
  tcp::socket client(client_io);
  client.open(tcp::v4());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  client.connect({boost::asio::ip::make_address("127.0.0.1"), (*listener)->address().port});
  io.run_for(std::chrono::milliseconds(30));
  CHECK(accepted.empty());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  while (accepted.empty()) io.run_one();
  CHECK(accepted.size() == 1);
}

TEST_CASE("an address may be admitted as often as its share allows, in all not above the limit") {
  ConnectionLimit limit(3, 2);
  auto a = boost::asio::ip::make_address("10.0.0.1");
  auto b = boost::asio::ip::make_address("10.0.0.2");
  std::vector<ConnectionLimit::Token> tokens{limit.admit(a), limit.admit(a)};
  CHECK(tokens[1] != nullptr);
  CHECK(limit.admit(a) == nullptr);
  tokens.push_back(limit.admit(b));
  CHECK(tokens[2] != nullptr);
  CHECK(limit.admit(b) == nullptr);
  CHECK(limit.open() == 3);
  tokens.clear();
  CHECK(limit.open() == 0);
  CHECK(limit.admit(b) != nullptr);
}

TEST_CASE("loopback addresses are told from those that others can reach") {
  CHECK(*leat::net::is_loopback({"127.0.0.1", 1}));
  CHECK(*leat::net::is_loopback({"localhost", 1}));
  CHECK(*leat::net::is_loopback({"::1", 1}));
  CHECK_FALSE(*leat::net::is_loopback({"0.0.0.0", 1}));
  CHECK_FALSE(*leat::net::is_loopback({"10.1.2.3", 1}));
}

TEST_SUITE_END();
