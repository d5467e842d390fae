// Groups over a socket, in the versions that real clients use.
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "server/peer.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using namespace leat::wire;

namespace {

/// What one client library sends.
struct Dialect {
  std::string client;
  Version find_coordinator;
  Version join;
  Version sync;
  Version heartbeat;
  Version leave;
  Version commit;
  Version fetch;
};

const std::vector<Dialect> dialects = {
    {"kafka-python 2.0.2", 0, 2, 1, 1, 1, 2, 1}, {"librdkafka 2.0.2", 2, 5, 3, 3, 1, 7, 7},
    {"KafkaJS 2.2.4", 2, 5, 3, 3, 3, 5, 4},      {"the oldest", 0, 0, 0, 0, 0, 1, 1},
    {"Java 2.1", 2, 3, 2, 2, 2, 6, 5},           {"franz-go, Java 4", 6, 9, 5, 4, 5, 9, 9},
};

Bytes bytes_of(std::string_view text) {
  BytesView view = as_bytes(text);
  return Bytes(view.begin(), view.end());
}

/// A member of group "g".
class Member {
 public:
  Member(const TestServer& server, const Dialect& dialect) : dialect_(dialect) {
    reconnect(server);
  }

  void send_join(std::int32_t session_ms = 10'000) {
    JoinGroupRequest request;
    request.group_id = "g";
    request.session_timeout_ms = session_ms;
    request.rebalance_timeout_ms = 10'000;
    request.member_id = id_;
    request.protocol_type = "consumer";
    request.protocols = {{"range", bytes_of("wants")}};
    peer_->send_request(request, dialect_.join);
  }
  JoinGroupResponse receive_join() {
    auto joined = peer_->receive<JoinGroupRequest>(dialect_.join);
    id_ = joined.member_id;
    generation_ = joined.generation_id;
    return joined;
  }
  /// As clients do: with the id that it is told first, if it is.
  JoinGroupResponse join() {
    send_join();
    JoinGroupResponse joined = receive_join();
    if (joined.error_code != ErrorCode::member_id_required) return joined;
    CHECK(dialect_.join >= 4);
    send_join();
    return receive_join();
  }
  SyncGroupResponse sync(const std::vector<SyncGroupRequest::Assignment>& assignments = {}) {
    SyncGroupRequest request;
    request.group_id = "g";
    request.generation_id = generation_;
    request.member_id = id_;
    request.protocol_type = "consumer";
    request.protocol_name = "range";
    request.assignments = assignments;
    return peer_->ask(request, dialect_.sync);
  }
  ErrorCode heartbeat() {
    HeartbeatRequest request;
    request.group_id = "g";
    request.generation_id = generation_;
    request.member_id = id_;
    return peer_->ask(request, dialect_.heartbeat).error_code;
  }
  ErrorCode leave() {
    LeaveGroupRequest request;
    request.group_id = "g";
    request.member_id = id_;
    if (dialect_.leave >= 3) request.members.push_back({id_, {}, {}});
    LeaveGroupResponse left = peer_->ask(request, dialect_.leave);
    if (dialect_.leave < 3) return left.error_code;
    CHECK(left.error_code == ErrorCode::none);
    REQUIRE(left.members.size() == 1);
    CHECK(left.members[0].member_id == id_);
    return left.members[0].error_code;
  }
  ErrorCode commit(std::int64_t offset) {
    OffsetCommitRequest request;
    request.group_id = "g";
    request.generation_id = generation_;
    request.member_id = id_;
    OffsetCommitRequest::Partition partition;
    partition.committed_offset = offset;
    partition.committed_metadata = "note";
    request.topics.push_back({"t", {partition}});
    OffsetCommitResponse committed = peer_->ask(request, dialect_.commit);
    REQUIRE(committed.topics.size() == 1);
    CHECK(committed.topics[0].name == "t");
    return committed.topics[0].partitions.at(0).error_code;
  }
  /// Of partitions 0 and 1 of "t", as "offset metadata", by name and, where one can, as all there
  /// are.
  std::vector<std::string> fetch() {
    OffsetFetchRequest request;
    request.group_id = "g";
    request.topics.emplace().push_back({"t", {0, 1}});
    request.groups.push_back({"g", {}, -1, request.topics});
    std::vector<std::string> found = offsets_in(peer_->ask(request, dialect_.fetch));
    if (dialect_.fetch < 2) return found;
    request.topics.reset();
    request.groups[0].topics.reset();
    for (const std::string& one : offsets_in(peer_->ask(request, dialect_.fetch))) {
      found.push_back("all " + one);
    }
    return found;
  }

