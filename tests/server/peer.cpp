#include "server/peer.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

#include "record/batch.h"
#include "record/record.h"
#include "shards.h"

namespace leat::server {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "leat-test-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Peer::Peer(const net::Address& address) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(socket_ >= 0);
  timeval timeout{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  REQUIRE(::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr) == 1);
  REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
}

Peer::~Peer() {
  if (socket_ >= 0) ::close(socket_);
}

void Peer::send(BytesView bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // The server has closed; what it answered is still to be read.
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

void Peer::end() {
  ::shutdown(socket_, SHUT_WR);
}

void Peer::reset() {
  linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(socket_, -1));
}

bool Peer::receive_exactly(MutableBytes into) {
  while (!into.empty()) {
    ssize_t got = ::recv(socket_, into.data(), into.size(), 0);
    if (got < 0) REQUIRE_MESSAGE(errno != EAGAIN, "the server neither answers nor closes");
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

std::optional<Bytes> Peer::receive_frame() {
  Bytes length(4);
  if (!receive_exactly(length)) return std::nullopt;
  Bytes frame(static_cast<std::size_t>(load_big_endian<std::int32_t>(length.data())));
  if (!receive_exactly(frame)) return std::nullopt;
  return frame;
}

std::string Peer::receive_all() {
  std::string all;
  Bytes piece(1 << 16);
  while (true) {
    ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got < 0) REQUIRE_MESSAGE(errno != EAGAIN, "the server does not close");
    if (got <= 0) return all;
    all += as_text(BytesView(piece).first(static_cast<std::size_t>(got)));
  }
}

TestServer::TestServer(std::function<void(ServerOptions&)> change,
                       std::unique_ptr<file::FileSystem> files) {
  options_.broker.store.directory = directory_.path() + "/data";
  options_.broker.store.journal_bytes = 4 << 20;
  options_.kafka = {"127.0.0.1", 0};
  options_.http = net::Address{"127.0.0.1", 0};
  options_.shards = leat::testing::shards();
  change(options_);
  start(std::move(files));
}

void TestServer::start(std::unique_ptr<file::FileSystem> files) {
  auto started = Server::start(options_, std::move(files));
  if (!started) FAIL(started.error().what);
  server_ = std::move(*started);
}

void TestServer::stop() {
  Result<void> stopped = server_->stop();
  if (!stopped) FAIL_CHECK(stopped.error().what);
}

void TestServer::restart() {
  if (server_) stop();
  server_.reset();
  start(nullptr);
}

void TestServer::on_shard(const std::function<void(broker::Broker&)>& work) {
  std::promise<void> done;
  server_->executor().post([&] {
    work(server_->broker());
    done.set_value();
  });
  done.get_future().get();
}

void TestServer::create_topic(const std::string& name, std::int32_t partitions,
                              const broker::ConfigMap& configs) {
  std::promise<Result<broker::TopicInfo>> done;
  on_shard([&](broker::Broker& broker) {
    broker.create_topic({name, partitions, configs},
                        [&](Result<broker::TopicInfo> made) { done.set_value(std::move(made)); });
  });
  auto made = done.get_future().get();
  if (!made) FAIL(made.error().what);
}

Bytes batch_of(const std::vector<std::string>& values, record::Compression compression) {
  record::BatchBuilder builder;
  std::int64_t timestamp_ms = 1'700'000'000'000;
  for (const std::string& value : values) {
    builder.append(timestamp_ms++, std::nullopt, as_bytes(value));
  }
  record::BatchOptions options;
  options.compression = compression;
  return builder.build(options);
}

std::vector<std::string> records_in(BytesView batches) {
  std::vector<std::string> records;
  while (!batches.empty()) {
    auto batch = record::BatchView::parse(batches);
    if (!batch) FAIL(batch.error().what);
    CHECK(batch->crc_matches());
    record::RecordIterator iterator(*batch);
    while (const record::Record* record = iterator.next()) {
      records.push_back(std::to_string(record->offset.value()) + ":" +
                        std::string(as_text(*record->value)));
    }
    if (iterator.error() != nullptr) FAIL(iterator.error()->what);
    batches = batches.subspan(batch->size_bytes());
  }
  return records;
}

wire::ProduceRequest produce_request(const std::string& topic, BytesView batch,
                                     std::int32_t partition, std::int16_t acks) {
  wire::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 10'000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  auto& entry = data.partition_data.emplace_back();
  entry.index = partition;
  entry.records = wire::Records(batch);
  return request;
}

wire::ProduceResponse::Partition produce(Peer& peer, const std::string& topic, BytesView batch,
                                         std::int32_t partition, std::int16_t acks,
                                         wire::Version version) {
  auto response = peer.ask(produce_request(topic, batch, partition, acks), version);
  REQUIRE(response.responses.size() == 1);
  REQUIRE(response.responses[0].partition_responses.size() == 1);
  return response.responses[0].partition_responses[0];
}

wire::FetchRequest fetch_request(const std::string& topic, std::int64_t offset,
                                 std::int32_t partition) {
  wire::FetchRequest request;
  request.max_bytes = 50 << 20;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  auto& entry = asked.partitions.emplace_back();
  entry.partition = partition;
  entry.fetch_offset = offset;
  entry.partition_max_bytes = 1 << 20;
  return request;
}

wire::FetchResponse::Partition fetch(Peer& peer, const wire::FetchRequest& request,
                                     wire::Version version) {
  auto response = peer.ask(request, version);
  REQUIRE(response.error_code == wire::ErrorCode::none);
  REQUIRE(response.responses.size() == 1);
  REQUIRE(response.responses[0].partitions.size() == 1);
  return response.responses[0].partitions[0];
}

bool wait_for(const std::function<bool()>& condition) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

}  // namespace leat::server
