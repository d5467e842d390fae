#include "server/connection.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "base/logging.h"

namespace leat::server {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Requests that wait for their turn hold at most about so much before reading pauses.
constexpr std::size_t waiting_bytes_max = net::BufferPool::standard_bytes;
// One connection sends so much before others get their turn.
constexpr std::uint64_t send_bytes_max = 1 << 20;
constexpr std::chrono::milliseconds memory_retry{10};

RequestQueue::Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

std::string describe_peer(const Connection::Socket& socket) {
  error_code error;
  tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return "a peer that has gone";
  return net::Address{peer.address().to_string(), peer.port()}.to_string();
}

}  // namespace

Connection::Connection(Socket socket, net::ConnectionLimit::Token token, net::Address advertised,
                       Environment& environment)
    : environment_(environment),
      socket_(std::move(socket)),
      token_(std::move(token)),
      advertised_(std::move(advertised)),
      peer_(describe_peer(socket_)),
      reader_(environment.pool, environment.limits.frame_bytes_max),
      read_deadline_(
          socket_.get_executor(),
          [this] {
            environment_.metrics.connections_timed_out.add();
            close(!queue_.has_started() && reader_.in_frame() ? "a request came too slowly" : "");
          }),
      resume_reading_(socket_.get_executor()),
      queue_(environment.limits.in_flight_bytes_max),
      write_deadline_(socket_.get_executor(),
                      [this] {
                        environment_.metrics.connections_timed_out.add();
                        close("its peer does not read its answers");
                      }),
      late_deadline_(socket_.get_executor(), [this] { tell_late(); }) {}

bool Connection::LogBudget::take() {
  Clock::time_point now = Clock::now();
  if (now - second_ > std::chrono::seconds(1)) {
    second_ = now;
    lines_ = 0;
  }
  return ++lines_ <= lines_per_second;
}

void Connection::start() {
  error_code error;
  socket_.set_option(tcp::no_delay(true), error);
  if (!error) socket_.native_non_blocking(true, error);
  if (error) return close("");
  net::Task<void> task = read();
  auto ended = [self = shared_from_this()](const std::exception_ptr& thrown) {
    // A lack of memory or a bug: it costs one connection.
    if (thrown) self->close("an exception while reading from it");
  };
  asio::co_spawn(socket_.get_executor(), std::move(task), std::move(ended));
}

void Connection::drain() {
  if (is_draining_ || !is_open_) return;
  is_draining_ = true;
  read_deadline_.clear();
  resume_reading_.notify();
  queue_.hurry_all();
  post_pump();
}

void Connection::close(const std::string& reason) {
  if (!is_open_) return;
  is_open_ = false;
  auto self = shared_from_this();
  if (!reason.empty()) {
    environment_.metrics.connections_broken.add();
    if (environment_.log_budget.take()) {
      log_info("closing the connection of {}: {}", peer_, reason);
    }
  }
  error_code ignored;
  socket_.close(ignored);
  read_deadline_.clear();
  write_deadline_.clear();
  late_deadline_.clear();
  resume_reading_.notify();
  token_.reset();
  queue_.abandon();
  environment_.closed(*this);
}

net::Task<void> Connection::read() {
  auto self = shared_from_this();
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  asio::steady_timer memory_timer(socket_.get_executor());
  bool is_drained = false;  // the socket has nothing more, so that asking it is a waste
  while (is_open_ && !is_draining_) {
    if (queue_.waiting_bytes() >= waiting_bytes_max) {
      is_reading_paused_ = true;
      co_await resume_reading_.wait();
      is_reading_paused_ = false;
      continue;
    }
    Received received = is_drained ? Received::nothing : receive();
    is_drained = false;
    if (received == Received::no_memory) {
      memory_timer.expires_after(memory_retry);
      co_await memory_timer.async_wait(token);
      continue;
    }
    if (received == Received::failed) {
      close("");
      break;
    }
    if (received == Received::end) {
      drain();
      break;
    }
    if (received == Received::some || received == Received::all) {
      is_drained = received == Received::all;
      if (!take_frames()) break;
      pump();
      continue;
    }
    reader_.release_if_empty();
    set_read_deadline();
    co_await socket_.async_wait(tcp::socket::wait_read, token);
  }
  close_if_drained();
}

