#include "net/http_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace leat::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

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

HttpResponse HttpServer::respond(const std::string& method, const std::string& target,
                                 bool is_local) const {
  if (method != "GET" && method != "HEAD")
    return {405, "application/json",
            R"({"error":"only GET and HEAD are allowed"})"
            "\n"};
  std::size_t question = target.find('?');
  HttpRequest request{method, target.substr(0, question), "", is_local};
  if (question != std::string::npos) request.query = target.substr(question + 1);
  return handler_(request);
}

Task<void> HttpServer::serve(Listener::Socket socket, ConnectionLimit::Token token) {
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer(options_.header_bytes_max + 1);
  error_code error;
  auto use = asio::redirect_error(asio::use_awaitable, error);
  bool keep_alive = true;
  bool is_first = true;
  auto peer = stream.socket().remote_endpoint(error);
  bool is_local = !error && peer.address().is_loopback();
  std::shared_ptr<void> hold;
  while (keep_alive && !error) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
    parser.body_limit(0);
    stream.expires_after(is_first ? options_.request_timeout : options_.idle_timeout);
    is_first = false;
    co_await http::async_read(stream, buffer, parser, use);
    if (error == http::error::end_of_stream || error == beast::error::timeout) break;
    HttpResponse answer;
    if (error == http::error::body_limit || error == http::error::partial_message ||
        error == http::error::header_limit ||
        error.category() == http::make_error_code(http::error::bad_method).category()) {
      answer = {400, "application/json",
                R"({"error":"not a request that we can read"})"
                "\n"};
      keep_alive = false;
    } else if (error) {
      break;
    } else {
      const auto& request = parser.get();
      keep_alive = request.keep_alive();
      answer =
          respond(std::string(request.method_string()), std::string(request.target()), is_local);
      if (answer.hold) hold = std::move(answer.hold);
    }
    http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
    response.set(http::field::content_type, answer.content_type);
    response.set(http::field::server, "leat");
    if (answer.status == 405) response.set(http::field::allow, "GET, HEAD");
    response.keep_alive(keep_alive);
    response.content_length(answer.body.size());
    if (parser.get().method() != http::verb::head) response.body() = std::move(answer.body);
    stream.expires_after(options_.request_timeout);
    error = {};
    http::response_serializer<http::string_body> serializer(response);
    co_await http::async_write(stream, serializer, use);
  }
  stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  (void)token;
}

}  // namespace leat::net
