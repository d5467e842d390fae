#include "net/http_client.h"

#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/core.h>

namespace leat::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

/// An answer that claims to be larger is none of ours.
constexpr std::uint64_t body_bytes_max = std::uint64_t{1} << 30;

}  // namespace

struct HttpClient::State {
  Address address;
  std::chrono::milliseconds timeout{0};
  asio::io_context io{1};
  beast::tcp_stream stream{io};
  beast::flat_buffer buffer;

  /// Runs what was begun on the stream to its end.
  template <class Begin>
  error_code run(Begin begin) {
    error_code outcome;
    stream.expires_after(timeout);
    begin([&outcome](const error_code& error, auto&&...) { outcome = error; });
    io.restart();
    io.run();
    return outcome;
  }
  Result<void> connect() {
    error_code error;
    asio::ip::tcp::resolver resolver(io);
    auto found = resolver.resolve(address.host, std::to_string(address.port), error);
    if (error) return refuse(error);
    error = run([&](auto done) { stream.async_connect(found, done); });
    if (error) return refuse(error);
    return {};
  }
  /// Whether the server has said its last: nothing of a request that comes now was done by it.
  bool is_closed() {
    error_code error;
    char next = 0;
    stream.socket().non_blocking(true, error);
    stream.socket().receive(asio::buffer(&next, 1), asio::socket_base::message_peek, error);
    return error && error != asio::error::would_block;
  }
  tl::unexpected<Error> refuse(const error_code& error) const {
    return fail(Errc::connection_failed,
                fmt::format("http://{}: {}", address.to_string(), error.message()));
  }
};

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::connect(const Address& address,
                                                        std::chrono::milliseconds timeout) {
  auto state = std::make_unique<State>();
  state->address = address;
  state->timeout = timeout;
  if (auto connected = state->connect(); !connected) return fail(connected);
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(state)));
}

Result<HttpAnswer> HttpClient::ask(const std::string& method, const std::string& target,
                                   const std::string& body) {
  State& state = *state_;
  if (state.is_closed()) {
    state.stream.close();
    state.buffer.clear();
    if (auto connected = state.connect(); !connected) return fail(connected);
  }
  http::request<http::string_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, state.address.to_string());
  request.set(http::field::user_agent, "leat");
  if (request.method() == http::verb::post) {
    request.set(http::field::content_type, "application/json");
    request.body() = body;
    request.prepare_payload();
  }
  error_code error = state.run([&](auto done) { http::async_write(state.stream, request, done); });
  if (error) return state.refuse(error);
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_bytes_max);
  error = state.run([&](auto done) { http::async_read(state.stream, state.buffer, parser, done); });
  if (error) return state.refuse(error);
  return HttpAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

}  // namespace leat::net
