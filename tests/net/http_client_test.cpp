#include "net/http_client.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include "net/http_server.h"

TEST_SUITE_BEGIN("net");

using leat::net::Address;
using leat::net::HttpAnswer;
using leat::net::HttpClient;
using leat::net::HttpOptions;
using leat::net::HttpRequest;
using leat::net::HttpResponse;
using leat::net::HttpServer;
using leat::net::Listener;

namespace {

constexpr std::chrono::seconds patience{20};

/// Answers with the path; counts how many holds it gave out still live.
class HoldingServer {
 public:
  explicit HoldingServer(const HttpOptions& options = {}) {
    auto listener = Listener::bind(io_, Address{"127.0.0.1", 0});
    REQUIRE(listener);
    server_ = std::make_unique<HttpServer>(
        std::move(*listener), options,
        [this](const HttpRequest& request, HttpServer::Answer answer) {
          HttpResponse response{request.is_local ? 200 : 403, "text/plain",
                                request.path + request.body};
          if (request.path == "/hold") {
            ++holds;
            response.hold = std::shared_ptr<void>(this, [this](void*) { --holds; });
          }
          answer(std::move(response));
        });
    REQUIRE(server_->start());
    thread_ = std::thread([this] { io_.run(); });
  }
  ~HoldingServer() {
    io_.stop();
    thread_.join();
  }
  std::unique_ptr<HttpClient> connect() const {
    auto client = HttpClient::connect(server_->address(), patience);
    REQUIRE(client);
    return std::move(*client);
  }

  std::atomic<int> holds{0};

 private:
  boost::asio::io_context io_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

TEST_CASE("a client asks again and again on one connection") {
  HoldingServer server;
  auto client = server.connect();
  for (const char* path : {"/a", "/b", "/a-long-one"}) {
    auto answer = client->get(path);
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->body == path);
  }
  auto posted = client->ask("POST", "/b", R"({"c":1})");
  REQUIRE(posted);
  CHECK(posted->body == R"(/b{"c":1})");
  CHECK(client->ask("DELETE", "/d", "").value().body == "/d");
}

TEST_CASE("what an answer holds is kept until the connection ends") {
  HoldingServer server;
  auto client = server.connect();
  REQUIRE(client->get("/hold"));
  REQUIRE(client->get("/other"));
  CHECK(server.holds == 1);
  REQUIRE(client->get("/hold"));
  REQUIRE(client->get("/other"));
  CHECK(server.holds == 1);
  client.reset();
  for (int i = 0; i < 2000 && server.holds > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(server.holds == 0);
}

TEST_CASE("a client that was idle for longer than its server lets it asks on another connection") {
  HttpOptions options;
  options.idle_timeout = std::chrono::milliseconds(20);
  HoldingServer server(options);
  auto client = server.connect();
  for (const char* method : {"GET", "POST", "DELETE"}) {
    REQUIRE(client->get("/hold"));
    for (int i = 0; i < 2000 && server.holds > 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    REQUIRE(server.holds == 0);
    auto answer = client->ask(method, "/again", "");
    REQUIRE_MESSAGE(answer, answer.error().what);
    CHECK(answer->body == "/again");
  }
}

TEST_CASE("nobody there is an error that names the address") {
  std::uint16_t port = 0;
  {
    boost::asio::io_context io;
    auto listener = Listener::bind(io, Address{"127.0.0.1", 0});
    REQUIRE(listener);
    port = (*listener)->address().port;
  }
  auto client = HttpClient::connect(Address{"127.0.0.1", port}, patience);
  REQUIRE(!client);
  CHECK(client.error().what.find("127.0.0.1:" + std::to_string(port)) != std::string::npos);
}

}  // namespace

TEST_SUITE_END();
