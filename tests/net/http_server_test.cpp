#include "net/http_server.h"

#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("net");

using boost::asio::ip::tcp;
using leat::net::Address;
using leat::net::HttpOptions;
using leat::net::HttpRequest;
using leat::net::HttpResponse;
using leat::net::HttpServer;
using leat::net::Listener;

namespace {

/// A server on a free port that answers with the path, for as long as it lives.
class EchoServer {
 public:
  explicit EchoServer(HttpOptions options = {}) {
    auto listener = Listener::bind(io_, Address{"127.0.0.1", 0});
    REQUIRE(listener);
    server_ =
        std::make_unique<HttpServer>(std::move(*listener), options, [](const HttpRequest& request) {
          if (request.path == "/missing") return HttpResponse{404, "text/plain", "no"};
          return HttpResponse{200, "text/plain", request.path + "|" + request.query};
        });
    REQUIRE(server_->start());
    thread_ = std::thread([this] { io_.run(); });
  }
  ~EchoServer() {
    io_.stop();
    thread_.join();
  }
  std::uint16_t port() const { return server_->address().port; }

  /// Sends `text` and returns everything that comes until the server closes.
  std::string ask(const std::string& text) const {
    boost::asio::io_context io;
    tcp::socket socket(io);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port()});
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(text), error);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
    return answer;
  }

 private:
  boost::asio::io_context io_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("GET and HEAD are answered, pipelined ones in order, anything else is refused") {
  EchoServer server;
  std::string close = "Connection: close\r\n\r\n";
  CHECK(contains(server.ask("GET /a?b=c HTTP/1.1\r\n" + close), "\r\n\r\n/a|b=c"));
  std::string two = server.ask("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n" + close);
  CHECK(contains(two, "/1|"));
  CHECK(two.find("/1|") < two.find("/2|"));
  std::string head = server.ask("HEAD /abc HTTP/1.1\r\n" + close);
  CHECK(contains(head, "Content-Length: 5"));
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(contains(server.ask("GET /missing HTTP/1.1\r\n" + close), "404"));
  std::string post = server.ask("DELETE / HTTP/1.1\r\n" + close);
  CHECK(contains(post, "405"));
  CHECK(contains(post, "Allow: GET, HEAD"));
}

TEST_CASE("bodies, endless headers and garbage end the connection") {
  EchoServer server;
  CHECK(contains(server.ask("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"), "400"));
  CHECK(contains(server.ask("GET / HTTP/1.1\r\nA: " + std::string(20'000, 'a')), "400"));
  CHECK(contains(server.ask("\x16\x03\x01 not http at all\r\n\r\n"), "400"));
}

TEST_CASE("a request that does not arrive in time ends the connection") {
  HttpOptions options;
  options.request_timeout = std::chrono::milliseconds(30);
  EchoServer server(options);
  CHECK(server.ask("GET / HT") == "");
}

TEST_SUITE_END();
