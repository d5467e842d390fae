// Several shards under real threads: what a race detector is to look at.
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "server/peer.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;

namespace {

constexpr std::int32_t partitions = 6;
constexpr int producers = 3;
constexpr int rounds = 40;

/// One batch for each partition, in one request.
struct Round {
  Round(int producer, int number) {
    request.acks = -1;
    request.timeout_ms = 10'000;
    auto& topic = request.topic_data.emplace_back();
    topic.name = "t";
    for (std::int32_t p = 0; p < partitions; ++p) {
      batches.push_back(batch_of({std::to_string(producer) + "/" + std::to_string(number)}));
    }
    for (std::int32_t p = 0; p < partitions; ++p) {
      auto& data = topic.partition_data.emplace_back();
      data.index = p;
      data.records = wire::Records(batches[static_cast<std::size_t>(p)]);
    }
  }
  std::vector<Bytes> batches;
  wire::ProduceRequest request;
};

/// Requests of which several are under way at a time.
void produce_rounds(TestServer& server, int producer) {
  Peer peer = server.connect();
  for (int i = 0; i < rounds; ++i) peer.send_request(Round(producer, i).request, 9, i);
  for (int i = 0; i < rounds; ++i) {
    auto response = peer.receive<wire::ProduceRequest>(9, i);
    for (const auto& partition : response.responses[0].partition_responses) {
      CHECK(partition.error_code == wire::ErrorCode::none);
    }
  }
}

/// Everything of all partitions, as it comes.
std::vector<std::vector<std::string>> consume_all(TestServer& server, std::size_t per_partition) {
  Peer peer = server.connect();
  std::vector<std::vector<std::string>> records(partitions);
  std::size_t left = per_partition * partitions;
  while (left > 0) {
    wire::FetchRequest request;
    request.max_bytes = 50 << 20;
    request.max_wait_ms = 1000;
    request.min_bytes = 1;
    auto& topic = request.topics.emplace_back();
    topic.topic = "t";
    for (std::int32_t p = 0; p < partitions; ++p) {
      auto& asked = topic.partitions.emplace_back();
      asked.partition = p;
      asked.fetch_offset = static_cast<std::int64_t>(records[static_cast<std::size_t>(p)].size());
      asked.partition_max_bytes = 1 << 20;
    }
    auto response = peer.ask(request, 12);
    REQUIRE(response.responses.size() == 1);
    for (const auto& partition : response.responses[0].partitions) {
      auto& mine = records[static_cast<std::size_t>(partition.partition_index)];
      for (std::string& record : records_in(partition.records.bytes())) {
        mine.push_back(std::move(record));
        --left;
      }
    }
  }
  return records;
}

/// Offsets without a gap, and each producer's records in the order in which they were sent.
void check_order(const std::vector<std::string>& records) {
  std::map<std::string, int> next;
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::string offset = std::to_string(i) + ":";
    REQUIRE(records[i].starts_with(offset));
    std::string value = records[i].substr(offset.size());
    std::size_t slash = value.find('/');
    CHECK(std::stoi(value.substr(slash + 1)) == next[value.substr(0, slash)]++);
  }
  CHECK(next.size() == producers);
}

/// Makes topics, appends to them and deletes them with appends under way, until told to stop.
void churn_topics(TestServer& server, const std::atomic<bool>& is_over) {
  Peer admin = server.connect();
  Peer producer = server.connect();
  for (int i = 0; !is_over; ++i) {
    std::string name = "churn-" + std::to_string(i);
    wire::CreateTopicsRequest create;
    auto& topic = create.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = 4;
    topic.replication_factor = 1;
    CHECK(admin.ask(create, 5).topics[0].error_code == wire::ErrorCode::none);
    for (std::int32_t p = 0; p < 4; ++p) {
      producer.send_request(produce_request(name, batch_of({"v"}), p), 9, p);
    }
    wire::DeleteTopicsRequest remove;
    remove.topic_names.push_back(name);
    CHECK(admin.ask(remove, 5).responses[0].error_code == wire::ErrorCode::none);
    for (std::int32_t p = 0; p < 4; ++p) producer.receive<wire::ProduceRequest>(9, p);
  }
}

}  // namespace

TEST_CASE("many producers and consumers share partitions of all shards while topics come and go") {
  TestServer server([](ServerOptions& options) { options.shards = 3; });
  server.create_topic("t", partitions);
  std::atomic<bool> is_over{false};
  std::vector<std::vector<std::string>> seen[2];
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < producers; ++i) {
      threads.emplace_back([&server, i] { produce_rounds(server, i); });
    }
    std::jthread churn([&] { churn_topics(server, is_over); });
    for (auto& records : seen) {
      threads.emplace_back([&] { records = consume_all(server, producers * rounds); });
    }
    for (auto& thread : threads) thread.join();
    is_over = true;
  }
  for (const auto& records : seen) {
    for (const auto& partition : records) {
      CHECK(partition.size() == producers * rounds);
      check_order(partition);
    }
  }
}

TEST_CASE("a stop in the middle loses nothing that several shards have acknowledged") {
  TestServer server([](ServerOptions& options) { options.shards = 3; });
  server.create_topic("t", partitions);
  std::atomic<int> acknowledged{0};
  auto produce_until_closed = [&](int producer) {
    Peer peer = server.connect();
    for (int i = 0;; ++i) {
      peer.send_request(Round(producer, i).request, 9, i);
      if (!peer.receive_frame()) return;
      ++acknowledged;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < producers; ++i) threads.emplace_back(produce_until_closed, i);
    CHECK(wait_for([&] { return acknowledged > 20; }));
    server.stop();
  }
  server.restart();
  Peer peer = server.connect();
  for (std::int32_t p = 0; p < partitions; ++p) {
    CHECK(fetch(peer, fetch_request("t", 0, p)).high_watermark >= acknowledged);
  }
}

TEST_SUITE_END();
