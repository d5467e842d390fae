#include "net/http_server.h"

#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/core.h>

#include "net/event.h"

namespace leat::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

using Fields = http::request<http::string_body>;

std::string text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

/// An answer on its way to its connection's thread. Lives there, but for what makes it.
struct Awaited {
  explicit Awaited(const asio::any_io_executor& executor) : arrived(executor) {}
  std::optional<HttpResponse> response;
  Event arrived;
};

/// Gives one answer, from any thread, whatever becomes of whoever should.
class Answerer {
 public:
  Answerer(std::shared_ptr<Awaited> awaited, asio::any_io_executor executor)
      : awaited_(std::move(awaited)), executor_(std::move(executor)) {}
  Answerer(Answerer&& other) noexcept
      : awaited_(std::move(other.awaited_)), executor_(std::move(other.executor_)) {}
  Answerer& operator=(Answerer&&) = delete;
  ~Answerer() {
    if (awaited_) give(error_response(503, "nobody answers; the server may be stopping"));
  }
  void operator()(HttpResponse response) { give(std::move(response)); }

 private:
  void give(HttpResponse response) {
    asio::post(executor_, [awaited = std::exchange(awaited_, nullptr),
                           response = std::move(response)]() mutable {
      awaited->response = std::move(response);
      awaited->arrived.notify();
    });
  }

  std::shared_ptr<Awaited> awaited_;
  asio::any_io_executor executor_;
};

bool begins_with_type(beast::string_view value, beast::string_view type) {
  return beast::iequals(value.substr(0, type.size()), type) &&
         (value.size() == type.size() || value[type.size()] == ';' || value[type.size()] == ' ');
}

/// "[::1]:8080" -> "::1".
std::string host_of(const std::string& host_and_port) {
  if (host_and_port.starts_with('[')) return host_and_port.substr(1, host_and_port.find(']') - 1);
  return host_and_port.substr(0, host_and_port.find(':'));
}

/// Whether a browser sends it for a page that is not ours.
bool is_cross_site(const Fields& request) {
  auto origin = request.find(http::field::origin);
  if (origin == request.end()) return false;
  std::string host = text_of(request[http::field::host]);
  if (text_of(origin->value()) != "http://" + host) return true;
  error_code no_address;
  asio::ip::make_address(host_of(host), no_address);
  return no_address && host_of(host) != "localhost";
}

/// What is wrong with a request as such.
std::optional<HttpResponse> refusal_of(const Fields& request) {
  http::verb verb = request.method();
  if (verb == http::verb::get || verb == http::verb::head) return std::nullopt;
  if (verb != http::verb::post && verb != http::verb::delete_) {
    HttpResponse refusal = error_response(405, "only GET, HEAD, POST and DELETE are allowed");
    refusal.allow = "GET, HEAD, POST, DELETE";
    return refusal;
  }
  if (is_cross_site(request)) {
    return error_response(403, "a page of another site may not change anything here");
  }
  if (verb == http::verb::post &&
      !begins_with_type(request[http::field::content_type], "application/json")) {
    return error_response(415, "a POST must say Content-Type: application/json");
  }
  return std::nullopt;
}

bool is_unreadable(const error_code& error) {
  return error == http::error::body_limit || error == http::error::partial_message ||
         error == http::error::header_limit ||
         error.category() == http::make_error_code(http::error::bad_method).category();
}

}  // namespace

HttpResponse error_response(int status, const std::string& what) {
  std::string text;
  for (char c : what) {
    if (c == '"' || c == '\\') text += '\\';
    if (static_cast<unsigned char>(c) < ' ') {
      text += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      text += c;
    }
  }
  return {status, "application/json", "{\"error\":\"" + text + "\"}\n"};
}

HttpServer::HttpServer(std::unique_ptr<Listener> listener, HttpOptions options, Handler handler)
    : listener_(std::move(listener)), options_(options), handler_(std::move(handler)) {}

Result<void> HttpServer::start() {
  ConnectionLimit limit(options_.connections_max, options_.connections_max);
  return listener_->start(std::move(limit),
                          [this](Listener::Socket socket, ConnectionLimit::Token token) {
                            auto executor = socket.get_executor();
                            Task<void> task = serve(std::move(socket), std::move(token));
                            asio::co_spawn(executor, std::move(task), asio::detached);
                          });
}