  Peer& peer() { return *peer_; }
  const std::string& id() const { return id_; }
  /// Goes on over another connection.
  void reconnect(const TestServer& server) { peer_.emplace(server.connect()); }

 private:
  std::vector<std::string> offsets_in(const OffsetFetchResponse& response) {
    CHECK(response.error_code == ErrorCode::none);
    const auto& topics = dialect_.fetch >= 8 ? response.groups.at(0).topics : response.topics;
    std::vector<std::string> found;
    for (const auto& topic : topics) {
      for (const auto& partition : topic.partitions) {
        CHECK(partition.error_code == ErrorCode::none);
        found.push_back(
            fmt::format("{} {}", partition.committed_offset, partition.metadata.value_or("-")));
      }
    }
    return found;
  }

  std::optional<Peer> peer_;
  Dialect dialect_;
  std::string id_;
  std::int32_t generation_ = -1;
};

DescribeGroupsResponse::Group describe(const TestServer& server, const std::string& group = "g",
                                       Version version = 6) {
  DescribeGroupsRequest request;
  request.groups = {group};
  request.include_authorized_operations = true;
  Peer peer = server.connect();
  return peer.ask(request, version).groups.at(0);
}

}  // namespace

TEST_CASE("a member of every client joins, works, commits, outlives a restart, and leaves") {
  for (const Dialect& dialect : dialects) {
    CAPTURE(dialect.client);
    TestServer server;
    server.create_topic("t", 2);
    Member member(server, dialect);
    FindCoordinatorRequest find;
    find.coordinator_key = "g";
    find.coordinator_keys = {"g"};
    FindCoordinatorResponse found = member.peer().ask(find, dialect.find_coordinator);
    std::int32_t port = server.server().kafka_address().port;
    CHECK((dialect.find_coordinator < 4 ? found.port : found.coordinators.at(0).port) == port);

    JoinGroupResponse joined = member.join();
    REQUIRE(joined.error_code == ErrorCode::none);
    CHECK(joined.generation_id == 1);
    CHECK(joined.protocol_name == "range");
    CHECK(joined.leader == member.id());
    REQUIRE(joined.members.size() == 1);
    CHECK(joined.members[0].metadata == bytes_of("wants"));
    SyncGroupResponse synced = member.sync({{member.id(), bytes_of("work")}});
    CHECK(synced.error_code == ErrorCode::none);
    CHECK(synced.assignment == bytes_of("work"));
    CHECK(member.heartbeat() == ErrorCode::none);
    CHECK(member.commit(7) == ErrorCode::none);
    std::vector<std::string> expected{"7 note", "-1 "};
    if (dialect.fetch >= 2) expected.push_back("all 7 note");
    CHECK(member.fetch() == expected);

    server.restart();
    member.reconnect(server);
    CHECK(member.heartbeat() == ErrorCode::none);
    CHECK(member.sync().assignment == bytes_of("work"));
    CHECK(member.fetch() == expected);
    CHECK(member.leave() == ErrorCode::none);
    CHECK(member.heartbeat() == ErrorCode::unknown_member_id);
    CHECK(describe(server).group_state == "Empty");
  }
}

