#include "client/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstring>

#include <fmt/core.h>

#include "client/frame_padding.h"
#include "leat/version.h"

namespace leat::client {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t read_ahead_bytes = std::size_t{16} << 10;
/// The rest of a large answer is read in parts of that size: to be woken for each packet costs as
/// much as to copy it.
constexpr std::size_t part_bytes = std::size_t{256} << 10;

}  // namespace

/// A request that waits for its answer: until the timer ends, or is cancelled once `result` is
/// there.
struct Connection::Pending {
  Pending(const asio::any_io_executor& executor, std::int32_t id, std::chrono::milliseconds timeout)
      : correlation_id(id), timer(executor, timeout) {}
  void complete(Result<Frame> with) {
    result = std::move(with);
    timer.cancel();
  }
  std::int32_t correlation_id;
  asio::steady_timer timer;
  std::optional<Result<Frame>> result;
};

Connection::Connection(asio::any_io_executor executor, net::Address address,
                       ConnectionOptions options)
    : address_(std::move(address)),
      options_(std::move(options)),
      resolver_(executor),
      socket_(executor),
      connect_timer_(executor),
      read_ahead_(read_ahead_bytes) {}

net::Task<Result<void>> Connection::open() {
  auto self = shared_from_this();
  Result<void> done = co_await connect();
  if (!done) {
    close(done.error());
    co_return done;
  }
  asio::co_spawn(socket_.get_executor(), read_answers(self), asio::detached);
  done = co_await negotiate();
  if (!done) close(done.error());
  co_return done;
}

