#include "client/metadata.h"

#include <doctest/doctest.h>

#include "client/api_versions.h"

namespace leat::client {
namespace {

/// An answer about topic "t", whose partitions have these leaders, all in one leader epoch.
wire::MetadataResponse answer(const std::vector<std::int32_t>& leaders, std::int32_t epoch,
                              std::uint8_t topic_id = 1) {
  wire::MetadataResponse response;
  for (std::int32_t id : {1, 2, 3})
    response.brokers.push_back({id, "host", 9000 + id, std::nullopt});
  auto& topic = response.topics.emplace_back();
  topic.name = "t";
  topic.topic_id.bytes[0] = topic_id;
  std::int32_t index = 0;
  for (std::int32_t leader : leaders) {
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = index++;
    partition.leader_id = leader;
    partition.leader_epoch = epoch;
  }
  return response;
}

TEST_SUITE_BEGIN("client");

TEST_CASE("the latest answer says who leads") {
  Metadata metadata;
  metadata.update(answer({1, 2}, 5));
  CHECK(metadata.leader("t", 0) == 1);
  CHECK(metadata.leader("t", 1) == 2);
  CHECK(metadata.leader("t", 2) == std::nullopt);
  CHECK(metadata.leader("u", 0) == std::nullopt);
  CHECK(metadata.broker(2) == net::Address{"host", 9002});
  metadata.update(answer({3, 2}, 6));
  CHECK(metadata.leader("t", 0) == 3);
}

TEST_CASE("a broker that lags behind does not bring back the leader before") {
  Metadata metadata;
  metadata.update(answer({2}, 6));
  metadata.update(answer({1}, 5));
  CHECK(metadata.leader("t", 0) == 2);
  // A topic made again begins again.
  metadata.update(answer({1}, 0, 2));
  CHECK(metadata.leader("t", 0) == 1);
}

TEST_CASE("a leader that was forgotten is unknown until it is named again") {
  Metadata metadata;
  metadata.update(answer({2}, 6));
  metadata.forget_leader("t", 0);
  metadata.forget_leader("t", 9);
  metadata.forget_leader("u", 0);
  CHECK(metadata.leader("t", 0) == std::nullopt);
  metadata.update(answer({2}, 6));
  CHECK(metadata.leader("t", 0) == 2);
}

TEST_CASE("a partition without a leader, or led by nobody we know, has none") {
  Metadata metadata;
  metadata.update(answer({-1, 7}, 1));
  CHECK(metadata.leader("t", 0) == std::nullopt);
  CHECK(metadata.leader("t", 1) == std::nullopt);
}

TEST_CASE("partition numbers that make no sense take no memory") {
  Metadata metadata;
  auto response = answer({1}, 1);
  response.topics[0].partitions[0].partition_index = INT32_MAX;
  metadata.update(response);
  CHECK(metadata.topic("t")->partitions.empty());
}

TEST_CASE("the highest version that both sides speak is taken") {
  wire::ApiVersionsResponse response;
  response.api_keys.push_back({wire::ApiKey::fetch, 4, 11});
  ApiVersions versions(response);
  auto choose = [&](wire::Version first, wire::Version last) -> int {
    auto version = versions.choose(wire::ApiKey::fetch, {first, last}, "b:1");
    return version ? *version : -1;
  };
  CHECK(choose(0, 16) == 11);
  CHECK(choose(0, 7) == 7);
  CHECK(choose(0, 4) == 4);
  CHECK(choose(0, 3) == -1);
  CHECK(choose(12, 16) == -1);
  CHECK_FALSE(versions.choose(wire::ApiKey::produce, {0, 9}, "b:1"));
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