TEST_CASE("members of different clients share a group, and a second one waits for the first") {
  TestServer server;
  server.create_topic("t", 2);
  Member leader(server, dialects[1]);
  leader.join();
  leader.sync();
  Member follower(server, dialects[0]);
  follower.send_join();
  REQUIRE(wait_for([&] { return leader.heartbeat() == ErrorCode::rebalance_in_progress; }));
  JoinGroupResponse joined = leader.join();
  CHECK(joined.members.size() == 2);
  CHECK(follower.receive_join().members.empty());
  CHECK(follower.commit(1) == ErrorCode::rebalance_in_progress);
  // The follower's request waits for the leader's.
  std::thread syncing([&] { CHECK(follower.sync().assignment == bytes_of("second")); });
  CHECK(leader.sync({{leader.id(), bytes_of("first")}, {follower.id(), bytes_of("second")}})
            .assignment == bytes_of("first"));
  syncing.join();
  DescribeGroupsResponse::Group group = describe(server);
  CHECK(group.group_state == "Stable");
  CHECK(group.protocol_type == "consumer");
  CHECK(group.protocol_data == "range");
  CHECK(group.authorized_operations == 328);
  REQUIRE(group.members.size() == 2);
  CHECK(group.members[0].client_id == "test");
  CHECK(group.members[0].client_host == "/127.0.0.1");
  CHECK(group.members[0].member_metadata == bytes_of("wants"));
  CHECK(follower.commit(1) == ErrorCode::none);
}

TEST_CASE("a client that vanishes while it waits does not hold the others up (fault 30)") {
  TestServer server;
  Member leader(server, dialects[0]);
  leader.join();
  leader.sync();
  {
    Member gone(server, dialects[0]);
    gone.send_join();
    REQUIRE(wait_for([&] { return leader.heartbeat() == ErrorCode::rebalance_in_progress; }));
    gone.peer().reset();
  }
  REQUIRE(wait_for([&] { return describe(server).members.size() == 1; }));
  CHECK(leader.join().members.size() == 1);
}

TEST_CASE("a server that stops does not wait for members that wait for others") {
  TestServer server;
  Member leader(server, dialects[0]);
  leader.join();
  leader.sync();
  Member waiting(server, dialects[5]);
  waiting.send_join();
  CHECK(waiting.receive_join().error_code == ErrorCode::member_id_required);
  waiting.send_join();
  REQUIRE(wait_for([&] { return leader.heartbeat() == ErrorCode::rebalance_in_progress; }));
  auto begin = std::chrono::steady_clock::now();
  server.stop();
  CHECK(std::chrono::steady_clock::now() - begin < server.options().limits.stop_timeout);
  CHECK(waiting.receive_join().error_code == ErrorCode::coordinator_not_available);
  server.restart();
  leader.reconnect(server);
  CHECK(leader.heartbeat() == ErrorCode::none);
}

TEST_CASE("what a member waits for may take longer than a connection may be idle") {
  TestServer server([](ServerOptions& options) {
    options.limits.idle_timeout = milliseconds(50);
    options.limits.frame_timeout = milliseconds(50);
    options.limits.write_timeout = milliseconds(50);
  });
  Member leader(server, dialects[0]);
  leader.join();
  leader.sync();
  Member waiting(server, dialects[0]);
  waiting.send_join();
  auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < milliseconds(200)) {
    std::this_thread::sleep_for(milliseconds(20));
    leader.reconnect(server);
    leader.heartbeat();
  }
  leader.join();
  CHECK(waiting.receive_join().error_code == ErrorCode::none);
}

