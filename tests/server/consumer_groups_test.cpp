// Groups of the new protocol over a socket, in the bytes and versions of librdkafka 2.10 and later
// (ConsumerGroupHeartbeat 1, ConsumerGroupDescribe 0) and of Java 4 (1 and 1).
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "server/peer.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using namespace leat::wire;

namespace {

using Heartbeat = ConsumerGroupHeartbeatRequest;
using HeartbeatAnswer = ConsumerGroupHeartbeatResponse;

std::string hex(BytesView bytes) {
  std::string text;
  for (std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<int>(byte));
  return text;
}

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

/// Sends the frame and gives the one that comes back, both without their lengths.
std::string ask_hex(Peer& peer, const std::string& text) {
  std::string body = without_spaces(text);
  peer.send(from_hex(fmt::format("{:08x}", body.size() / 2) + body));
  std::optional<Bytes> answer = peer.receive_frame();
  return answer ? hex(*answer) : "closed";
}

Heartbeat join_request(const std::string& member, std::vector<std::string> topics = {"t"}) {
  Heartbeat request;
  request.group_id = "g";
  request.member_id = member;
  request.rebalance_timeout_ms = 60'000;
  request.subscribed_topic_names = std::move(topics);
  request.topic_partitions.emplace();
  return request;
}

Heartbeat beat_request(const std::string& member, std::int32_t epoch) {
  Heartbeat request;
  request.group_id = "g";
  request.member_id = member;
  request.member_epoch = epoch;
  return request;
}

std::size_t partitions_in(const HeartbeatAnswer& answer) {
  std::size_t count = 0;
  if (!answer.assignment) return count;
  for (const auto& topic : answer.assignment->topic_partitions) count += topic.partitions.size();
  return count;
}

ErrorCode commit(Peer& peer, const std::string& member, std::int32_t epoch, std::int64_t offset,
                 Version version = 9) {
  OffsetCommitRequest request;
  request.group_id = "g";
  request.member_id = member;
  request.generation_id = epoch;
  OffsetCommitRequest::Partition partition;
  partition.committed_offset = offset;
  request.topics.push_back({"t", {partition}});
  return peer.ask(request, version).topics.at(0).partitions.at(0).error_code;
}

OffsetFetchResponse::Group fetch_offsets(Peer& peer, std::optional<std::string> member,
                                         std::int32_t epoch) {
  OffsetFetchRequest request;
  request.groups.push_back({"g", std::move(member), epoch, {{{"t", {0}}}}});
  return peer.ask(request, 9).groups.at(0);
}

ConsumerGroupDescribeResponse::Group describe(Peer& peer, Version version,
                                              const std::string& group = "g") {
  ConsumerGroupDescribeRequest request;
  request.group_ids = {group};
  request.include_authorized_operations = true;
  return peer.ask(request, version).groups.at(0);
}

/// "group type protocol state" of those in the filters.
std::vector<std::string> list(Peer& peer, std::vector<std::string> types = {},
                              std::vector<std::string> states = {}) {
  ListGroupsRequest request;
  request.types_filter = std::move(types);
  request.states_filter = std::move(states);
  std::vector<std::string> lines;
  for (const auto& group : peer.ask(request, 5).groups) {
    lines.push_back(fmt::format("{} {} {} {}", group.group_id, group.group_type,
                                group.protocol_type, group.group_state));
  }
  return lines;
}

}  // namespace

TEST_CASE("a consumer's first heartbeat is answered byte for byte as Kafka does") {
  TestServer server;
  server.create_topic("t", 2);
  Uuid id;
  server.on_shard([&](broker::Broker& broker) { id = broker.find_topic("t")->info.id; });
  Peer peer = server.connect();
  // Spaces part the fields: header (key, version, id, client), group, member, epoch, instance,
  // rack, rebalance timeout, topics, regex, assignor, partitions.
  CHECK(ask_hex(peer,
                "0044 0001 00000007 000474657374 00 0267 0261 00000000 00 00 0000ea60 020274 "
                "00 00 01 00") ==
        // Header, throttle, error, message, member, epoch, interval, assignment.
        without_spaces("00000007 00 00000000 0000 00 0261 00000001 00001388 01 02" + id.to_hex() +
                       "03 00000000 00000001 00 00 00"));
  // A later one says only that it lives, and hears nothing new.
  CHECK(ask_hex(peer,
                "0044 0001 00000008 000474657374 00 0267 0261 00000001 00 00 ffffffff 00 00 "
                "00 00 00") ==
        without_spaces("00000008 00 00000000 0000 00 0261 00000001 00001388 ff 00"));
}