Connection::Received Connection::receive() {
  MutableBytes space = reader_.space();
  if (space.empty()) return Received::no_memory;
  ssize_t got = 0;
  do {
    got = ::recv(socket_.native_handle(), space.data(), space.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return Received::end;
  if (got < 0) {
    bool would_block = errno == EAGAIN || errno == EWOULDBLOCK;
    return would_block ? Received::nothing : Received::failed;
  }
  reader_.commit(static_cast<std::size_t>(got));
  environment_.metrics.bytes_in.add(static_cast<std::uint64_t>(got));
  return static_cast<std::size_t>(got) < space.size() ? Received::all : Received::some;
}

bool Connection::take_frames() {
  while (true) {
    auto frame = reader_.next();
    if (!frame) {
      close(frame.error().what);
      return false;
    }
    if (!*frame) return true;
    ++frames_read_;
    queue_.push(std::move(**frame));
  }
}

void Connection::set_read_deadline() {
  const Limits& limits = environment_.limits;
  if (!reader_.in_frame()) {
    // A client that waits for us is not idle.
    if (queue_.empty() && outbox_.empty()) {
      read_deadline_.set(limits.idle_timeout);
    } else {
      read_deadline_.clear();
    }
    deadline_frame_ = 0;
    return;
  }
  // Set once a frame, and again when its length is known: trickling bytes do not move it.
  bool knows_length = reader_.expected_bytes() > 0;
  std::uint64_t frame = frames_read_ + 1;
  if (deadline_frame_ == frame && deadline_knows_length_ == knows_length) return;
  deadline_frame_ = frame;
  deadline_knows_length_ = knows_length;
  std::chrono::seconds allowance(reader_.expected_bytes() / limits.slow_bytes_per_s);
  read_deadline_.set(limits.frame_timeout + allowance);
}

bool Connection::may_start() const {
  return outbox_.pending_bytes() < environment_.limits.unsent_bytes_max && queue_.can_start();
}

void Connection::pump() {
  is_pumping_ = true;
  while (is_open_ && may_start()) {
    start_next();
    move_answers();
  }
  is_pumping_ = false;
  if (!is_open_) return;
  if (is_reading_paused_ && queue_.waiting_bytes() < waiting_bytes_max) resume_reading_.notify();
  send();
}

void Connection::start_next() {
  Incoming incoming;
  incoming.sink = shared_from_this();
  incoming.node = &environment_.node;
  incoming.fetch_sessions = &environment_.fetch_sessions;
  incoming.advertised = &advertised_;
  incoming.peer = &peer_;
  Result<void> started = queue_.start_next(std::move(incoming), now());
  if (!started) close(started.error().what);
}

void Connection::answer(std::uint64_t slot, Answer answer) {
  if (!environment_.executor.is_current()) {
    return environment_.executor.post(
        [self = shared_from_this(), slot, answer = std::move(answer)]() mutable {
          self->answer(slot, std::move(answer));
        });
  }
  if (queue_.end(slot, std::move(answer)) && !is_pumping_) post_pump();
}

void Connection::finish(std::uint64_t slot) {
  if (!environment_.executor.is_current()) {
    return environment_.executor.post([self = shared_from_this(), slot] { self->finish(slot); });
  }
  if (queue_.end(slot, std::nullopt) && !is_pumping_) post_pump();
}

void Connection::disconnect(const std::string& reason) {
  if (environment_.executor.is_current()) return close(reason);
  environment_.executor.post([self = shared_from_this(), reason] { self->close(reason); });
}

void Connection::on_hurry(std::uint64_t slot, UniqueFunction<void()> hurry) {
  if (!environment_.executor.is_current()) {
    return environment_.executor.post(
        [self = shared_from_this(), slot, hurry = std::move(hurry)]() mutable {
          self->on_hurry(slot, std::move(hurry));
        });
  }
  if (!queue_.keep_hurry(slot, hurry)) asio::post(socket_.get_executor(), std::move(hurry));
}

void Connection::on_timeout(std::uint64_t slot, std::chrono::milliseconds timeout,
                            UniqueFunction<void()> late) {
  if (!environment_.executor.is_current()) {
    return environment_.executor.post(
        [self = shared_from_this(), slot, timeout, late = std::move(late)]() mutable {
          self->on_timeout(slot, timeout, std::move(late));
        });
  }
  std::optional<RequestQueue::Time> late_at = queue_.keep_late(slot, timeout, std::move(late));
  // One timer for all: mostly none is late, and they come in the order of their deadlines.
  if (!late_at || (late_deadline_.is_set() && late_at_ <= *late_at)) return;
  late_at_ = *late_at;
  late_deadline_.set(timeout);
}

void Connection::tell_late() {
  auto self = shared_from_this();
  RequestQueue::Time at = now();
  queue_.tell_late(at);
  std::optional<RequestQueue::Time> next = queue_.next_late();
  if (!next || !is_open_) return;
  late_at_ = *next;
  late_deadline_.set(late_at_ - at);
}

void Connection::move_answers() {
  while (std::optional<RequestQueue::Ended> ended = queue_.take_ended(now())) {
    const ApiMetrics& metrics = environment_.metrics.of(*ended->api);
    auto took = std::chrono::duration_cast<std::chrono::microseconds>(ended->took);
    metrics.requests->add();
    metrics.latency->record_us(static_cast<std::uint64_t>(took.count()));
    if (ended->answer) add_to_outbox(std::move(*ended->answer));
  }
}

void Connection::add_to_outbox(Answer answer) {
  if (answer.payloads.empty()) {
    outbox_.add(std::move(answer.encoded.bytes));
    return;
  }
  auto bytes = std::make_shared<const wire::Encoded>(std::move(answer.encoded));
  for (std::size_t i = 0; i < answer.payloads.size(); ++i) {
    outbox_.add(bytes, bytes->run(i));
    Payload& payload = answer.payloads[i];
    if (payload.memory) {
      outbox_.add(payload.memory, *payload.memory);
    } else {
      outbox_.add(std::move(payload.file));
    }
  }
  outbox_.add(bytes, bytes->run(answer.payloads.size()));
}

void Connection::post_pump() {
  // One commit of the log completes many requests in one turn: they leave together in the next.
  if (is_pump_posted_) return;
  is_pump_posted_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->is_pump_posted_ = false;
    if (!self->is_open_) return;
    self->move_answers();
    self->pump();
  });
}