TEST_CASE("groups are listed, filtered, and deleted when they are empty") {
  TestServer server;
  server.create_topic("t", 2);
  Member member(server, dialects[5]);
  Peer peer = server.connect();
  OffsetCommitRequest commit;
  commit.group_id = "admin";
  commit.topics.push_back({"t", {{0, 5, -1, -1, std::nullopt}}});
  commit.topics.push_back({"nope", {{0, 5, -1, -1, std::nullopt}}});
  OffsetCommitResponse committed = peer.ask(commit);
  CHECK(committed.topics[0].partitions[0].error_code == ErrorCode::none);
  CHECK(committed.topics[1].partitions[0].error_code == ErrorCode::unknown_topic_or_partition);
  member.join();
  member.sync();
  auto list = [&](std::vector<std::string> states, std::vector<std::string> types,
                  Version version = 5) {
    ListGroupsRequest request;
    request.states_filter = std::move(states);
    request.types_filter = std::move(types);
    std::string all;
    for (const auto& group : peer.ask(request, version).groups) {
      all += fmt::format("{} {} {} {};", group.group_id, group.protocol_type, group.group_state,
                         group.group_type);
    }
    return all;
  };
  std::string admin = "admin  Empty classic;";
  std::string g = "g consumer Stable classic;";
  CHECK(list({}, {}) == admin + g);
  CHECK(list({"stable"}, {}) == g);
  CHECK(list({"Empty", "Dead"}, {"Classic"}) == admin);
  CHECK(list({}, {"consumer"}).empty());
  CHECK(list({}, {}, 0) == "admin   ;g consumer  ;");

  DeleteGroupsRequest remove;
  remove.group_names = {"admin", "g", "nope"};
  DeleteGroupsResponse removed = peer.ask(remove);
  CHECK(removed.results[0].error_code == ErrorCode::none);
  CHECK(removed.results[1].error_code == ErrorCode::non_empty_group);
  CHECK(removed.results[2].error_code == ErrorCode::group_id_not_found);
  CHECK(list({}, {}) == g);
}

TEST_CASE("a group that nobody knows is dead, or from DescribeGroups 6 on not found") {
  TestServer server;
  CHECK(describe(server, "nope", 5).error_code == ErrorCode::none);
  CHECK(describe(server, "nope", 5).group_state == "Dead");
  CHECK(describe(server, "nope").error_code == ErrorCode::group_id_not_found);
  CHECK(describe(server, "nope").group_state == "Dead");
}

TEST_CASE("offsets are deleted, with errors for the group or for a partition") {
  TestServer server;
  server.create_topic("t", 2);
  Member member(server, dialects[5]);
  auto forget = [&] {
    OffsetDeleteRequest request;
    request.group_id = "g";
    request.topics.push_back({"t", {{0}, {1}}});
    return member.peer().ask(request);
  };
  CHECK(forget().error_code == ErrorCode::group_id_not_found);
  member.join();
  member.sync();
  CHECK(member.commit(4) == ErrorCode::none);
  // "wants" is no list of topics.
  CHECK(forget().error_code == ErrorCode::non_empty_group);
  member.leave();
  OffsetDeleteResponse response = forget();
  CHECK(response.error_code == ErrorCode::none);
  CHECK(response.topics[0].partitions[1].error_code == ErrorCode::none);
  CHECK(member.fetch() == std::vector<std::string>{"-1 ", "-1 "});
}

TEST_CASE("clients see the topic of groups as internal, and do not write to it") {
  TestServer server;
  server.create_topic("t", 2);
  Peer peer = server.connect();
  MetadataRequest request;
  request.topics.emplace().push_back({{}, "__consumer_offsets"});
  request.allow_auto_topic_creation = true;
  CHECK(peer.ask(request).topics.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  OffsetCommitRequest commit;
  commit.group_id = "g";
  commit.topics.push_back({"t", {{0, 5, -1, -1, std::nullopt}}});
  peer.ask(commit);
  MetadataResponse::Topic topic = peer.ask(request).topics.at(0);
  CHECK(topic.error_code == ErrorCode::none);
  CHECK(topic.is_internal);
  CHECK(topic.partitions.size() == 1);
  CHECK(produce(peer, "__consumer_offsets", batch_of({"x"})).error_code ==
        ErrorCode::invalid_topic_exception);
  CHECK(produce(peer, "__transaction_state", batch_of({"x"})).error_code ==
        ErrorCode::invalid_topic_exception);
  CHECK(records_in(fetch(peer, fetch_request("__consumer_offsets", 0)).records.bytes()).size() ==
        1);
}

TEST_CASE("there is no coordinator of anything but groups and transactions") {
  TestServer server;
  Peer peer = server.connect();
  FindCoordinatorRequest request;
  request.key_type = CoordinatorKeyType::share;
  request.coordinator_keys = {"x"};
  FindCoordinatorResponse response = peer.ask(request);
  CHECK(response.coordinators.at(0).error_code == ErrorCode::invalid_request);
  CHECK(response.coordinators.at(0).node_id == -1);
}

TEST_SUITE_END();