net::Task<Result<std::vector<tcp::endpoint>>> Connection::resolve() {
  error_code code;
  asio::ip::address numeric = asio::ip::make_address(address_.host, code);
  if (!code) co_return std::vector<tcp::endpoint>{{numeric, address_.port}};
  auto token = asio::redirect_error(asio::use_awaitable, code);
  std::string port = std::to_string(address_.port);
  auto found = co_await resolver_.async_resolve(address_.host, port, token);
  if (code) co_return tl::unexpected(error_of("cannot resolve", code));
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

net::Task<Result<void>> Connection::connect() {
  auto self = shared_from_this();
  Result<std::vector<tcp::endpoint>> endpoints = co_await resolve();
  if (closed_) co_return tl::unexpected(*closed_);
  if (!endpoints) co_return fail(endpoints);
  error_code code;
  for (const tcp::endpoint& endpoint : *endpoints) {
    socket_ = tcp::socket(socket_.get_executor());
    connect_timer_.expires_after(options_.connect_timeout);
    connect_timer_.async_wait([self](error_code cancelled) {
      error_code ignored;
      if (!cancelled) self->socket_.close(ignored);
    });
    auto token = asio::redirect_error(asio::use_awaitable, code);
    co_await socket_.async_connect(endpoint, token);
    bool timed_out = connect_timer_.cancel() == 0;
    if (closed_) co_return tl::unexpected(*closed_);
    if (!code && !timed_out) break;
    if (timed_out) code = asio::error::timed_out;
  }
  if (code) co_return tl::unexpected(error_of("cannot connect to", code));
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  socket_.non_blocking(true, ignored);
  co_return Result<void>{};
}

net::Task<Result<void>> Connection::negotiate() {
  wire::ApiVersionsRequest request{"leat", version_text};
  wire::Version version = 3;
  // A broker that does not know version 3 says so in some form or other; all know version 0.
  for (int attempt = 0; attempt < 2; ++attempt) {
    wire::RequestHeader header = next_header(version);
    Result<wire::Encoded> encoded = wire::encode_request(request, header);
    if (!encoded) co_return fail(encoded);
    Outgoing outgoing{std::move(*encoded), {}};
    Result<Frame> frame =
        co_await exchange(std::move(outgoing), options_.connect_timeout, Effect::none);
    if (!frame) co_return fail(frame);
    Result<wire::ResponseFrame> response = wire::parse_response(frame->bytes());
    if (!response) co_return fail(response);
    auto answer = wire::decode_api_versions(response->rest, version);
    if (answer && answer->error_code == wire::ErrorCode::none) {
      versions_ = ApiVersions(*answer);
      co_return Result<void>{};
    }
    version = 0;
  }
  co_return fail(
      Errc::unsupported_version,
      fmt::format("broker {} does not say which versions it speaks", address_.to_string()));
}

net::Task<Result<Frame>> Connection::exchange(Outgoing outgoing, std::chrono::milliseconds timeout,
                                              Effect effect) {
  auto self = shared_from_this();
  if (closed_) co_return tl::unexpected(*closed_);
  auto pending = std::make_shared<Pending>(socket_.get_executor(), last_correlation_id_, timeout);
  pending_.push_back(pending);
  queued_.push_back(std::move(outgoing));
  if (sending_.empty()) write_queued();
  error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  co_await pending->timer.async_wait(token);
  if (!pending->result)
    close({Errc::request_timed_out, fmt::format("broker {} did not answer within {} ms",
                                                address_.to_string(), timeout.count())});
  if (!*pending->result) pending->result->error().possibly_persisted = effect == Effect::possible;
  co_return std::move(*pending->result);
}

net::Task<void> Connection::read_answers([[maybe_unused]] Ptr self) {
  while (!closed_) {
    Result<Frame> frame = co_await read_frame();
    if (!frame)
      close(frame.error());
    else
      take_answer(std::move(*frame));
  }
}

net::Task<Result<Frame>> Connection::read_frame() {
  error_code code;
  auto token = asio::redirect_error(asio::use_awaitable, code);
  while (read_end_ - read_begin_ < wire::frame_size_bytes) {
    std::memmove(read_ahead_.data(), read_ahead_.data() + read_begin_, read_end_ - read_begin_);
    read_end_ -= std::exchange(read_begin_, 0);
    auto room = asio::buffer(read_ahead_) + read_end_;
    read_end_ += co_await socket_.async_read_some(room, token);
    if (code) co_return tl::unexpected(error_of("lost the connection to", code));
  }
  BytesView buffered(read_ahead_.data() + read_begin_, read_end_ - read_begin_);
  Result<std::size_t> size =
      wire::parse_frame_size(buffered.first(wire::frame_size_bytes), options_.max_response_bytes);
  if (!size) co_return tl::unexpected(from_here(size.error()));
  std::shared_ptr<std::byte[]> memory = options_.memory->take(*size + frame_padding_bytes);
  BytesView present = buffered.subspan(wire::frame_size_bytes);
  present = present.first(std::min(present.size(), *size));
  std::memcpy(memory.get(), present.data(), present.size());
  read_begin_ += wire::frame_size_bytes + present.size();
  MutableBytes rest(memory.get() + present.size(), *size - present.size());
  error_code failed = co_await read_rest(rest);
  if (failed) co_return tl::unexpected(error_of("lost the connection to", failed));
  co_return Frame{std::move(memory), *size};
}

net::Task<error_code> Connection::read_rest(MutableBytes rest) {
  error_code code;
  auto token = asio::redirect_error(asio::use_awaitable, code);
  while (!rest.empty()) {
    auto room = asio::buffer(rest.data(), rest.size());
    rest = rest.subspan(socket_.read_some(room, code));
    if (code == asio::error::would_block) {
      wake_when_there(std::min(rest.size(), part_bytes));
      co_await socket_.async_wait(tcp::socket::wait_read, token);
    }
    if (code) co_return code;
  }
  wake_when_there(1);
  co_return error_code{};
}

void Connection::wake_when_there(std::size_t bytes) {
  if (wake_bytes_ == bytes) return;
  error_code ignored;
  asio::socket_base::receive_low_watermark mark(static_cast<int>(bytes));
  socket_.set_option(mark, ignored);
  wake_bytes_ = bytes;
}

void Connection::take_answer(Frame frame) {
  Result<wire::ResponseFrame> response = wire::parse_response(frame.bytes());
  if (!response) return close(response.error());
  if (pending_.empty() || pending_.front()->correlation_id != response->correlation_id)
    return close({Errc::malformed,
                  fmt::format("broker {} answered what was not asked", address_.to_string())});
  auto pending = std::move(pending_.front());
  pending_.pop_front();
  pending->complete(std::move(frame));
}

void Connection::write_queued() {
  sending_ = std::exchange(queued_, {});
  if (sending_.empty() || closed_) return;
  std::vector<asio::const_buffer> buffers;
  auto add = [&](BytesView bytes) { buffers.emplace_back(bytes.data(), bytes.size()); };
  for (const Outgoing& outgoing : sending_) {
    for (std::size_t i = 0; i < outgoing.frame.holes.size(); ++i) {
      add(outgoing.frame.run(i));
      add(outgoing.fillings.parts[i]);
    }
    add(outgoing.frame.run(outgoing.frame.holes.size()));
  }
  asio::async_write(socket_, buffers,
                    [self = shared_from_this()](const error_code& code, std::size_t) {
                      if (code) return self->close(self->error_of("cannot send to", code));
                      self->write_queued();
                    });
}

void Connection::close(Error error) {
  if (closed_) return;
  closed_ = std::move(error);
  error_code ignored;
  socket_.close(ignored);
  resolver_.cancel();
  connect_timer_.cancel();
  queued_.clear();
  for (auto& pending : std::exchange(pending_, {})) pending->complete(tl::unexpected(*closed_));
}

bool Connection::leads_to(const net::Address& address) const {
  if (address == address_) return true;
  error_code code;
  tcp::endpoint remote = socket_.remote_endpoint(code);
  return !code && remote.port() == address.port && remote.address().to_string() == address.host;
}

wire::RequestHeader Connection::next_header(wire::Version version) {
  // Only ever compared, so it may wrap; it stays positive for those who look at it in a trace.
  last_correlation_id_ = (last_correlation_id_ + 1) & 0x7fff'ffff;
  return {.key = {},
          .version = version,
          .correlation_id = last_correlation_id_,
          .client_id = options_.client_id};
}

Error Connection::from_here(Error error) const {
  error.what = address_.to_string() + ": " + error.what;
  return error;
}

Error Connection::error_of(const char* what, const error_code& code) const {
  if (code == asio::error::eof)
    return {Errc::connection_failed,
            fmt::format("{} {}: it was closed by the broker", what, address_.to_string())};
  return {Errc::connection_failed,
          fmt::format("{} {}: {}", what, address_.to_string(), code.message())};
}

}  // namespace leat::client
