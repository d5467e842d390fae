// A request on its way to its answer.
//
// A handler takes a Call, reads its request, and answers it at once or from a callback later: that
// is all a connection asks of it, so where the work is done is the handler's matter.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "net/address.h"
#include "net/frame_reader.h"
#include "net/outbox.h"
#include "server/error_count.h"
#include "server/fetch_sessions.h"
#include "server/node.h"
#include "wire/frame.h"

namespace leat::server {

/// What fills a hole of an encoded answer: a range of a file, or of memory where there is no file.
struct Payload {
  net::FileRange file;
  std::shared_ptr<const Bytes> memory;
};

/// An encoded answer and, for each of its holes, a payload.
struct Answer {
  wire::Encoded encoded;
  std::vector<Payload> payloads;
};

/// Takes answers: a connection. Thread-safe; what it does, it does on its executor.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual Executor& executor() = 0;
  /// Ends the request in `slot`. No effect when the peer has gone.
  virtual void answer(std::uint64_t slot, Answer answer) = 0;
  /// Ends it without an answer, as a Produce with acks 0 does.
  virtual void finish(std::uint64_t slot) = 0;
  /// Ends the connection.
  virtual void disconnect(const std::string& reason) = 0;
  /// Calls `hurry`, on the executor, when waiting is pointless: the peer has gone, or the server
  /// stops. The request is still to be answered, with what there is. Not called from within
  /// on_hurry().
  virtual void on_hurry(std::uint64_t slot, UniqueFunction<void()> hurry) = 0;
  /// Calls `late`, on the executor, when the request is not answered after `timeout`. It is still
  /// to be answered, now.
  virtual void on_timeout(std::uint64_t slot, std::chrono::milliseconds timeout,
                          UniqueFunction<void()> late) = 0;
};

/// A request before its message is decoded.
struct Incoming {
  std::shared_ptr<AnswerSink> sink;
  std::uint64_t slot = 0;
  wire::RequestHeader header;
  /// Owns the bytes that the header and the message point to.
  net::Frame frame;
  Node* node = nullptr;
  /// Those of the connection's shard.
  FetchSessions* fetch_sessions = nullptr;
  /// Where this client finds us. Lives as long as the sink.
  const net::Address* advertised = nullptr;
  /// Where the client is, as "host:port", for people. Lives as long as the sink.
  const std::string* peer = nullptr;
};

/// A decoded request that must be answered once. One that is destroyed unanswered ends the
/// connection, so that its peer does not wait forever.
template <class Request>
class Call {
 public:
  using Response = typename Request::Response;

  Call(Incoming incoming, Request request)
      : incoming_(std::move(incoming)), request_(std::move(request)) {}
  Call(Call&&) noexcept = default;
  Call& operator=(Call&&) = delete;
  ~Call() {
    if (incoming_.sink) incoming_.sink->disconnect("a request could not be answered");
  }

  const Request& request() const { return request_; }
  wire::Version version() const { return incoming_.header.version; }
  Node& node() const { return *incoming_.node; }
  /// To be used on executor().
  FetchSessions& fetch_sessions() const { return *incoming_.fetch_sessions; }
  broker::Broker& broker() const { return incoming_.node->broker; }
  /// The connection's. A handler runs there, or at home (handlers.h); it may answer on any thread.
  Executor& executor() const { return incoming_.sink->executor(); }
  const net::Address& advertised() const { return *incoming_.advertised; }
  /// The client's host, for people.
  std::string peer_host() const { return incoming_.peer->substr(0, incoming_.peer->rfind(':')); }
  /// What the client calls itself.
  std::string client_id() const { return std::string(incoming_.header.client_id.value_or("")); }

  /// Keeps the bytes of the request alive.
  const net::BufferPtr& owner() const { return incoming_.frame.owner; }
  /// `part` of the request's bytes, to be changed in place.
  MutableBytes writable(BytesView part) const {
    if (part.empty()) return {};
    auto at = static_cast<std::size_t>(part.data() - incoming_.frame.bytes.data());
    return incoming_.frame.bytes.subspan(at, part.size());
  }

  /// REQUIRES: not answered or finished yet. `payloads` has one for each Records::elsewhere.
  void answer(const Response& response, std::vector<Payload> payloads = {}) {
    auto sink = std::move(incoming_.sink);
    ErrorCount errors(incoming_.node->metrics);
    Response::fields(response, errors);
    auto encoded =
        wire::encode_response(response, incoming_.header.version, incoming_.header.correlation_id);
    if (!encoded) return sink->disconnect(encoded.error().what);
    sink->answer(incoming_.slot, Answer{std::move(*encoded), std::move(payloads)});
  }
  void finish() { std::exchange(incoming_.sink, nullptr)->finish(incoming_.slot); }
  void disconnect(const std::string& reason) {
    std::exchange(incoming_.sink, nullptr)->disconnect(reason);
  }
  void on_hurry(UniqueFunction<void()> hurry) {
    incoming_.sink->on_hurry(incoming_.slot, std::move(hurry));
  }
  void on_timeout(std::chrono::milliseconds timeout, UniqueFunction<void()> late) {
    incoming_.sink->on_timeout(incoming_.slot, timeout, std::move(late));
  }

 private:
  Incoming incoming_;
  Request request_;
};

}  // namespace leat::server
