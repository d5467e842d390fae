// The APIs with which topics are changed after they were made.
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/peer.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using wire::AlterConfigOperation;
using wire::ConfigResourceType;
using wire::ErrorCode;

namespace {

/// The value of a topic's setting, as DescribeConfigs gives it.
std::string setting(Peer& peer, const std::string& topic, const std::string& name) {
  wire::DescribeConfigsRequest request;
  request.resources.push_back({ConfigResourceType::topic, topic, {{name}}});
  auto resource = peer.ask(request).results.at(0);
  REQUIRE(resource.error_code == ErrorCode::none);
  return resource.configs.at(0).value.value();
}

std::size_t partitions_of(Peer& peer, const std::string& topic) {
  wire::MetadataRequest request;
  request.topics.emplace().emplace_back().name = topic;
  return peer.ask(request, 12).topics.at(0).partitions.size();
}

ErrorCode add_partitions(
    Peer& peer, const std::string& topic, std::int32_t count,
    std::optional<std::vector<wire::CreatePartitionsRequest::Assignment>> assignments = {},
    bool validate_only = false) {
  wire::CreatePartitionsRequest request;
  request.topics.push_back({topic, count, std::move(assignments)});
  request.validate_only = validate_only;
  auto result = peer.ask(request).results.at(0);
  CHECK(result.name == topic);
  CHECK(result.error_message.has_value() == (result.error_code != ErrorCode::none));
  return result.error_code;
}

using Change = wire::IncrementalAlterConfigsRequest::Config;

ErrorCode change(Peer& peer, const std::string& topic, std::vector<Change> changes,
                 ConfigResourceType type = ConfigResourceType::topic, bool validate_only = false) {
  wire::IncrementalAlterConfigsRequest request;
  request.resources.push_back({type, topic, std::move(changes)});
  request.validate_only = validate_only;
  auto response = peer.ask(request).responses.at(0);
  CHECK(response.resource_name == topic);
  CHECK(response.resource_type == type);
  return response.error_code;
}

wire::DeleteRecordsResponse::Partition delete_records(Peer& peer, const std::string& topic,
                                                      std::int64_t offset) {
  wire::DeleteRecordsRequest request;
  request.topics.push_back({topic, {{0, offset}}});
  return peer.ask(request).topics.at(0).partitions.at(0);
}

}  // namespace