TEST_CASE(
    "two consumers share a topic, commit in their epochs, and one takes over from the other") {
  TestServer server;
  server.create_topic("t", 4);
  Peer peer = server.connect();
  CHECK(partitions_in(peer.ask(join_request("a"), 1)) == 4);
  HeartbeatAnswer b = peer.ask(join_request("b"), 1);
  CHECK(b.member_epoch == 2);
  CHECK(b.heartbeat_interval_ms == 5'000);
  REQUIRE(b.assignment);
  CHECK(partitions_in(b) == 0);
  CHECK(list(peer) == std::vector<std::string>{"g consumer consumer Reconciling"});
  HeartbeatAnswer kept = peer.ask(beat_request("a", 1), 1);
  CHECK(kept.member_epoch == 1);
  CHECK(partitions_in(kept) == 2);
  Heartbeat revoked = beat_request("a", 1);
  revoked.topic_partitions = kept.assignment->topic_partitions;
  CHECK(peer.ask(revoked, 1).member_epoch == 2);
  CHECK(partitions_in(peer.ask(beat_request("b", 2), 1)) == 2);
  CHECK(list(peer, {"Consumer"}, {"stable"}) ==
        std::vector<std::string>{"g consumer consumer Stable"});
  CHECK(list(peer, {"classic"}).empty());

  CHECK(commit(peer, "a", 2, 7) == ErrorCode::none);
  CHECK(commit(peer, "a", 1, 8) == ErrorCode::stale_member_epoch);
  CHECK(commit(peer, "nobody", 2, 8) == ErrorCode::unknown_member_id);
  CHECK(commit(peer, "a", 2, 8, 8) == ErrorCode::unsupported_version);
  CHECK(commit(peer, "", -1, 8) == ErrorCode::unknown_member_id);
  CHECK(fetch_offsets(peer, "a", 2).topics.at(0).partitions.at(0).committed_offset == 7);
  CHECK(fetch_offsets(peer, std::nullopt, -1).error_code == ErrorCode::none);
  CHECK(fetch_offsets(peer, "a", 1).error_code == ErrorCode::stale_member_epoch);
  CHECK(fetch_offsets(peer, "nobody", 2).error_code == ErrorCode::unknown_member_id);

  server.restart();
  Peer again = server.connect();
  CHECK(again.ask(beat_request("a", 2), 1).member_epoch == 2);
  HeartbeatAnswer left = again.ask(beat_request("b", -1), 1);
  CHECK(left.error_code == ErrorCode::none);
  CHECK(left.member_epoch == -1);
  HeartbeatAnswer all = again.ask(beat_request("a", 2), 1);
  CHECK(all.member_epoch == 3);
  CHECK(partitions_in(all) == 4);
  CHECK(again.ask(beat_request("b", 2), 1).error_code == ErrorCode::unknown_member_id);
  CHECK(again.ask(beat_request("a", 1), 1).error_code == ErrorCode::fenced_member_epoch);
  CHECK(fetch_offsets(again, "a", 3).topics.at(0).partitions.at(0).committed_offset == 7);
}

TEST_CASE("a consumer group is described with what its members have and are to have") {
  TestServer server;
  server.create_topic("t", 2);
  Peer peer = server.connect();
  Heartbeat request = join_request("a");
  request.instance_id = "one";
  request.rack_id = "r";
  request.server_assignor = "range";
  CHECK(peer.ask(request, 1).error_code == ErrorCode::none);
  peer.ask(join_request("b"), 1);
  for (Version version : {Version{0}, Version{1}}) {
    auto group = describe(peer, version);
    CHECK(group.error_code == ErrorCode::none);
    CHECK(group.group_state == "Reconciling");
    CHECK(group.group_epoch == 2);
    CHECK(group.assignment_epoch == 2);
    CHECK(group.assignor_name == "range");
    CHECK(group.authorized_operations == 328);
    REQUIRE(group.members.size() == 2);
    const auto& a = group.members[0];
    CHECK(a.member_id == "a");
    CHECK(a.instance_id == "one");
    CHECK(a.rack_id == "r");
    CHECK(a.member_epoch == 1);
    CHECK(a.client_id == "test");
    CHECK(a.client_host == "/127.0.0.1");
    CHECK(a.subscribed_topic_names == std::vector<std::string>{"t"});
    REQUIRE(a.assignment.topic_partitions.size() == 1);
    CHECK(a.assignment.topic_partitions[0].topic_name == "t");
    CHECK(a.assignment.topic_partitions[0].partitions == std::vector<std::int32_t>{0, 1});
    CHECK(a.target_assignment.topic_partitions.at(0).partitions == std::vector<std::int32_t>{0});
    CHECK(a.member_type == (version == 0 ? -1 : 1));
    CHECK(group.members[1].assignment.topic_partitions.empty());
  }
  CHECK(describe(peer, 1, "none").error_code == ErrorCode::group_id_not_found);
  // Who asks in the classic way hears that there is no classic group of that name.
  DescribeGroupsRequest classic;
  classic.groups = {"g"};
  CHECK(peer.ask(classic, 5).groups.at(0).group_state == "Dead");
  auto refused = peer.ask(classic, 6).groups.at(0);
  CHECK(refused.error_code == ErrorCode::group_id_not_found);
  CHECK(refused.error_message == "Group g is not a classic group.");
}

TEST_CASE("names as long as the wire carries are taken, and answered") {
  TestServer server;
  server.create_topic("t", 2);
  Peer peer = server.connect();
  const std::string longest(32'767, 'n');
  Heartbeat request = join_request(longest, {longest, "t"});
  request.group_id = longest;
  request.instance_id = longest;
  request.rack_id = longest;
  auto joined = peer.ask(request, 1);
  CHECK(joined.error_code == ErrorCode::none);
  CHECK(joined.member_id == longest);
  CHECK(partitions_in(joined) == 2);
  auto group = describe(peer, 1, longest);
  REQUIRE(group.members.size() == 1);
  CHECK(group.members[0].subscribed_topic_names.size() == 2);
  server.restart();
  Peer again = server.connect();
  CHECK(describe(again, 1, longest).members.size() == 1);
  // What is refused is refused in fewer words.
  DescribeGroupsRequest classic;
  classic.groups = {longest, std::string(32'766, 'x')};
  auto refused = again.ask(classic, 6);
  CHECK(refused.groups.at(0).error_code == ErrorCode::group_id_not_found);
  CHECK(refused.groups.at(1).error_code == ErrorCode::group_id_not_found);
  CHECK(describe(again, 1, std::string(32'766, 'x')).error_code == ErrorCode::group_id_not_found);
  request.server_assignor = longest;
  CHECK(again.ask(request, 1).error_code == ErrorCode::unsupported_assignor);
}

TEST_CASE("a server names the member that says no id, in the version that has none") {
  TestServer server;
  server.create_topic("t", 1);
  Peer peer = server.connect();
  HeartbeatAnswer named = peer.ask(join_request(""), 0);
  CHECK(named.error_code == ErrorCode::none);
  REQUIRE(named.member_id);
  CHECK(named.member_id->size() == 32);
  CHECK(peer.ask(beat_request(*named.member_id, 1), 0).error_code == ErrorCode::none);
  HeartbeatAnswer refused = peer.ask(join_request(""), 1);
  CHECK(refused.error_code == ErrorCode::invalid_request);
  CHECK(refused.error_message == "MemberId can't be empty.");
}

TEST_CASE("what a consumer group refuses has Kafka's codes") {
  TestServer server;
  server.create_topic("t", 1);
  Peer peer = server.connect();
  CHECK(peer.ask(beat_request("a", 1), 1).error_code == ErrorCode::group_id_not_found);
  Heartbeat request = join_request("a");
  request.server_assignor = "sticky";
  CHECK(peer.ask(request, 1).error_code == ErrorCode::unsupported_assignor);
  request = join_request("a");
  request.subscribed_topic_regex = "a[";
  CHECK(peer.ask(request, 1).error_code == ErrorCode::invalid_regular_expression);
  request.subscribed_topic_regex = "t.*";
  request.subscribed_topic_names.reset();
  request.instance_id = "one";
  CHECK(partitions_in(peer.ask(request, 1)) == 1);
  request.member_id = "b";
  CHECK(peer.ask(request, 1).error_code == ErrorCode::unreleased_instance_id);
  // Members of the other protocol are not mixed with these.
  JoinGroupRequest classic;
  classic.group_id = "g";
  classic.session_timeout_ms = 10'000;
  classic.protocol_type = "consumer";
  classic.protocols = {{"range", {}}};
  CHECK(peer.ask(classic, 9).error_code == ErrorCode::inconsistent_group_protocol);
  DeleteGroupsRequest remove;
  remove.group_names = {"g"};
  CHECK(peer.ask(remove, 2).results.at(0).error_code == ErrorCode::non_empty_group);
  Heartbeat leave = beat_request("a", -2);
  leave.instance_id = "one";
  CHECK(peer.ask(leave, 1).member_epoch == -2);
  CHECK(partitions_in(peer.ask(request, 1)) == 1);
  leave = beat_request("b", -1);
  CHECK(peer.ask(leave, 1).error_code == ErrorCode::none);
  CHECK(list(peer) == std::vector<std::string>{"g consumer consumer Empty"});
  CHECK(peer.ask(remove, 2).results.at(0).error_code == ErrorCode::none);
  CHECK(list(peer).empty());
}

TEST_CASE("clients are told that there are consumer groups, in the versions that bear it") {
  TestServer server;
  Peer peer = server.connect();
  ApiVersionsRequest request;
  request.client_software_name = "test";
  request.client_software_version = "1";
  for (Version version : {Version{3}, Version{4}}) {
    ApiVersionsResponse response = peer.ask(request, version);
    auto is_it = [](const auto& feature) { return feature.name == "group.version"; };
    const auto& finalized = response.finalized_features;
    auto feature = std::find_if(finalized.begin(), finalized.end(), is_it);
    REQUIRE(feature != finalized.end());
    CHECK(feature->max_version_level == 1);
    CHECK(response.finalized_features_epoch >= 0);
    const auto& supported = response.supported_features;
    auto range = std::find_if(supported.begin(), supported.end(), is_it);
    REQUIRE(range != supported.end());
    CHECK(range->min_version == 1);
  }
}

TEST_SUITE_END();
