// The APIs that tell about topics and change them.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/peer.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using wire::ErrorCode;

namespace {

wire::MetadataRequest ask_for(const std::vector<std::string>& names, bool allow = true) {
  wire::MetadataRequest request;
  request.topics.emplace();
  for (const std::string& name : names) request.topics->emplace_back().name = name;
  request.allow_auto_topic_creation = allow;
  return request;
}

wire::CreateTopicsRequest create(const std::string& name, std::int32_t partitions = 1,
                                 std::int16_t replicas = 1) {
  wire::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = replicas;
  return request;
}

ErrorCode code_of(Peer& peer, const wire::CreateTopicsRequest& request) {
  return peer.ask(request).topics.at(0).error_code;
}

std::map<std::string, wire::DescribeConfigsResponse::Config> configs_of(
    Peer& peer, wire::ConfigResourceType type, const std::string& name, wire::Version version = 4) {
  wire::DescribeConfigsRequest request;
  request.include_documentation = true;
  request.include_synonyms = true;
  request.resources.push_back({type, name, std::nullopt});
  auto response = peer.ask(request, version);
  REQUIRE(response.results.at(0).error_code == ErrorCode::none);
  std::map<std::string, wire::DescribeConfigsResponse::Config> configs;
  for (const auto& config : response.results[0].configs) configs[config.name] = config;
  return configs;
}

}  // namespace

TEST_CASE("ApiVersions lists what is served, and Produce from 0 for old clients") {
  TestServer server;
  Peer peer = server.connect();
  wire::ApiVersionsRequest request;
  request.client_software_name = "test-client.x";
  request.client_software_version = "1.0";
  for (wire::Version version = 0; version <= 4; ++version) {
    auto response = peer.ask(request, version);
    CHECK(response.error_code == ErrorCode::none);
    // Clients of versions below 4 do not bear one whose least version is 0.
    for (const auto& feature : response.supported_features) {
      bool is_bearable = version >= 4 || feature.min_version > 0;
      CHECK(is_bearable);
    }
    std::map<wire::ApiKey, wire::Versions> versions;
    for (const auto& api : response.api_keys) {
      versions[api.api_key] = {api.min_version, api.max_version};
    }
    CHECK(versions.size() == 38);
    CHECK(versions[wire::ApiKey::produce] == wire::Versions{0, 12});
    CHECK(versions[wire::ApiKey::fetch] == wire::Versions{4, 16});
    CHECK(versions[wire::ApiKey::api_versions] == wire::Versions{0, 4});
  }
}

TEST_CASE("a client that names itself must do so with a proper name (KIP-511)") {
  TestServer server;
  Peer peer = server.connect();
  for (std::string bad : {"", "-x", "x-", "a b", "a/b", ".", "\xc3\xbc"}) {
    for (bool is_name : {true, false}) {
      wire::ApiVersionsRequest request;
      request.client_software_name = is_name ? bad : "good";
      request.client_software_version = is_name ? "good" : bad;
      CHECK(peer.ask(request, 3).error_code == ErrorCode::invalid_request);
    }
  }
}

TEST_CASE("every API is answered in every version that is advertised") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  auto ask_all = [&]<class Request>(Request request) {
    for (wire::Version v = Request::valid.first; v <= Request::valid.last; ++v) {
      CAPTURE(v);
      peer.ask(request, v);
    }
  };
  ask_all(ask_for({"t"}));
  wire::ListOffsetsRequest offsets;
  offsets.topics.push_back({"t", {{0, -1, -1}}});
  ask_all(offsets);
  wire::FindCoordinatorRequest coordinator;
  coordinator.coordinator_key = "g";
  coordinator.coordinator_keys = {"g"};
  ask_all(coordinator);
  ask_all(create("t"));
  ask_all(wire::DeleteTopicsRequest{});
  wire::DeleteRecordsRequest records;
  records.topics.push_back({"t", {{0, -1}}});
  ask_all(records);
  wire::OffsetForLeaderEpochRequest epochs;
  epochs.topics.push_back({"t", {{0, -1, 0}}});
  ask_all(epochs);
  ask_all(wire::DescribeConfigsRequest{});
  ask_all(wire::AlterConfigsRequest{});
  ask_all(wire::IncrementalAlterConfigsRequest{});
  ask_all(wire::DescribeLogDirsRequest{});
  ask_all(wire::CreatePartitionsRequest{});
  ask_all(wire::ListPartitionReassignmentsRequest{});
  ask_all(wire::DescribeClusterRequest{});
}

