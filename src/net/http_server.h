// A small HTTP/1.1 server for machines that ask how we are, and for programs that say what to do:
// GET and HEAD, POST with JSON, DELETE.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/result.h"
#include "base/unique_function.h"
#include "net/listener.h"

namespace leat::net {

struct HttpRequest {
  std::string method;
  /// The target before any '?', and what follows it.
  std::string path;
  std::string query;
  /// It comes from this machine.
  bool is_local = false;
  /// Of a POST: JSON, as whoever sent it says.
  std::string body = {};
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Kept until the connection ends, or its next answer that has one.
  std::shared_ptr<void> hold = nullptr;
  /// Of a 405: the methods that are taken.
  std::string allow = "GET, HEAD";
};

/// {"error": what} with that status.
HttpResponse error_response(int status, const std::string& what);

struct HttpOptions {
  std::size_t connections_max = 256;
  std::size_t header_bytes_max = 8 << 10;
  std::size_t body_bytes_max = std::size_t{1} << 20;
  /// For one request to arrive, and for its answer to be taken.
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};
};

/// Belongs to the thread of its io_context once that runs, and lives until that has stopped.
///
/// A page that a browser got elsewhere cannot change anything here: a POST must say that it is
/// JSON, for which browsers ask beforehand, and are not answered; what names an Origin must come
/// from where it goes to, by that machine's address, so that no name that was pointed at us counts.
class HttpServer {
 public:
  /// Takes the answer to a request, once, on any thread. One that is let go instead answers 503.
  using Answer = UniqueFunction<void(HttpResponse)>;
  /// Called for each request, on the server's thread. The answer may come later, while the
  /// io_context is there.
  using Handler = std::function<void(HttpRequest, Answer)>;

  HttpServer(std::unique_ptr<Listener> listener, HttpOptions options, Handler handler);

  Result<void> start();
  /// Accepts no more. Requests that are being answered go on.
  void stop() { listener_->stop(); }
  Address address() const { return listener_->address(); }

 private:
  class Connection;
  Task<void> serve(Listener::Socket socket, ConnectionLimit::Token token);

  std::unique_ptr<Listener> listener_;
  HttpOptions options_;
  Handler handler_;
};

}  // namespace leat::net
