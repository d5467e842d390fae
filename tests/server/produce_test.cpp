#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <doctest/doctest.h>

#include "base/crc32c.h"
#include "record/batch.h"
#include "server/peer.h"
#include "server/wrapped_files.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using wire::ErrorCode;

namespace {

/// A good batch with `change` done to it, and its checksum right again.
Bytes changed(const std::function<void(Bytes&)>& change, bool fix_crc = true) {
  Bytes batch = batch_of({"a", "b", "c"});
  change(batch);
  if (fix_crc) {
    store_big_endian(batch.data() + 17, crc32c(BytesView(batch).subspan(21)));
  }
  return batch;
}

Bytes twice(const Bytes& batch) {
  Bytes two = batch;
  two.insert(two.end(), batch.begin(), batch.end());
  return two;
}

/// Syncs that wait until they are let go.
class HeldFile final : public WrappedFile {
 public:
  using Syncs = std::vector<std::function<void()>>;
  HeldFile(file::FilePtr real, std::atomic<bool>& holds, std::mutex& mutex, Syncs& held)
      : WrappedFile(std::move(real)), holds_(holds), mutex_(mutex), held_(held) {}
  void async_sync(Executor& executor, SyncDone done) override {
    if (!holds_) return WrappedFile::async_sync(executor, std::move(done));
    auto shared = std::make_shared<SyncDone>(std::move(done));
    std::lock_guard lock(mutex_);
    held_.push_back([this, &executor, shared] {
      WrappedFile::async_sync(executor, [shared](Result<void> result) { (*shared)(result); });
    });
  }

 private:
  std::atomic<bool>& holds_;
  std::mutex& mutex_;
  Syncs& held_;
};

}  // namespace

TEST_CASE("a produce that is not acknowledged in its time says so, and may count (fault 15)") {
  std::atomic<bool> holds{false};
  std::mutex mutex;
  HeldFile::Syncs held;
  auto hold = [&](file::FilePtr real, const std::string&) {
    return std::make_shared<HeldFile>(std::move(real), holds, mutex, held);
  };
  TestServer server([](ServerOptions&) {}, std::make_unique<WrappedFiles>(hold));
  server.create_topic("t");
  Peer peer = server.connect();
  CHECK(produce(peer, "t", batch_of({"a"})).error_code == ErrorCode::none);
  holds = true;
  Bytes batch = batch_of({"b"});
  wire::ProduceRequest request = produce_request("t", batch);
  request.timeout_ms = 20;
  auto late = peer.ask(request, 9).responses[0].partition_responses[0];
  CHECK(late.error_code == ErrorCode::request_timed_out);
  CHECK(late.base_offset == -1);
  // Others are not starved by the disk.
  CHECK(fetch(peer, fetch_request("t", 0)).high_watermark == 1);
  holds = false;
  {
    std::lock_guard lock(mutex);
    for (auto& sync : held) sync();
  }
  CHECK(wait_for([&] { return fetch(peer, fetch_request("t", 0)).high_watermark == 2; }));
  CHECK(produce(peer, "t", batch_of({"c"})).base_offset == 2);
}

TEST_CASE("records of every codec come back as they were sent, in every version") {
  TestServer server;
  Peer peer = server.connect();
  for (auto codec :
       {record::Compression::none, record::Compression::gzip, record::Compression::snappy,
        record::Compression::lz4, record::Compression::zstd}) {
    std::string topic = "codec-" + std::to_string(static_cast<int>(codec));
    server.create_topic(topic);
    std::int64_t end = 0;
    wire::Version first = codec == record::Compression::zstd ? 7 : 3;
    for (wire::Version version = first; version <= wire::ProduceRequest::valid.last; ++version) {
      Bytes batch = batch_of({std::string(500, 'x'), "tail"}, codec);
      auto partition = produce(peer, topic, batch, 0, -1, version);
      CHECK(partition.error_code == ErrorCode::none);
      CHECK(partition.base_offset == end);
      CHECK(partition.log_append_time_ms == -1);
      if (version >= 5) CHECK(partition.log_start_offset == 0);
      auto fetched = fetch(peer, fetch_request(topic, end));
      // Only what the broker assigns differs: base offset, leader epoch.
      CHECK(fetched.records.size() == batch.size());
      CHECK(as_text(fetched.records.bytes().subspan(16)) == as_text(BytesView(batch).subspan(16)));
      end += 2;
    }
  }
}

