#include "net/http_server.h"

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

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

/// A server on a free port that answers with the path, for as long as it lives. What is asked for
/// below /later/ is answered by another thread, and what below /never/ by nobody.
class EchoServer {
 public:
  explicit EchoServer(HttpOptions options = {}) {
    auto listener = Listener::bind(io_, Address{"127.0.0.1", 0});
    REQUIRE(listener);
    server_ = std::make_unique<HttpServer>(
        std::move(*listener), options, [this](const HttpRequest& request, HttpServer::Answer done) {
          answer(request, std::move(done));
        });
    REQUIRE(server_->start());
    thread_ = std::thread([this] { io_.run(); });
  }
  ~EchoServer() {
    others_.clear();
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
  void answer(const HttpRequest& request, HttpServer::Answer done) {
    HttpResponse response{200, "text/plain",
                          request.path + "|" + request.query + "|" + request.body};
    if (request.path == "/missing") response = {404, "text/plain", "no"};
    if (request.path == "/never") return;
    if (request.path != "/later") return done(std::move(response));
    others_.push_back(std::async(
        std::launch::async, [done = std::move(done), response = std::move(response)]() mutable {
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
          done(std::move(response));
        }));
  }

 private:
  boost::asio::io_context io_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::vector<std::future<void>> others_;  // of the server's thread
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("GET and HEAD are answered, pipelined ones in order, anything else is refused") {
  EchoServer server;
  std::string close = "Connection: close\r\n\r\n";
  CHECK(contains(server.ask("GET /a?b=c HTTP/1.1\r\n" + close), "\r\n\r\n/a|b=c|"));
  std::string two = server.ask("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n" + close);
  CHECK(contains(two, "/1|"));
  CHECK(two.find("/1|") < two.find("/2|"));
  std::string head = server.ask("HEAD /abc HTTP/1.1\r\n" + close);
  CHECK(contains(head, "Content-Length: 6"));
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(contains(server.ask("GET /missing HTTP/1.1\r\n" + close), "404"));
  std::string put = server.ask("PUT / HTTP/1.1\r\n" + close);
  CHECK(contains(put, "405"));
  CHECK(contains(put, "Allow: GET, HEAD, POST, DELETE"));
}

TEST_CASE("a POST brings JSON, whole or in chunks, and up to a bound") {
  HttpOptions options;
  options.body_bytes_max = 100;
  EchoServer server(options);
  std::string post =
      "POST /p HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n";
  CHECK(contains(server.ask(post + "Content-Length: 7\r\n\r\n{\"a\":1}"), "/p||{\"a\":1}"));
  CHECK(contains(server.ask(post + "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n"
                                   "0\r\n\r\n"),
                 "/p||{\"a\":1}"));
  CHECK(contains(server.ask(post + "Content-Length: 0\r\n\r\n"), "/p||"));
  std::string expecting = server.ask(post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}");
  CHECK(expecting.starts_with("HTTP/1.1 100 "));
  CHECK(contains(expecting, "/p||{}"));
  CHECK(contains(server.ask(post + "Content-Length: 101\r\n\r\n" + std::string(101, ' ')), "413"));
  CHECK(contains(server.ask(post + "Transfer-Encoding: chunked\r\n\r\n65\r\n" +
                            std::string(101, ' ') + "\r\n0\r\n\r\n"),
                 "413"));
  CHECK(contains(server.ask("POST /p HTTP/1.1\r\nConnection: close\r\nContent-Type: text/plain\r\n"
                            "Content-Length: 2\r\n\r\n{}"),
                 "415"));
}

TEST_CASE("an answer may come later and from another thread, and comes if nobody gives it") {
  EchoServer server;
  std::string two =
      server.ask("GET /later HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n");
  CHECK(contains(two, "/later|"));
  CHECK(two.find("/later|") < two.find("/2|"));
  std::string never = server.ask("GET /never HTTP/1.1\r\nConnection: close\r\n\r\n");
  CHECK(contains(never, "503"));
  CHECK(contains(never, R"({"error":"nobody answers)"));
}

TEST_CASE("a page of another site changes nothing, whatever a name was pointed at") {
  EchoServer server;
  auto status_of = [&](const std::string& method, const std::string& host,
                       const std::string& origin) {
    std::string answer =
        server.ask(method + " /p HTTP/1.1\r\nConnection: close\r\nHost: " + host +
                   "\r\nOrigin: " + origin + "\r\nContent-Type: application/json\r\n\r\n");
    return answer.substr(9, 3);
  };
  for (std::string method : {"POST", "DELETE"}) {
    CHECK(status_of(method, "127.0.0.1:8080", "http://evil.example") == "403");
    CHECK(status_of(method, "127.0.0.1:8080", "null") == "403");
    CHECK(status_of(method, "evil.example:8080", "http://evil.example:8080") == "403");
    CHECK(status_of(method, "127.0.0.1:8080", "http://127.0.0.1:8080") == "200");
    CHECK(status_of(method, "[::1]:8080", "http://[::1]:8080") == "200");
    CHECK(status_of(method, "localhost:8080", "http://localhost:8080") == "200");
  }
  CHECK(status_of("GET", "127.0.0.1:8080", "http://evil.example") == "200");
}

TEST_CASE("bodies where none belong, endless headers and garbage end the connection") {
  EchoServer server;
  CHECK(contains(server.ask("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"), "400"));
  CHECK(contains(server.ask("DELETE / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"));
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