void Connection::send() {
  if (is_blocked_ || outbox_.empty()) return close_if_drained();
  std::uint64_t sent_before = outbox_.sent_bytes();
  Result<net::Outbox::State> state = outbox_.send(socket_.native_handle(), send_bytes_max);
  std::uint64_t sent = outbox_.sent_bytes() - sent_before;
  environment_.metrics.bytes_out.add(sent);
  if (!state) return close(state.error().code == Errc::io_error ? state.error().what : "");
  switch (*state) {
    case net::Outbox::State::empty:
      write_deadline_.clear();
      // Nobody may be reading, and only the reader sets the time of idleness.
      if (queue_.empty()) set_read_deadline();
      if (may_start()) post_pump();
      return close_if_drained();
    case net::Outbox::State::more: return post_pump();
    case net::Outbox::State::blocked:
      if (sent > 0 || !write_deadline_.is_set()) {
        write_deadline_.set(environment_.limits.write_timeout);
      }
      wait_writable();
  }
}

void Connection::wait_writable() {
  is_blocked_ = true;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code&) {
    self->is_blocked_ = false;
    if (self->is_open_) self->pump();
  });
}

void Connection::close_if_drained() {
  if (is_draining_ && queue_.empty() && outbox_.empty()) close("");
}

}  // namespace leat::server