TEST_CASE("what is wrong with a batch is answered with its code (faults 20, 21, 22)") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  auto check = [&](const char* what, const Bytes& batch, ErrorCode code,
                   wire::Version version = 9) {
    CAPTURE(what);
    auto partition = produce(peer, "t", batch, 0, -1, version);
    CHECK(partition.error_code == code);
    CHECK(partition.base_offset == (code == ErrorCode::none ? 0 : -1));
    if (version >= 8) CHECK(partition.error_message.has_value() == (code != ErrorCode::none));
  };
  auto patch = [](std::size_t at, auto value) {
    return changed([=](Bytes& batch) { store_big_endian(batch.data() + at, value); });
  };
  check("a flipped bit", changed([](Bytes& b) { b[b.size() - 2] ^= std::byte{1}; }, false),
        ErrorCode::corrupt_message);
  check("a base offset", patch(0, std::int64_t{5}), ErrorCode::invalid_record);
  check("a count that is wrong", patch(57, std::int32_t{9}), ErrorCode::invalid_record);
  check("a last offset that is wrong", patch(23, std::int32_t{1}), ErrorCode::invalid_record);
  check("a control batch", patch(21, std::int16_t{0x20}), ErrorCode::invalid_record);
  check("magic 1", patch(16, std::int8_t{1}), ErrorCode::invalid_record);
  check("two batches", twice(batch_of({"a"})), ErrorCode::invalid_record);
  check("no batch", {}, ErrorCode::invalid_record);
  check("an unknown codec", patch(21, std::int16_t{7}), ErrorCode::unsupported_compression_type);
  check("zstd before version 7", batch_of({std::string(200, 'a')}, record::Compression::zstd),
        ErrorCode::unsupported_compression_type, 6);
  check("a batch above max.message.bytes", batch_of({std::string(1'100'000, 'x')}),
        ErrorCode::message_too_large);
  check("and a good one", batch_of({"a"}), ErrorCode::none);
}

TEST_CASE("a batch that decompresses to more than is allowed is refused (fault 22)") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  // A megabyte of zeros a record, and zstd makes next to nothing of it.
  std::vector<std::string> zeros(80, std::string(1 << 20, '\0'));
  Bytes bomb = batch_of(zeros, record::Compression::zstd);
  REQUIRE(bomb.size() < 1'000'000);
  auto partition = produce(peer, "t", bomb);
  CHECK((partition.error_code == ErrorCode::message_too_large ||
         partition.error_code == ErrorCode::invalid_record));
}

TEST_CASE(
    "a produce that finds no descriptor for its segment is refused, later ones not (fault 14)") {
  TestServer server;
  server.create_topic("t");
  server.create_topic("open");
  Peer peer = server.connect();
  CHECK(produce(peer, "open", batch_of({"a"})).error_code == ErrorCode::none);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  auto refused = produce(peer, "t", batch_of({"a"}));
  auto taken = produce(peer, "open", batch_of({"b"}));
  auto fetched = fetch(peer, fetch_request("open", 0));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  // Clients send again what is answered so.
  CHECK(refused.error_code == ErrorCode::kafka_storage_error);
  CHECK(taken.error_code == ErrorCode::none);
  CHECK(records_in(fetched.records.bytes()) == std::vector<std::string>{"0:a", "1:b"});
  CHECK(produce(peer, "t", batch_of({"a"})).error_code == ErrorCode::none);
  CHECK(fetch(peer, fetch_request("t", 0)).high_watermark == 1);
}

