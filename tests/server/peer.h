// What the tests of this folder share: a server on free ports with a data directory of its own, and
// a peer that speaks to it over a real socket, byte by byte if need be.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "record/builder.h"
#include "server/server.h"
#include "wire/messages.h"

namespace leat::server {

using std::chrono::milliseconds;

/// An empty directory, gone with its object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A blocking connection. Whatever does not happen within ten seconds fails the test.
class Peer {
 public:
  explicit Peer(const net::Address& address);
  ~Peer();
  Peer(Peer&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Peer& operator=(Peer&&) = delete;

  void send(BytesView bytes);
  void send(std::string_view text) { send(as_bytes(text)); }
  /// Ends our side of the stream; we may still read.
  void end();
  /// Closes so that the server's next write fails.
  void reset();
  /// A frame without its length; nullopt when the server closed the connection.
  std::optional<Bytes> receive_frame();
  /// Everything that comes until the server closes the connection.
  std::string receive_all();
  bool is_closed_by_server() { return !receive_frame().has_value(); }

  template <class Request>
  static Bytes encode(const Request& request, wire::Version version, std::int32_t id = 1) {
    wire::RequestHeader header;
    header.version = version;
    header.correlation_id = id;
    header.client_id = "test";
    auto encoded = wire::encode_request(request, header);
    REQUIRE(encoded);
    REQUIRE(encoded->holes.empty());
    return encoded->bytes;
  }
  template <class Request>
  void send_request(const Request& request, wire::Version version, std::int32_t id = 1) {
    send(encode(request, version, id));
  }
  /// The next answer. Records point into a frame that the peer keeps until it dies.
  template <class Request>
  typename Request::Response receive(wire::Version version, std::int32_t id = 1) {
    std::optional<Bytes> frame = receive_frame();
    REQUIRE(frame);
    frames_.push_back(std::move(*frame));
    auto header = wire::parse_response(frames_.back());
    REQUIRE(header);
    CHECK(header->correlation_id == id);
    auto response = wire::decode_response<typename Request::Response>(*header, version);
    if (!response) FAIL(response.error().what);
    return std::move(*response);
  }
  template <class Request>
  typename Request::Response ask(const Request& request,
                                 wire::Version version = Request::valid.last) {
    send_request(request, version);
    return receive<Request>(version);
  }

 private:
  bool receive_exactly(MutableBytes into);

  int socket_ = -1;
  std::vector<Bytes> frames_;
};

/// A running server. Its options may be changed before start().
class TestServer {
 public:
  explicit TestServer(
      std::function<void(ServerOptions&)> change = [](ServerOptions&) {},
      std::unique_ptr<file::FileSystem> files = nullptr);

  void stop();
  /// Stops, if that was not done, and starts again over the same directory.
  void restart();
  /// Forgets the server, which has stopped.
  void discard() { server_.reset(); }
  Server& server() { return *server_; }
  Peer connect() const { return Peer(server_->kafka_address()); }
  Peer connect_http() const { return Peer(*server_->http_address()); }
  const ServerOptions& options() const { return options_; }

  /// Runs `work` on the server's thread and waits for it.
  void on_shard(const std::function<void(broker::Broker&)>& work);
  void create_topic(const std::string& name, std::int32_t partitions = 1,
                    const broker::ConfigMap& configs = {});

 private:
  void start(std::unique_ptr<file::FileSystem> files);

  TemporaryDirectory directory_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

/// A batch of records without keys, one a value.
Bytes batch_of(const std::vector<std::string>& values,
               record::Compression compression = record::Compression::none);
/// The records in `batches`, as "offset:value".
std::vector<std::string> records_in(BytesView batches);

/// Produces one batch; the answer for its one partition.
wire::ProduceResponse::Partition produce(Peer& peer, const std::string& topic, BytesView batch,
                                         std::int32_t partition = 0, std::int16_t acks = -1,
                                         wire::Version version = 9);
wire::ProduceRequest produce_request(const std::string& topic, BytesView batch,
                                     std::int32_t partition = 0, std::int16_t acks = -1);
/// One partition from `offset` on, waiting for nothing.
wire::FetchRequest fetch_request(const std::string& topic, std::int64_t offset,
                                 std::int32_t partition = 0);
wire::FetchResponse::Partition fetch(Peer& peer, const wire::FetchRequest& request,
                                     wire::Version version = 12);

/// Waits until `condition` holds; false after ten seconds.
bool wait_for(const std::function<bool()>& condition);

}  // namespace leat::server