TEST_CASE("partitions are added, for this broker alone, and can be used at once") {
  TestServer server;
  server.create_topic("t", 2);
  Peer peer = server.connect();
  CHECK(add_partitions(peer, "t", 4, {}, true) == ErrorCode::none);
  CHECK(partitions_of(peer, "t") == 2);
  CHECK(add_partitions(peer, "t", 4) == ErrorCode::none);
  CHECK(partitions_of(peer, "t") == 4);
  CHECK(produce(peer, "t", batch_of({"a"}), 3).error_code == ErrorCode::none);
  CHECK(add_partitions(peer, "t", 4) == ErrorCode::invalid_partitions);
  CHECK(add_partitions(peer, "t", 1) == ErrorCode::invalid_partitions);
  CHECK(add_partitions(peer, "missing", 4) == ErrorCode::unknown_topic_or_partition);
  CHECK(add_partitions(peer, "t", 100'000) == ErrorCode::policy_violation);
  CHECK(add_partitions(peer, "t", 6, {{{{1}}}}) == ErrorCode::invalid_replica_assignment);
  CHECK(add_partitions(peer, "t", 5, {{{{2}}}}) == ErrorCode::invalid_replica_assignment);
  CHECK(add_partitions(peer, "t", 5, {{{{1}}}}) == ErrorCode::none);
  wire::CreatePartitionsRequest twice;
  twice.topics = {{"t", 7, {}}, {"t", 8, {}}};
  for (const auto& result : peer.ask(twice).results) {
    CHECK(result.error_code == ErrorCode::invalid_request);
  }
  server.restart();
  Peer again = server.connect();
  CHECK(partitions_of(again, "t") == 5);
}

TEST_CASE("single settings of a topic are changed, the others stay") {
  TestServer server;
  server.create_topic("t", 1, {{"retention.ms", "1000"}});
  Peer peer = server.connect();
  CHECK(change(peer, "t", {{"segment.bytes", AlterConfigOperation::set, "4096"}}) ==
        ErrorCode::none);
  CHECK(setting(peer, "t", "segment.bytes") == "4096");
  CHECK(setting(peer, "t", "retention.ms") == "1000");
  CHECK(change(peer, "t", {{"retention.ms", AlterConfigOperation::remove, std::nullopt}}) ==
        ErrorCode::none);
  CHECK(setting(peer, "t", "retention.ms") == "604800000");
  CHECK(change(peer, "t", {{"cleanup.policy", AlterConfigOperation::append, "compact"}}) ==
        ErrorCode::none);
  CHECK(setting(peer, "t", "cleanup.policy") == "delete,compact");
  CHECK(change(peer, "t", {{"cleanup.policy", AlterConfigOperation::subtract, "delete"}}) ==
        ErrorCode::none);
  CHECK(setting(peer, "t", "cleanup.policy") == "compact");
  CHECK(change(peer, "t", {{"retention.ms", AlterConfigOperation::set, "5"}},
               ConfigResourceType::topic, true) == ErrorCode::none);
  CHECK(setting(peer, "t", "retention.ms") == "604800000");
  server.restart();
  Peer again = server.connect();
  CHECK(setting(again, "t", "cleanup.policy") == "compact");
  CHECK(setting(again, "t", "segment.bytes") == "4096");
}

TEST_CASE("a change that makes no sense is refused whole, with Kafka's codes") {
  TestServer server;
  server.create_topic("t", 1, {{"retention.ms", "1000"}});
  Peer peer = server.connect();
  Change good{"segment.bytes", AlterConfigOperation::set, "4096"};
  auto refused = [&](Change bad) { return change(peer, "t", {good, std::move(bad)}); };
  CHECK(refused({"retention.ms", AlterConfigOperation::set, "x"}) == ErrorCode::invalid_config);
  CHECK(refused({"no.such", AlterConfigOperation::set, "1"}) == ErrorCode::invalid_config);
  CHECK(refused({"retention.ms", AlterConfigOperation::append, "1"}) == ErrorCode::invalid_config);
  CHECK(refused({"retention.ms", AlterConfigOperation::set, std::nullopt}) ==
        ErrorCode::invalid_request);
  CHECK(refused({"retention.ms", static_cast<AlterConfigOperation>(9), "1"}) ==
        ErrorCode::invalid_request);
  CHECK(refused(good) == ErrorCode::invalid_request);
  CHECK(setting(peer, "t", "segment.bytes") == "1073741824");
  CHECK(change(peer, "missing", {good}) == ErrorCode::unknown_topic_or_partition);
  CHECK(change(peer, "a/b", {good}) == ErrorCode::invalid_topic_exception);
  CHECK(change(peer, "1", {good}, ConfigResourceType::broker) == ErrorCode::invalid_request);
  CHECK(change(peer, "1", {good}, static_cast<ConfigResourceType>(16)) ==
        ErrorCode::invalid_request);
  wire::IncrementalAlterConfigsRequest twice;
  twice.resources.resize(2, {ConfigResourceType::topic, "t", {good}});
  for (const auto& response : peer.ask(twice).responses) {
    CHECK(response.error_code == ErrorCode::invalid_request);
  }
}

TEST_CASE("AlterConfigs replaces all settings of a topic") {
  TestServer server;
  server.create_topic("t", 1, {{"retention.ms", "1000"}, {"segment.bytes", "4096"}});
  Peer peer = server.connect();
  wire::AlterConfigsRequest request;
  request.resources.push_back({ConfigResourceType::topic, "t", {{"retention.ms", "2000"}}});
  request.validate_only = true;
  CHECK(peer.ask(request).responses.at(0).error_code == ErrorCode::none);
  CHECK(setting(peer, "t", "retention.ms") == "1000");
  request.validate_only = false;
  CHECK(peer.ask(request).responses.at(0).error_code == ErrorCode::none);
  CHECK(setting(peer, "t", "retention.ms") == "2000");
  CHECK(setting(peer, "t", "segment.bytes") == "1073741824");
  request.resources[0].configs = {{"retention.ms", std::nullopt}};
  CHECK(peer.ask(request).responses.at(0).error_code == ErrorCode::invalid_request);
  request.resources[0].configs = {{"retention.ms", "never"}};
  CHECK(peer.ask(request).responses.at(0).error_code == ErrorCode::invalid_config);
}

TEST_CASE("names and values as long as the wire carries are refused in fewer words") {
  TestServer server;
  server.create_topic("t", 1);
  Peer peer = server.connect();
  const std::string longest(32'767, 'n');
  wire::DescribeConfigsRequest described;
  described.resources = {{ConfigResourceType::topic, longest, std::nullopt},
                         {ConfigResourceType::broker, longest, std::nullopt}};
  auto results = peer.ask(described, 1).results;
  CHECK(results.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(results.at(1).error_code == ErrorCode::invalid_request);

  wire::CreatePartitionsRequest more;
  more.topics = {{longest, 2, std::nullopt}};
  CHECK(peer.ask(more, 0).results.at(0).error_code == ErrorCode::unknown_topic_or_partition);

  wire::AlterConfigsRequest altered;
  altered.resources = {{ConfigResourceType::topic, "t", {{longest, "1"}}}};
  CHECK(peer.ask(altered, 0).responses.at(0).error_code == ErrorCode::invalid_config);
  altered.resources[0].configs = {{"retention.ms", longest}};
  CHECK(peer.ask(altered, 0).responses.at(0).error_code == ErrorCode::invalid_config);
  altered.resources[0].configs = {{longest, std::nullopt}};
  CHECK(peer.ask(altered, 0).responses.at(0).error_code == ErrorCode::invalid_request);

  wire::IncrementalAlterConfigsRequest changed;
  changed.resources = {
      {ConfigResourceType::topic, "t", {{longest, AlterConfigOperation::append, "1"}}}};
  CHECK(peer.ask(changed, 0).responses.at(0).error_code == ErrorCode::invalid_config);
  changed.resources[0].configs.resize(2, changed.resources[0].configs[0]);
  CHECK(peer.ask(changed, 0).responses.at(0).error_code == ErrorCode::invalid_request);

  wire::CreateTopicsRequest made;
  made.topics.emplace_back().name = "u";
  made.topics[0].num_partitions = 1;
  made.topics[0].replication_factor = 1;
  made.topics[0].configs = {{longest, std::nullopt}};
  CHECK(peer.ask(made, 1).topics.at(0).error_code == ErrorCode::invalid_config);
}

TEST_CASE("deleted records are out of range, and the start is told") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  produce(peer, "t", batch_of({"a", "b", "c"}));
  produce(peer, "t", batch_of({"d"}));
  CHECK(delete_records(peer, "t", 2).low_watermark == 2);
  CHECK(fetch(peer, fetch_request("t", 1)).error_code == ErrorCode::offset_out_of_range);
  auto kept = fetch(peer, fetch_request("t", 2));
  CHECK(kept.log_start_offset == 2);
  // The batch that holds the offset is given whole; a consumer skips what is before it.
  CHECK(records_in(kept.records.bytes()).back() == "3:d");
  CHECK(delete_records(peer, "t", 9).error_code == ErrorCode::offset_out_of_range);
  CHECK(delete_records(peer, "missing", 0).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(delete_records(peer, "t", -1).low_watermark == 4);
  server.restart();
  Peer again = server.connect();
  CHECK(fetch(again, fetch_request("t", 4)).log_start_offset == 4);
}

TEST_CASE("the data directory is described with the size of each partition") {
  TestServer server;
  server.create_topic("a", 2);
  server.create_topic("b");
  Peer peer = server.connect();
  Bytes batch = batch_of({"x"});
  produce(peer, "a", batch, 1);
  auto all = peer.ask(wire::DescribeLogDirsRequest{}).results.at(0);
  CHECK(all.error_code == ErrorCode::none);
  CHECK(all.log_dir == server.options().broker.store.directory);
  CHECK(all.usable_bytes > 0);
  REQUIRE(all.topics.size() == 2);
  CHECK(all.topics[0].name == "a");
  CHECK(all.topics[0].partitions.at(0).partition_size == 0);
  CHECK(all.topics[0].partitions.at(1).partition_size == static_cast<std::int64_t>(batch.size()));
  wire::DescribeLogDirsRequest some;
  some.topics = {{"a", {1, 7}}, {"missing", {0}}};
  auto found = peer.ask(some).results.at(0);
  REQUIRE(found.topics.size() == 1);
  REQUIRE(found.topics[0].partitions.size() == 1);
  CHECK(found.topics[0].partitions[0].partition_index == 1);
}

TEST_CASE("no partition is ever being moved") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  auto response = peer.ask(wire::ListPartitionReassignmentsRequest{});
  CHECK(response.error_code == ErrorCode::none);
  CHECK(response.topics.empty());
}

TEST_CASE("a consumer learns where an epoch ended, unless its own is another") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  produce(peer, "t", batch_of({"a", "b"}));
  auto ask = [&](const std::string& topic, std::int32_t current, std::int32_t epoch) {
    wire::OffsetForLeaderEpochRequest request;
    request.topics.push_back({topic, {{0, current, epoch}}});
    return peer.ask(request).topics.at(0).partitions.at(0);
  };
  CHECK(ask("t", 0, 0).leader_epoch == 0);
  CHECK(ask("t", -1, 0).end_offset == 2);
  CHECK(ask("t", -1, 1).end_offset == -1);
  CHECK(ask("t", -1, 1).leader_epoch == -1);
  CHECK(ask("t", 3, 0).error_code == ErrorCode::unknown_leader_epoch);
  CHECK(ask("missing", -1, 0).error_code == ErrorCode::unknown_topic_or_partition);
}

TEST_SUITE_END();
