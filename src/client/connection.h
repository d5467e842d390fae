// One TCP connection to a broker: requests go out as they come, answers come back in their order.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/recycled_memory.h"
#include "client/api_versions.h"
#include "client/effect.h"
#include "client/error.h"
#include "net/address.h"
#include "net/task.h"
#include "wire/frame.h"

namespace leat::client {

/// A frame as it came, without its size. Shared by what points into it.
struct Frame {
  std::shared_ptr<const std::byte[]> memory;
  std::size_t size = 0;
  BytesView bytes() const { return {memory.get(), size}; }
};

/// A message and the frame that its records point into.
template <class M>
struct Answer {
  M message;
  Frame frame;
};

/// What goes into the holes of a request, and what keeps it alive until it is sent.
struct Fillings {
  std::vector<BytesView> parts;
  std::shared_ptr<const void> owner;
};

struct ConnectionOptions {
  std::string client_id;
  std::chrono::milliseconds connect_timeout{5000};
  std::size_t max_response_bytes = std::size_t{256} << 20;
  /// For large answers.
  std::shared_ptr<RecycledMemory> memory;
};

/// Lives on one executor, where all members are called. Kept alive by its own reading until closed.
/// Any error closes it for good and fails what is under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Ptr = std::shared_ptr<Connection>;

  Connection(boost::asio::any_io_executor executor, net::Address address,
             ConnectionOptions options);

  /// Tries every address that the host's name stands for, then asks which versions the broker
  /// speaks. REQUIRES, for all below: this has succeeded.
  net::Task<Result<void>> open();

  /// Sends `request` in the highest version that both sides speak, and waits for the answer.
  /// Errc::unsupported_version if there is none; Errc::request_timed_out closes the connection,
  /// since a late answer would be taken for that of the next request. Who gets no answer to a
  /// request that has an effect does not know of it: the error is possibly_persisted. With
  /// `version_max` that is the highest version of ours.
  template <class Request>
  net::Task<Result<Answer<typename Request::Response>>> call(
      const Request& request, std::chrono::milliseconds timeout, Fillings fillings = {},
      std::optional<wire::Version> version_max = {});

  template <class Request>
  Result<wire::Version> version_of(std::optional<wire::Version> version_max = {}) const {
    wire::Versions ours = spoken_versions<Request>;
    if (version_max) ours.last = *version_max;
    return versions_.choose(Request::key, ours, address_.to_string());
  }
  std::int16_t transaction_version() const { return versions_.transaction_version(); }

  /// Fails what is under way, open() too, and lets go of the socket. No effect the second time.
  void close(Error error);
  bool is_open() const { return !closed_; }
  /// As it was asked for.
  const net::Address& address() const { return address_; }
  /// Whether this connection leads to where `address`, a numeric one, says.
  bool leads_to(const net::Address& address) const;

 private:
  struct Pending;
  struct Outgoing {
    wire::Encoded frame;
    Fillings fillings;
  };

  net::Task<Result<void>> connect();
  net::Task<Result<std::vector<boost::asio::ip::tcp::endpoint>>> resolve();
  net::Task<Result<void>> negotiate();
  net::Task<Result<Frame>> exchange(Outgoing outgoing, std::chrono::milliseconds timeout,
                                    Effect effect);
  net::Task<void> read_answers(Ptr self);
  net::Task<Result<Frame>> read_frame();
  net::Task<boost::system::error_code> read_rest(MutableBytes rest);
  void wake_when_there(std::size_t bytes);
  void take_answer(Frame frame);
  void write_queued();
  wire::RequestHeader next_header(wire::Version version);
  Error error_of(const char* what, const boost::system::error_code& code) const;
  /// Says which broker's bytes that is about.
  Error from_here(Error error) const;

  net::Address address_;
  ConnectionOptions options_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ip::tcp::socket socket_;
  /// Closes the socket when connecting takes too long.
  boost::asio::steady_timer connect_timer_;
  ApiVersions versions_;
  std::int32_t last_correlation_id_ = 0;
  std::deque<std::shared_ptr<Pending>> pending_;
  std::vector<Outgoing> queued_;
  std::vector<Outgoing> sending_;
  /// Read ahead; [read_begin_, read_end_) of it is not consumed yet.
  std::vector<std::byte> read_ahead_;
  std::size_t read_begin_ = 0;
  std::size_t read_end_ = 0;
  std::size_t wake_bytes_ = 1;
  std::optional<Error> closed_;
};

template <class Request>
net::Task<Result<Answer<typename Request::Response>>> Connection::call(
    const Request& request, std::chrono::milliseconds timeout, Fillings fillings,
    std::optional<wire::Version> version_max) {
  using Response = typename Request::Response;
  Result<wire::Version> version = version_of<Request>(version_max);
  if (!version) co_return fail(version);
  wire::RequestHeader header = next_header(*version);
  Result<wire::Encoded> encoded = wire::encode_request(request, header);
  if (!encoded) co_return fail(encoded);
  Outgoing outgoing{std::move(*encoded), std::move(fillings)};
  Result<Frame> frame = co_await exchange(std::move(outgoing), timeout, effect_of(Request::key));
  if (!frame) co_return fail(frame);
  Result<wire::ResponseFrame> response = wire::parse_response(frame->bytes());
  if (!response) co_return tl::unexpected(from_here(response.error()));
  Result<Response> message = wire::decode_response<Response>(*response, *version);
  if (!message) co_return tl::unexpected(from_here(message.error()));
  co_return Answer<Response>{std::move(*message), std::move(*frame)};
}

}  // namespace leat::client
