#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "file/posix_file_system.h"
#include "server/peer.h"
#include "server/wrapped_files.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using wire::ErrorCode;

namespace {

std::vector<std::string> numbered(int from, int count, const std::string& padding = "") {
  std::vector<std::string> values;
  for (int i = 0; i < count; ++i) values.push_back(std::to_string(from + i) + padding);
  return values;
}

/// Everything from `offset` on, by as many fetches as it takes.
std::vector<std::string> read_to_end(Peer& peer, const std::string& topic, std::int64_t offset,
                                     std::int32_t max_bytes) {
  std::vector<std::string> records;
  while (true) {
    wire::FetchRequest request = fetch_request(topic, offset);
    request.topics[0].partitions[0].partition_max_bytes = max_bytes;
    auto partition = fetch(peer, request);
    REQUIRE(partition.error_code == ErrorCode::none);
    if (offset >= partition.high_watermark) return records;
    auto got = records_in(partition.records.bytes());
    REQUIRE(!got.empty());
    for (const auto& record : got) {
      // A batch is given whole, though it may begin before the offset.
      if (std::stoll(record) < offset) continue;
      CHECK(std::stoll(record) == offset);
      records.push_back(record);
      ++offset;
    }
  }
}

/// Changes a byte of `text` where it stands in a segment below `directory`.
void flip_byte_at(const std::string& directory, const std::string& text) {
  int flipped = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() != ".log") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::size_t at = content.find(text);
    if (at == std::string::npos) continue;
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(text[0] ^ 1));
    ++flipped;
  }
  REQUIRE(flipped == 1);
}

/// A file of the system that lends no descriptor, as one in memory.
class PlainFile final : public WrappedFile {
 public:
  using WrappedFile::WrappedFile;
  int native_handle() const override { return -1; }
};

/// A file whose older bytes are never in the page cache, as far as anybody can tell.
class ColdFile final : public WrappedFile {
 public:
  using WrappedFile::WrappedFile;
  bool is_cached(std::uint64_t, std::uint64_t) const override { return false; }
};

template <class File>
std::unique_ptr<file::FileSystem> files_of() {
  return std::make_unique<WrappedFiles>([](file::FilePtr real, const std::string&) {
    return std::make_shared<File>(std::move(real));
  });
}

}  // namespace

TEST_CASE("what is fetched is what was produced, across segments, limits and a restart") {
  TestServer server;
  server.create_topic("t", 1, {{"segment.bytes", "20000"}});
  std::vector<std::string> expected;
  {
    Peer peer = server.connect();
    for (int i = 0; i < 300; i += 3) {
      auto values = numbered(i, 3, std::string(static_cast<std::size_t>(i) * 5, 'x'));
      REQUIRE(produce(peer, "t", batch_of(values)).error_code == ErrorCode::none);
      for (int j = 0; j < 3; ++j) {
        expected.push_back(std::to_string(i + j) + ":" + values[static_cast<std::size_t>(j)]);
      }
    }
  }
  for (bool is_restarted : {false, true}) {
    if (is_restarted) server.restart();
    Peer peer = server.connect();
    for (std::int32_t max_bytes : {0, 5'000, 1 << 20}) {
      CHECK(read_to_end(peer, "t", 0, max_bytes) == expected);
    }
    auto tail = read_to_end(peer, "t", 151, 1 << 20);
    CHECK(tail == std::vector<std::string>(expected.begin() + 151, expected.end()));
  }
}

TEST_CASE("a fetch with nothing to give waits until something is appended") {
  TestServer server;
  server.create_topic("t", 2);
  Peer consumer = server.connect();
  wire::FetchRequest request = fetch_request("t", 0);
  request.topics[0].partitions.push_back(request.topics[0].partitions[0]);
  request.topics[0].partitions[1].partition = 1;
  request.min_bytes = 1;
  request.max_wait_ms = 60'000;
  consumer.send_request(request, 12);
  Peer producer = server.connect();
  produce(producer, "t", batch_of({"wake"}), 1);
  auto response = consumer.receive<wire::FetchRequest>(12);
  CHECK(response.responses[0].partitions[0].records.size() == 0);
  CHECK(records_in(response.responses[0].partitions[1].records.bytes()) ==
        std::vector<std::string>{"0:wake"});
}

TEST_CASE("a fetch that waits for more than there is ends at max_wait with what there is") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  produce(peer, "t", batch_of({"a"}));
  wire::FetchRequest request = fetch_request("t", 0);
  request.min_bytes = 1 << 20;
  request.max_wait_ms = 60;
  auto start = std::chrono::steady_clock::now();
  auto partition = fetch(peer, request);
  CHECK(std::chrono::steady_clock::now() - start >= milliseconds(60));
  CHECK(records_in(partition.records.bytes()) == std::vector<std::string>{"0:a"});
}