TEST_CASE("metadata names this server, as it was connected to, and its topics") {
  TestServer server;
  server.create_topic("a", 3);
  server.create_topic("b");
  Peer peer = server.connect();
  auto all = peer.ask(wire::MetadataRequest{}, 12);
  REQUIRE(all.brokers.size() == 1);
  CHECK(all.brokers[0].host == "127.0.0.1");
  CHECK(all.brokers[0].port == server.server().kafka_address().port);
  CHECK_FALSE(all.brokers[0].rack.has_value());
  CHECK(all.controller_id == all.brokers[0].node_id);
  CHECK(!all.cluster_id->empty());
  REQUIRE(all.topics.size() == 2);
  CHECK(all.topics[0].name == "a");
  REQUIRE(all.topics[0].partitions.size() == 3);
  for (const auto& partition : all.topics[0].partitions) {
    CHECK(partition.leader_id == all.controller_id);
    CHECK(partition.isr_nodes == std::vector{all.controller_id});
    CHECK(partition.leader_epoch >= 0);
  }
  wire::MetadataRequest none;
  none.topics.emplace();
  CHECK(peer.ask(none, 0).topics.size() == 2);
  CHECK(peer.ask(none, 1).topics.empty());
  wire::MetadataRequest by_id;
  by_id.topics.emplace().emplace_back().topic_id = all.topics[1].topic_id;
  CHECK(peer.ask(by_id, 12).topics.at(0).name == "b");
  // As Java writes it.
  by_id.topics->at(0).name = "";
  CHECK(peer.ask(by_id, 12).topics.at(0).name == all.topics[1].name);
  by_id.topics->at(0).topic_id.bytes[0] ^= 1;
  CHECK(peer.ask(by_id, 12).topics.at(0).error_code == ErrorCode::unknown_topic_id);
}

TEST_CASE("clients are told the advertised address when there is one") {
  TestServer server([](ServerOptions& options) {
    options.advertised = net::Address{"broker.example", 0};
  });
  Peer peer = server.connect();
  auto all = peer.ask(wire::MetadataRequest{}, 12);
  CHECK(all.brokers[0].host == "broker.example");
  CHECK(all.brokers[0].port == server.server().kafka_address().port);
  auto cluster = peer.ask(wire::DescribeClusterRequest{});
  CHECK(cluster.brokers.at(0).host == "broker.example");
  CHECK(cluster.cluster_id == *all.cluster_id);
}

