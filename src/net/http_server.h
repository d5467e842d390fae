// A small HTTP/1.1 server for machines that ask how we are: GET and HEAD, short requests.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/result.h"
#include "net/listener.h"

namespace leat::net {

struct HttpRequest {
  std::string method;
  /// The target before any '?', and what follows it.
  std::string path;
  std::string query;
  /// It comes from this machine.
  bool is_local = false;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Kept until the connection ends, or its next answer that has one.
  std::shared_ptr<void> hold = nullptr;
};

struct HttpOptions {
  std::size_t connections_max = 256;
  std::size_t header_bytes_max = 8 << 10;
  /// For one request to arrive, and for its answer to be taken.
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};
};

/// Belongs to the thread of its io_context once that runs, and lives until that has stopped.
class HttpServer {
 public:
  /// Called for each request; answers at once.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  HttpServer(std::unique_ptr<Listener> listener, HttpOptions options, Handler handler);

  Result<void> start();
  /// Accepts no more. Requests that are being answered go on.
  void stop() { listener_->stop(); }
  Address address() const { return listener_->address(); }

 private:
  Task<void> serve(Listener::Socket socket, ConnectionLimit::Token token);
  HttpResponse respond(const std::string& method, const std::string& target, bool is_local) const;

  std::unique_ptr<Listener> listener_;
  HttpOptions options_;
  Handler handler_;
};

}  // namespace leat::net