TEST_CASE("a fetch that waits for many bytes is not woken by few, and is by enough") {
  TestServer server;
  server.create_topic("t");
  Peer consumer = server.connect();
  wire::FetchRequest request = fetch_request("t", 0);
  request.min_bytes = 1'000;
  request.max_wait_ms = 60'000;
  consumer.send_request(request, 12);
  Peer producer = server.connect();
  for (int i = 0; i < 5; ++i) produce(producer, "t", batch_of({std::string(300, 'x')}));
  auto response = consumer.receive<wire::FetchRequest>(12);
  CHECK(response.responses[0].partitions[0].records.size() >= 1'000);
}

TEST_CASE("the first partition that has something gives a whole batch, whatever the limits") {
  TestServer server;
  server.create_topic("t", 4);
  Peer peer = server.connect();
  for (int partition : {1, 2, 3}) {
    produce(peer, "t", batch_of({std::string(10'000, 'x')}), partition);
  }
  wire::FetchRequest request = fetch_request("t", 0);
  request.topics[0].partitions.clear();
  for (int partition : {0, 1, 2, 3}) {
    wire::FetchRequest::Partition asked;
    asked.partition = partition;
    asked.partition_max_bytes = partition == 3 ? 1 : 1 << 20;
    request.topics[0].partitions.push_back(asked);
  }
  auto sizes = [&](std::int32_t max_bytes) {
    request.max_bytes = max_bytes;
    auto response = peer.ask(request, 12);
    std::vector<int> batches;
    for (const auto& partition : response.responses[0].partitions) {
      batches.push_back(partition.records.size() > 10'000 ? 1 : 0);
    }
    return batches;
  };
  CHECK(sizes(100) == std::vector{0, 1, 0, 0});
  CHECK(sizes(15'000) == std::vector{0, 1, 0, 0});
  CHECK(sizes(25'000) == std::vector{0, 1, 1, 0});
  CHECK(sizes(1 << 20) == std::vector{0, 1, 1, 0});
}

TEST_CASE("offsets outside the log are out of range, with where it starts (fault 25)") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  produce(peer, "t", batch_of({"a", "b"}));
  for (std::int64_t offset : {-5, 3, 1'000'000}) {
    auto partition = fetch(peer, fetch_request("t", offset));
    CHECK(partition.error_code == ErrorCode::offset_out_of_range);
    CHECK(partition.log_start_offset == 0);
    CHECK(partition.high_watermark == 2);
  }
  auto at_end = fetch(peer, fetch_request("t", 2));
  CHECK(at_end.error_code == ErrorCode::none);
  CHECK(at_end.records.size() == 0);
  CHECK_FALSE(at_end.records.is_null());
}

TEST_CASE("unknown topics, partitions and ids, and other leader epochs, say so (fault 25)") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  CHECK(fetch(peer, fetch_request("missing", 0)).error_code ==
        ErrorCode::unknown_topic_or_partition);
  CHECK(fetch(peer, fetch_request("t", 0, 5)).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(fetch(peer, fetch_request("t", 0, -1)).error_code == ErrorCode::unknown_topic_or_partition);
  wire::FetchRequest request = fetch_request("t", 0);
  request.topics[0].topic_id.bytes[3] = 7;
  CHECK(fetch(peer, request, 13).error_code == ErrorCode::unknown_topic_id);
  request.topics[0].partitions[0].current_leader_epoch = 99;
  CHECK(fetch(peer, request, 12).error_code == ErrorCode::unknown_leader_epoch);
  request.session_id = 5;
  request.session_epoch = 1;
  CHECK(peer.ask(request, 12).error_code == ErrorCode::fetch_session_id_not_found);
}

TEST_CASE("fetches are answered in every version, by id from 13 on, and need no session") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  produce(peer, "t", batch_of({"a"}));
  auto metadata = peer.ask(wire::MetadataRequest{}, 12);
  Uuid id = metadata.topics[0].topic_id;
  CHECK(!id.is_zero());
  auto versions = wire::FetchRequest::valid;
  for (wire::Version version = versions.first; version <= versions.last; ++version) {
    CAPTURE(version);
    for (std::int8_t isolation : {std::int8_t{0}, std::int8_t{1}}) {
      wire::FetchRequest request = fetch_request("t", 0);
      request.isolation_level = isolation;
      if (version >= 13) request.topics[0].topic_id = id;
      auto response = peer.ask(request, version);
      CHECK(response.session_id == 0);
      const auto& topic = response.responses.at(0);
      if (version >= 13) CHECK(topic.topic_id == id);
      const auto& partition = topic.partitions.at(0);
      CHECK(partition.error_code == ErrorCode::none);
      CHECK(partition.last_stable_offset == 1);
      CHECK(partition.preferred_read_replica == -1);
      CHECK(partition.aborted_transactions.has_value() == (isolation == 1));
      CHECK(records_in(partition.records.bytes()) == std::vector<std::string>{"0:a"});
    }
  }
}

TEST_CASE("a damaged batch is never served, what is around it is (faults 2 and 20)") {
  TestServer server;
  server.create_topic("t");
  std::string marked = "marked-" + std::string(100, 'm');
  {
    Peer peer = server.connect();
    for (const std::string& value : {std::string("a"), marked, std::string("c")}) {
      produce(peer, "t", batch_of({value}));
    }
  }
  server.stop();
  flip_byte_at(server.options().broker.store.directory, marked);
  server.restart();
  Peer peer = server.connect();
  auto before = fetch(peer, fetch_request("t", 0));
  CHECK(before.error_code == ErrorCode::none);
  CHECK(records_in(before.records.bytes()) == std::vector<std::string>{"0:a"});
  CHECK(fetch(peer, fetch_request("t", 1)).error_code == ErrorCode::corrupt_message);
  CHECK(records_in(fetch(peer, fetch_request("t", 2)).records.bytes()) ==
        std::vector<std::string>{"2:c"});
  CHECK(produce(peer, "t", batch_of({"d"})).base_offset == 3);
}

TEST_CASE("where files have no descriptors, batches are read and sent from memory") {
  TestServer server([](ServerOptions&) {}, files_of<PlainFile>());
  server.create_topic("t");
  Peer peer = server.connect();
  produce(peer, "t", batch_of(numbered(0, 100, std::string(1'000, 'x'))));
  auto records = records_in(fetch(peer, fetch_request("t", 0)).records.bytes());
  REQUIRE(records.size() == 100);
  CHECK(records[99] == "99:99" + std::string(1'000, 'x'));
}

TEST_CASE("what is not in the page cache is read elsewhere before it is sent, and arrives whole") {
  TestServer server([](ServerOptions&) {}, files_of<ColdFile>());
  server.create_topic("t");
  Peer peer = server.connect();
  for (int i = 0; i < 4; ++i)
    produce(peer, "t", batch_of({std::string(300'000, static_cast<char>('a' + i))}));
  Counter& waited = server.server().metrics().counter("leat_fetches_from_disk_total", "");
  wire::FetchRequest request = fetch_request("t", 1);
  request.topics[0].partitions[0].partition_max_bytes = 400'000;
  auto records = records_in(fetch(peer, request).records.bytes());
  CHECK(records == std::vector<std::string>{"1:" + std::string(300'000, 'b')});
  CHECK(waited.value() == 1);
  // What reaches the end of the log has just been written.
  request.topics[0].partitions[0].fetch_offset = 3;
  CHECK(records_in(fetch(peer, request).records.bytes()).size() == 1);
  CHECK(waited.value() == 1);
}

TEST_CASE("a waiting fetch learns that its topic was deleted or that the server stops") {
  TestServer server;
  server.create_topic("t");
  wire::FetchRequest request = fetch_request("t", 0);
  request.min_bytes = 1;
  request.max_wait_ms = 200;
  Peer consumer = server.connect();
  consumer.send_request(request, 12);
  Peer admin = server.connect();
  wire::DeleteTopicsRequest remove;
  remove.topic_names = {"t"};
  CHECK(admin.ask(remove, 5).responses.at(0).error_code == ErrorCode::none);
  auto response = consumer.receive<wire::FetchRequest>(12);
  CHECK(response.responses[0].partitions[0].error_code == ErrorCode::unknown_topic_or_partition);

  server.create_topic("u");
  request = fetch_request("u", 0);
  request.min_bytes = 1;
  request.max_wait_ms = 1'000'000;
  // A request is started in the turn in which its bytes are counted.
  Counter& received = server.server().metrics().counter("leat_kafka_bytes_in_total", "");
  std::uint64_t expected = received.value() + Peer::encode(request, 12).size();
  consumer.send_request(request, 12);
  CHECK(wait_for([&] { return received.value() == expected; }));
  server.stop();
  auto last = consumer.receive<wire::FetchRequest>(12);
  CHECK(last.responses[0].partitions[0].error_code == ErrorCode::none);
  CHECK(consumer.is_closed_by_server());
}

TEST_SUITE_END();