TEST_CASE("a topic that is asked for is made, unless the client or the server says no") {
  TestServer server([](ServerOptions& options) { options.broker.default_partitions = 4; });
  Peer peer = server.connect();
  CHECK(peer.ask(ask_for({"x"}, false), 12).topics.at(0).error_code ==
        ErrorCode::unknown_topic_or_partition);
  auto made = peer.ask(ask_for({"x", "bad name", "y"}), 12);
  CHECK(made.topics.at(0).error_code == ErrorCode::none);
  CHECK(made.topics[0].partitions.size() == 4);
  CHECK(made.topics.at(1).error_code == ErrorCode::invalid_topic_exception);
  CHECK(made.topics.at(2).error_code == ErrorCode::none);
  // Versions before 4 cannot say no.
  CHECK(peer.ask(ask_for({"z"}), 1).topics.at(0).error_code == ErrorCode::none);

  TestServer strict([](ServerOptions& options) { options.broker.auto_create_topics = false; });
  Peer other = strict.connect();
  CHECK(other.ask(ask_for({"x"}), 12).topics.at(0).error_code ==
        ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("two clients that ask for the same missing topic both get it") {
  TestServer server;
  Peer a = server.connect();
  Peer b = server.connect();
  for (int i = 0; i < 20; ++i) {
    auto request = ask_for({"t" + std::to_string(i)});
    a.send_request(request, 12);
    b.send_request(request, 12);
    auto of_a = a.receive<wire::MetadataRequest>(12).topics.at(0);
    auto of_b = b.receive<wire::MetadataRequest>(12).topics.at(0);
    CHECK(of_a.error_code == ErrorCode::none);
    CHECK(of_b.error_code == ErrorCode::none);
    CHECK(of_a.topic_id == of_b.topic_id);
  }
}

TEST_CASE("bad topic names are refused (fault 24)") {
  TestServer server;
  Peer peer = server.connect();
  for (std::string name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                           std::string("nul\0", 4), std::string(250, 'x'), std::string("a b")}) {
    CHECK(code_of(peer, create(name)) == ErrorCode::invalid_topic_exception);
    CHECK(peer.ask(ask_for({name}), 12).topics.at(0).error_code ==
          ErrorCode::invalid_topic_exception);
  }
  CHECK(code_of(peer, create(std::string(249, 'x'))) == ErrorCode::none);
  CHECK(code_of(peer, create("a.b")) == ErrorCode::none);
  CHECK(code_of(peer, create("a_b")) == ErrorCode::invalid_topic_exception);
}

TEST_CASE("topics are created with their settings, and what cannot be is refused") {
  TestServer server([](ServerOptions& options) { options.broker.partitions_max = 50; });
  Peer peer = server.connect();
  auto request = create("t", 3);
  request.topics[0].configs.push_back({"retention.ms", "1000"});
  auto made = peer.ask(request).topics.at(0);
  CHECK(made.error_code == ErrorCode::none);
  CHECK(made.num_partitions == 3);
  CHECK(made.replication_factor == 1);
  CHECK(!made.topic_id.is_zero());
  auto shows = [](const auto& config) {
    return config.name == "retention.ms" && config.value == "1000";
  };
  CHECK(std::any_of(made.configs->begin(), made.configs->end(), shows));

  CHECK(code_of(peer, request) == ErrorCode::topic_already_exists);
  CHECK(code_of(peer, create("p", 0)) == ErrorCode::invalid_partitions);
  CHECK(code_of(peer, create("p", -5)) == ErrorCode::invalid_partitions);
  CHECK(code_of(peer, create("p", 60)) == ErrorCode::policy_violation);
  CHECK(code_of(peer, create("p", 1, 0)) == ErrorCode::invalid_replication_factor);
  request.topics[0].name = "c";
  request.topics[0].configs = {{"no.such.config", "1"}};
  CHECK(code_of(peer, request) == ErrorCode::invalid_config);
  request.topics[0].configs = {{"retention.ms", "soon"}};
  CHECK(code_of(peer, request) == ErrorCode::invalid_config);
  request.topics[0].configs = {{"retention.ms", std::nullopt}};
  CHECK(code_of(peer, request) == ErrorCode::invalid_config);
  auto twice = create("d");
  twice.topics.push_back(twice.topics[0]);
  twice.topics.push_back(create("e").topics[0]);
  auto answers = peer.ask(twice).topics;
  CHECK(answers.at(0).error_code == ErrorCode::invalid_request);
  CHECK(answers.at(1).error_code == ErrorCode::invalid_request);
  CHECK(answers.at(2).error_code == ErrorCode::none);
  CHECK(code_of(peer, create("defaults", -1, -1)) == ErrorCode::none);
}

TEST_CASE("more replicas than brokers are accepted as one, or refused where that is set") {
  TestServer lenient;
  Peer peer = lenient.connect();
  CHECK(code_of(peer, create("t", 1, 3)) == ErrorCode::none);
  TestServer strict([](ServerOptions& options) { options.accept_replication = false; });
  Peer other = strict.connect();
  CHECK(code_of(other, create("t", 1, 3)) == ErrorCode::invalid_replication_factor);
  CHECK(code_of(other, create("t", 1, 1)) == ErrorCode::none);
}

TEST_CASE("assignments count partitions, if they are for this broker") {
  TestServer server;
  Peer peer = server.connect();
  auto with = [](std::vector<wire::CreateTopicsRequest::Assignment> assignments,
                 std::int32_t partitions = -1) {
    auto request = create("t", partitions, -1);
    request.topics[0].assignments = std::move(assignments);
    return request;
  };
  CHECK(code_of(peer, with({{0, {1}}, {1, {2}}})) == ErrorCode::invalid_replica_assignment);
  CHECK(code_of(peer, with({{0, {1}}, {2, {1}}})) == ErrorCode::invalid_replica_assignment);
  CHECK(code_of(peer, with({{0, {1}}, {0, {1}}})) == ErrorCode::invalid_replica_assignment);
  CHECK(code_of(peer, with({{0, {1}}}, 1)) == ErrorCode::invalid_request);
  auto made = peer.ask(with({{1, {1}}, {0, {1}}})).topics.at(0);
  CHECK(made.error_code == ErrorCode::none);
  CHECK(made.num_partitions == 2);
}

TEST_CASE("validate_only checks everything and makes nothing") {
  TestServer server;
  Peer peer = server.connect();
  auto request = create("t", 2);
  request.validate_only = true;
  CHECK(code_of(peer, request) == ErrorCode::none);
  CHECK(peer.ask(wire::MetadataRequest{}, 12).topics.empty());
  CHECK(code_of(peer, create("t")) == ErrorCode::none);
  CHECK(code_of(peer, request) == ErrorCode::topic_already_exists);
}

TEST_CASE("topics are deleted by name and by id, and stay deleted; a new one has another id") {
  TestServer server;
  for (std::string name : {"a", "b", "c"}) server.create_topic(name);
  Uuid id_of_a;
  {
    Peer peer = server.connect();
    produce(peer, "a", batch_of({"old"}));
    auto all = peer.ask(wire::MetadataRequest{}, 12);
    id_of_a = all.topics[0].topic_id;
    wire::DeleteTopicsRequest request;
    request.topics = {
        {std::nullopt, id_of_a}, {"b", {}}, {"missing", {}}, {std::nullopt, Uuid{{1, 2, 3}}}};
    auto responses = peer.ask(request).responses;
    REQUIRE(responses.size() == 4);
    CHECK(responses[0].error_code == ErrorCode::none);
    CHECK(responses[0].name == "a");
    CHECK(responses[1].error_code == ErrorCode::none);
    CHECK(responses[2].error_code == ErrorCode::unknown_topic_or_partition);
    CHECK(responses[3].error_code == ErrorCode::unknown_topic_id);
    CHECK(code_of(peer, create("a")) == ErrorCode::none);
  }
  server.restart();
  Peer peer = server.connect();
  auto all = peer.ask(wire::MetadataRequest{}, 12);
  REQUIRE(all.topics.size() == 2);
  CHECK(all.topics[0].name == "a");
  CHECK(all.topics[0].topic_id != id_of_a);
  CHECK(all.topics[1].name == "c");
  CHECK(fetch(peer, fetch_request("a", 0)).high_watermark == 0);
}

TEST_CASE("offsets are listed by their special names and by time (fault 25)") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  auto list = [&](std::int64_t timestamp, std::string topic = "t", std::int32_t epoch = -1) {
    wire::ListOffsetsRequest request;
    request.topics.push_back({topic, {{0, epoch, timestamp}}});
    return peer.ask(request).topics.at(0).partitions.at(0);
  };
  CHECK(list(-1).offset == 0);
  CHECK(list(-3).offset == -1);
  produce(peer, "t", batch_of({"a", "b", "c"}));  // at 1.7e12 and the two milliseconds after
  std::int64_t first = 1'700'000'000'000;
  CHECK(list(-1).offset == 3);
  CHECK(list(-2).offset == 0);
  CHECK(list(-3).offset == 2);
  CHECK(list(-3).timestamp == first + 2);
  CHECK(list(-4).offset == 0);
  CHECK(list(-5).offset == -1);
  CHECK(list(0).offset == 0);
  CHECK(list(first + 1).offset == 1);
  CHECK(list(first + 1).timestamp == first + 1);
  CHECK(list(first + 3).offset == -1);
  CHECK(list(first + 3).error_code == ErrorCode::none);
  CHECK(list(-99).error_code == ErrorCode::unsupported_version);
  CHECK(list(-1, "missing").error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(list(-1, "t", 99).error_code == ErrorCode::unknown_leader_epoch);
}

TEST_CASE("all settings of a topic are described, given ones and defaults") {
  TestServer server;
  server.create_topic("t", 1, {{"retention.ms", "1000"}});
  Peer peer = server.connect();
  auto configs = configs_of(peer, wire::ConfigResourceType::topic, "t");
  auto retention = configs.at("retention.ms");
  CHECK(retention.value == "1000");
  CHECK(retention.config_source == wire::ConfigSource::topic_config);
  REQUIRE(retention.synonyms.size() == 2);
  CHECK(retention.synonyms[0].source == wire::ConfigSource::topic_config);
  CHECK(retention.synonyms[1].name == "log.retention.ms");
  CHECK(retention.synonyms[1].value == "604800000");
  CHECK(retention.synonyms[1].source == wire::ConfigSource::default_config);
  CHECK(!retention.documentation->empty());
  CHECK(retention.config_type == wire::ConfigType::long_type);
  auto policy = configs.at("cleanup.policy");
  CHECK(policy.value == "delete");
  CHECK(policy.config_source == wire::ConfigSource::default_config);
  CHECK(configs_of(peer, wire::ConfigResourceType::topic, "t", 0).at("cleanup.policy").is_default);

  wire::DescribeConfigsRequest some;
  some.resources.push_back({wire::ConfigResourceType::topic, "t", {{"retention.ms", "x"}}});
  some.resources.push_back({wire::ConfigResourceType::topic, "missing", std::nullopt});
  some.resources.push_back({wire::ConfigResourceType::broker, "7", std::nullopt});
  some.resources.push_back({static_cast<wire::ConfigResourceType>(8), "1", std::nullopt});
  auto results = peer.ask(some).results;
  CHECK(results.at(0).configs.size() == 1);
  CHECK(results[0].configs[0].synonyms.empty());
  CHECK_FALSE(results[0].configs[0].documentation.has_value());
  some.resources = {{wire::ConfigResourceType::topic, "t", std::vector<std::string>()}};
  CHECK(peer.ask(some).results.at(0).configs.size() == configs.size());
  CHECK(results.at(1).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(results.at(2).error_code == ErrorCode::invalid_request);
  CHECK(results.at(3).error_code == ErrorCode::invalid_request);
}

TEST_CASE("the broker's settings include those that tools look for, and say who gave them") {
  TestServer server([](ServerOptions& options) { options.broker.default_partitions = 4; });
  Peer peer = server.connect();
  auto configs = configs_of(peer, wire::ConfigResourceType::broker, "1");
  for (std::string name : {"inter.broker.protocol.version", "num.partitions", "log.retention.ms",
                           "auto.create.topics.enable", "default.replication.factor"}) {
    CHECK_MESSAGE(configs.contains(name), name);
  }
  auto partitions = configs.at("num.partitions");
  CHECK(partitions.read_only);
  CHECK(partitions.value == "4");
  CHECK(partitions.config_source == wire::ConfigSource::static_broker_config);
  REQUIRE(partitions.synonyms.size() == 2);
  CHECK(partitions.synonyms[1].value == "1");
  CHECK(partitions.synonyms[1].source == wire::ConfigSource::default_config);
  CHECK(configs.at("auto.create.topics.enable").config_source ==
        wire::ConfigSource::default_config);
  CHECK(configs.at("log.cleaner.min.cleanable.ratio").config_type == wire::ConfigType::double_type);
  CHECK(configs_of(peer, wire::ConfigResourceType::broker, "").empty());
}

TEST_CASE("this broker coordinates every group, and knows no controllers apart") {
  TestServer server;
  Peer peer = server.connect();
  wire::FindCoordinatorRequest request;
  request.coordinator_key = "g";
  auto one = peer.ask(request, 3);
  CHECK(one.error_code == ErrorCode::none);
  CHECK(one.port == server.server().kafka_address().port);
  request.coordinator_keys = {"a", "b"};
  auto two = peer.ask(request, 4);
  REQUIRE(two.coordinators.size() == 2);
  CHECK(two.coordinators[1].key == "b");
  CHECK(two.coordinators[1].port == server.server().kafka_address().port);
  wire::DescribeClusterRequest controllers;
  controllers.endpoint_type = 2;
  CHECK(peer.ask(controllers, 1).error_code == ErrorCode::mismatched_endpoint_type);
}

TEST_SUITE_END();