TEST_CASE("an error of one partition leaves the others alone, and order is kept") {
  TestServer server;
  server.create_topic("t", 3);
  Peer peer = server.connect();
  Bytes good = batch_of({"a"});
  Bytes bad = changed([](Bytes& b) { b[30] ^= std::byte{1}; }, false);
  wire::ProduceRequest request;
  request.acks = 1;
  for (std::string topic : {"t", "missing"}) {
    auto& data = request.topic_data.emplace_back();
    data.name = topic;
    for (std::int32_t partition : {2, 0, 7, 1}) {
      data.partition_data.push_back({partition, wire::Records(partition == 0 ? bad : good)});
    }
  }
  auto response = peer.ask(request, 9);
  REQUIRE(response.responses.size() == 2);
  std::vector<ErrorCode> codes;
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) codes.push_back(partition.error_code);
  }
  constexpr auto unknown = ErrorCode::unknown_topic_or_partition;
  CHECK(codes == std::vector{ErrorCode::none, ErrorCode::corrupt_message, unknown, ErrorCode::none,
                             unknown, unknown, unknown, unknown});
  CHECK(response.responses[0].partition_responses[2].index == 7);
  CHECK(fetch(peer, fetch_request("t", 0, 2)).high_watermark == 1);
  CHECK(fetch(peer, fetch_request("t", 0, 0)).high_watermark == 0);
}

TEST_CASE("acks other than -1, 0 and 1 are refused, and nothing is appended (fault 25)") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  for (std::int16_t acks : {std::int16_t{2}, std::int16_t{-2}, std::int16_t{7}}) {
    CHECK(produce(peer, "t", batch_of({"a"}), 0, acks).error_code ==
          ErrorCode::invalid_required_acks);
  }
  CHECK(fetch(peer, fetch_request("t", 0)).high_watermark == 0);
}

TEST_CASE("acks 0 is not answered; where it fails, the connection ends so that the client looks") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  peer.send_request(produce_request("t", batch_of({"a"}), 0, 0), 9, 1);
  peer.send_request(wire::MetadataRequest{}, 12, 2);
  peer.receive<wire::MetadataRequest>(12, 2);
  CHECK(fetch(peer, fetch_request("t", 0)).high_watermark == 1);
  peer.send_request(produce_request("gone", batch_of({"a"}), 0, 0), 9, 1);
  CHECK(peer.is_closed_by_server());
}

TEST_CASE("wrong timestamps and missing keys are refused, naming the records (fault 23, KIP-467)") {
  TestServer server;
  server.create_topic("bounded", 1, {{"message.timestamp.before.max.ms", "1000"}});
  server.create_topic("compacted", 1, {{"cleanup.policy", "compact"}});
  server.create_topic("stamped", 1, {{"message.timestamp.type", "LogAppendTime"}});
  Peer peer = server.connect();
  CHECK(produce(peer, "bounded", batch_of({"old"})).error_code == ErrorCode::invalid_timestamp);
  CHECK(produce(peer, "compacted", batch_of({"keyless"})).error_code == ErrorCode::invalid_record);
  Bytes future = batch_of({"x"});
  store_big_endian(future.data() + record::batch_field::base_timestamp,
                   std::int64_t{4'000'000'000'000});
  record::set_crc(future);
  CHECK(produce(peer, "stamped", future).error_code == ErrorCode::none);
  CHECK(produce(peer, "bounded", future).error_code == ErrorCode::invalid_timestamp);
  auto refused = produce(peer, "compacted", batch_of({"a", "b", "c"}));
  REQUIRE(refused.record_errors.size() == 3);
  CHECK(refused.record_errors[2].batch_index == 2);
  CHECK(refused.record_errors[2].batch_index_error_message->find("no key") != std::string::npos);
  CHECK(refused.error_message->find("2 more records") != std::string::npos);
  CHECK(refused.base_offset == -1);
  auto stamped = produce(peer, "stamped", batch_of({"a", "b"}));
  CHECK(stamped.error_code == ErrorCode::none);
  CHECK(stamped.log_append_time_ms > 1'700'000'000'001);
  CHECK(records_in(fetch(peer, fetch_request("stamped", 0)).records.bytes()) ==
        std::vector<std::string>{"0:x", "1:a", "2:b"});
}

TEST_SUITE_END();