/// Requests of one client, one after the other.
class HttpServer::Connection {
 public:
  Connection(HttpServer& server, Listener::Socket socket)
      : server_(server),
        stream_(std::move(socket)),
        buffer_(server.options_.header_bytes_max + server.options_.body_bytes_max + 1) {
    auto peer = stream_.socket().remote_endpoint(error_);
    is_local_ = !error_ && peer.address().is_loopback();
  }

  Task<void> run() {
    bool is_first = true;
    while (keep_alive_ && !error_) {
      http::request_parser<http::string_body> parser;
      stream_.expires_after(std::exchange(is_first, false) ? server_.options_.request_timeout
                                                           : server_.options_.idle_timeout);
      co_await read(parser);
      if (error_ == http::error::end_of_stream || (error_ && !is_unreadable(error_))) break;
      if (error_) {
        keep_alive_ = false;
        bool is_post = parser.get().method() == http::verb::post;
        HttpResponse refusal = error_ == http::error::body_limit && is_post
                                   ? error_response(413, "more than a request may have")
                                   : error_response(400, "not a request that we can read");
        co_await write(std::move(refusal));
      } else {
        Fields request = parser.release();
        HttpResponse answer = co_await respond(std::move(request));
        co_await write(std::move(answer));
      }
    }
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error_);
  }

 private:
  auto token() { return asio::redirect_error(asio::use_awaitable, error_); }

  Task<void> read(http::request_parser<http::string_body>& parser) {
    parser.header_limit(static_cast<std::uint32_t>(server_.options_.header_bytes_max));
    parser.body_limit(server_.options_.body_bytes_max);
    auto use = token();
    co_await http::async_read_header(stream_, buffer_, parser, use);
    if (error_) co_return;
    bool has_body = parser.chunked() || parser.content_length().value_or(0) > 0;
    if (has_body && parser.get().method() != http::verb::post) {
      error_ = http::error::body_limit;
      co_return;
    }
    stream_.expires_after(server_.options_.request_timeout);
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      http::response<http::empty_body> go_on(http::status::continue_, 11);
      co_await http::async_write(stream_, go_on, use);
      if (error_) co_return;
    }
    co_await http::async_read(stream_, buffer_, parser, use);
  }

  Task<HttpResponse> respond(Fields request) {
    keep_alive_ = request.keep_alive();
    is_head_ = request.method() == http::verb::head;
    auto refusal = refusal_of(request);
    if (refusal) co_return std::move(*refusal);
    std::string target = text_of(request.target());
    std::size_t question = target.find('?');
    HttpRequest asked{text_of(request.method_string()), target.substr(0, question), "", is_local_,
                      std::move(request.body())};
    if (question != std::string::npos) asked.query = target.substr(question + 1);
    auto awaited = std::make_shared<Awaited>(stream_.get_executor());
    server_.handler_(std::move(asked), Answerer(awaited, stream_.get_executor()));
    while (!awaited->response) {
      co_await awaited->arrived.wait();
    }
    co_return std::move(*awaited->response);
  }

  Task<void> write(HttpResponse answer) {
    if (answer.hold) hold_ = std::move(answer.hold);
    http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
    response.set(http::field::content_type, answer.content_type);
    response.set(http::field::server, "leat");
    if (answer.status == 405) response.set(http::field::allow, answer.allow);
    response.keep_alive(keep_alive_);
    response.content_length(answer.body.size());
    if (!is_head_) response.body() = std::move(answer.body);
    stream_.expires_after(server_.options_.request_timeout);
    error_ = {};
    http::response_serializer<http::string_body> serializer(response);
    auto use = token();
    co_await http::async_write(stream_, serializer, use);
  }

  HttpServer& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  error_code error_;
  bool keep_alive_ = true;
  bool is_head_ = false;
  bool is_local_ = false;
  std::shared_ptr<void> hold_;
};

Task<void> HttpServer::serve(Listener::Socket socket, ConnectionLimit::Token token) {
  Connection connection(*this, std::move(socket));
  co_await connection.run();
  (void)token;
}

}  // namespace leat::net
