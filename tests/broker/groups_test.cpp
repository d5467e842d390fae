// The coordinator of groups over a broker on a simulated disk: what it promised is there after
// every end, orderly or not.
#include "broker/groups.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "broker/groups_world.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

Errors all(GroupError error) {
  return {error};
}

}  // namespace

TEST_CASE(
    "a refused commit that may stand in the log is not called deleted before that is durable") {
  World world;
  world.make_topic("u");
  REQUIRE(world.commit("g", "t", 5) == GroupError::none);
  world.files().fail_sync("/journal/");
  CHECK(world.commit("g", "u", 7) == GroupError::coordinator_not_available);
  CHECK(world.forget("g", "u") == all(GroupError::coordinator_not_available));
  world.files().heal();
  world.kill_and_open();
  CHECK(world.forget("g", "u") == all(GroupError::none));
  world.kill_and_open();
  CHECK(world.committed("g", "u") == -1);
  CHECK(world.committed("g") == 5);
}

TEST_CASE("a commit that was answered is there after a stop, a kill and a power cut") {
  World world;
  CHECK_FALSE(world.broker().find_topic(group_topic));
  CHECK(world.committed("g") == -1);
  CHECK(world.commit("g", "t", 5) == GroupError::none);
  CHECK(world.committed("g") == 5);
  CHECK(world.commit("g", "t", 3) == GroupError::none);
  world.close_and_open();
  CHECK(world.committed("g") == 3);
  CHECK(world.commit("g", "t", 8) == GroupError::none);
  world.kill_and_open();
  CHECK(world.committed("g") == 8);
  CHECK(world.commit("g", "t", 9) == GroupError::none);
  world.cut_power_and_open();
  FetchedOffset found = world.groups().fetch("g", "t", 0, false);
  REQUIRE(found.value);
  CHECK(found.value->offset == 9);
  CHECK(found.value->leader_epoch == 7);
  CHECK(found.value->metadata == "note");
  CHECK(world.groups().find("g")->group.state() == GroupState::empty);
}

TEST_CASE("a commit that is not durable yet is seen by nobody") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  bool is_done = false;
  world.groups().commit(world.request("g", "t", 2), [&](const Errors&) { is_done = true; });
  while (!is_done) {
    CHECK(world.committed("g") == 1);
    REQUIRE(world.sim().run_one());
  }
  CHECK(world.committed("g") == 2);
}

TEST_CASE("the topic of groups is the server's own") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  TopicPtr topic = world.broker().find_topic(group_topic);
  REQUIRE(topic);
  CHECK(topic->info.configs.at("cleanup.policy") == "compact");
  std::optional<Result<void>> outcome;
  auto keep = [&](Result<void> result) { outcome = std::move(result); };
  world.broker().delete_topic(topic->info.id, keep);
  world.run_until([&] { return outcome.has_value(); });
  CHECK(outcome->error().code == Errc::invalid_request);
  outcome.reset();
  world.broker().create_partitions(topic->info.id, 2, keep);
  world.run_until([&] { return outcome.has_value(); });
  CHECK(outcome->error().code == Errc::invalid_request);
  CHECK(world.broker().check_new_topic({"__consumer_offsets", 1, {}, {}}).error().code ==
        Errc::invalid_topic);
}

TEST_CASE("a commit is refused for each partition with the reason (fault 25)") {
  GroupOptions options;
  options.offset_metadata_bytes_max = 10;
  World world(options);
  CommitRequest request;
  request.group_id = "g";
  request.partitions = {{"t", 0, 1},
                        {"nope", 0, 1},
                        {"t", 2, 1},
                        {"t", -1, 1},
                        {"t", 1, 4, -1, "0123456789"},
                        {"t", 1, 5, -1, "0123456789x"}};
  CHECK(world.commit(request) == Errors{GroupError::none, GroupError::unknown_topic_or_partition,
                                        GroupError::unknown_topic_or_partition,
                                        GroupError::unknown_topic_or_partition, GroupError::none,
                                        GroupError::offset_metadata_too_large});
  CHECK(world.groups().fetch("g", "t", 1, false).value->offset == 4);
  request.partitions = {{"nope", 0, 1}};
  request.group_id = "other";
  CHECK(world.commit(request) == all(GroupError::unknown_topic_or_partition));
  CHECK(world.groups().find("other") == nullptr);
  request.member.generation = 3;
  CHECK(world.commit(request) == all(GroupError::illegal_generation));
}

TEST_CASE("an admin commits while the group is empty, and only then") {
  World world;
  JoinResult member = world.make_stable("g");
  CHECK(world.commit("g", "t", 1) == GroupError::unknown_member_id);
  CommitRequest by_member = world.request("g", "t", 2);
  by_member.member = {member.member_id, {}, member.generation};
  CHECK(world.commit(by_member) == all(GroupError::none));
  CHECK(world.groups().leave("g", {{member.member_id}}) == all(GroupError::none));
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  CHECK(world.committed("g") == 1);
  CHECK(world.commit(by_member) == all(GroupError::unknown_member_id));
}

TEST_CASE("members of a stable group go on after a crash, and fall silent as ever") {
  World world;
  JoinResult member = world.make_stable("g");
  world.kill_and_open();
  MemberIdentity identity{member.member_id, {}, member.generation};
  CHECK(world.groups().heartbeat("g", identity) == GroupError::none);
  CHECK(world.sync("g", member).assignment.size() == 4);
  world.sim().run_for(milliseconds(10'000));
  CHECK(world.groups().heartbeat("g", identity) == GroupError::unknown_member_id);
  CHECK(world.groups().find("g")->group.state() == GroupState::empty);
  world.sim().run_for(milliseconds(1'000));
  world.kill_and_open();
  CHECK(world.groups().find("g")->group.generation() == member.generation + 1);
  CHECK(world.join("g").generation == member.generation + 2);
}

TEST_CASE("who asks for groups while they are being read gets its answer when they are") {
  World world;
  for (int i = 0; i < 2000; ++i) {
    CommitRequest request = world.request(fmt::format("g{}", i % 100), "t", i);
    request.partitions[0].metadata = std::string(300, 'x');
    REQUIRE(world.commit(request) == all(GroupError::none));
  }
  world.sim().drop_all();
  world.files().kill();
  world.open();
  bool is_ready = false;
  world.groups().when_ready([&](GroupError) { is_ready = true; });
  CHECK_FALSE(is_ready);
  world.run_until([&] { return is_ready; });
  for (int i = 0; i < 100; ++i) CHECK(world.committed(fmt::format("g{}", i)) == 1900 + i);
}

TEST_CASE("a group is deleted with its offsets once nobody is in it") {
  World world;
  JoinResult member = world.make_stable("g");
  CommitRequest request = world.request("g", "t", 2);
  request.member = {member.member_id, {}, member.generation};
  CHECK(world.commit(request) == all(GroupError::none));
  CHECK(world.remove("g") == GroupError::non_empty_group);
  CHECK(world.remove("nope") == GroupError::group_id_not_found);
  world.groups().leave("g", {{member.member_id}});
  CHECK(world.remove("g") == GroupError::none);
  CHECK(world.groups().find("g") == nullptr);
  world.kill_and_open();
  CHECK(world.groups().find("g") == nullptr);
  CHECK(world.join("g").generation == 1);
}

TEST_CASE("a commit on its way is deleted with its group, and does not bring it back") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  bool is_committed = false;
  bool is_removed = false;
  world.groups().commit(world.request("g", "t", 2), [&](const Errors&) { is_committed = true; });
  world.groups().remove("g", [&](GroupError) { is_removed = true; });
  world.run_until([&] { return is_committed && is_removed; });
  CHECK(world.groups().find("g") == nullptr);
  world.kill_and_open();
  CHECK(world.groups().find("g") == nullptr);
}

TEST_CASE("a group that somebody enters while it is deleted lives on without its offsets") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  bool is_removed = false;
  world.groups().remove("g", [&](GroupError) { is_removed = true; });
  JoinResult joined = world.join("g");
  world.run_until([&] { return is_removed; });
  CHECK(world.committed("g") == -1);
  CHECK(world.sync("g", joined).error == GroupError::none);
  world.kill_and_open();
  CHECK(world.groups().find("g")->group.state() == GroupState::stable);
  CHECK(world.committed("g") == -1);
}

TEST_CASE("offsets are forgotten one by one, but not of topics that members want") {
  World world;
  world.make_topic("other");
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  CHECK(world.commit("g", "other", 2) == GroupError::none);
  CHECK(world.forget("nope", "t") == all(GroupError::group_id_not_found));
  world.make_stable("g");
  CHECK(world.forget("g", "t") == all(GroupError::group_subscribed_to_topic));
  CHECK(world.forget("g", "other") == all(GroupError::none));
  CHECK(world.forget("g", "other") == all(GroupError::none));
  world.kill_and_open();
  CHECK(world.committed("g", "t") == 1);
  CHECK(world.committed("g", "other") == -1);
}

TEST_CASE("a topic's offsets go with it, and are not those of another one of its name") {
  World world;
  world.make_topic("other");
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  CHECK(world.commit("g", "other", 2) == GroupError::none);
  SUBCASE("alive") {
    world.delete_topic("t");
    world.make_topic("t");
  }
  SUBCASE("killed as soon as the topic is gone") {
    world.delete_topic("t");
    world.kill_and_open();
    world.make_topic("t");
  }
  CHECK(world.committed("g", "t") == -1);
  world.kill_and_open();
  CHECK(world.committed("g", "t") == -1);
  CHECK(world.committed("g", "other") == 2);
}

TEST_CASE("offsets of a topic that a crash left behind are not those of a new one of its name") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  record::BatchBuilder builder;
  Bytes key = encode(OffsetKey{"g", "gone", 0});
  Bytes value = encode(OffsetRecord{5, -1, "", world.sim().wall_ms(), -1});
  builder.append(world.sim().wall_ms(), BytesView(key), BytesView(value));
  world.append(builder, {});
  world.kill_and_open();
  world.make_topic("gone");
  world.sim().run_for(milliseconds(1'000));
  CHECK(world.committed("g", "gone") == -1);
  world.kill_and_open();
  CHECK(world.committed("g", "gone") == -1);
  CHECK(world.committed("g", "t") == 1);
}

TEST_CASE("offsets expire when their group was empty for long enough, and the group with them") {
  GroupOptions options;
  options.offsets_retention = milliseconds(100'000);
  options.expiry_check_interval = milliseconds(1'000);
  World world(options);
  JoinResult member = world.make_stable("consumers");
  CommitRequest request = world.request("consumers", "t", 1);
  request.member = {member.member_id, {}, member.generation};
  CHECK(world.commit(request) == all(GroupError::none));
  CHECK(world.commit("simple", "t", 1) == GroupError::none);
  CommitRequest brief = world.request("brief", "t", 1);
  brief.retention_ms = 5'000;
  CHECK(world.commit(brief) == all(GroupError::none));
  auto beat_for = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      world.sim().run_for(milliseconds(1'000));
      world.groups().heartbeat("consumers", {member.member_id, {}, member.generation});
    }
  };
  beat_for(3);
  CHECK(world.committed("brief") == 1);
  beat_for(4);
  CHECK(world.groups().find("brief") == nullptr);
  beat_for(90);
  CHECK(world.committed("simple") == 1);
  beat_for(5);
  CHECK(world.groups().find("simple") == nullptr);
  CHECK(world.committed("consumers") == 1);
  world.groups().leave("consumers", {{member.member_id}});
  world.sim().run_for(milliseconds(50'000));
  world.kill_and_open();
  world.sim().run_for(milliseconds(45'000));
  CHECK(world.committed("consumers") == 1);
  world.sim().run_for(milliseconds(8'000));
  CHECK(world.groups().find("consumers") == nullptr);
  world.kill_and_open();
  CHECK(world.groups().table().empty());
}

TEST_CASE("groups are what they were when their topic was compacted") {
  World world;
  JoinResult member = world.make_stable("members");
  CHECK(world.commit("deleted", "t", 1) == GroupError::none);
  CHECK(world.remove("deleted") == GroupError::none);
  ConfigMap configs = world.broker().find_topic(group_topic)->info.configs;
  configs["segment.bytes"] = "4096";
  configs["min.cleanable.dirty.ratio"] = "0.1";
  bool is_altered = false;
  world.broker().alter_topic(world.broker().find_topic(group_topic)->info.id, configs,
                             [&](const Result<void>& done) { is_altered = done.has_value(); });
  world.run_until([&] { return is_altered; });
  for (int i = 0; i < 300; ++i) {
    CHECK(world.commit(fmt::format("g{}", i % 3), "t", i) == GroupError::none);
  }
  auto partition = world.broker().find_partition(group_topic, PartitionId{0});
  std::uint64_t before = partition->view()->size_bytes();
  MemberIdentity identity{member.member_id, {}, member.generation};
  for (int i = 0; i < 20; ++i) {
    world.sim().run_for(milliseconds(5'000));
    CHECK(world.groups().heartbeat("members", identity) == GroupError::none);
  }
  CHECK(partition->view()->size_bytes() < before / 2);
  partition.reset();
  world.kill_and_open();
  for (int i = 0; i < 3; ++i) CHECK(world.committed(fmt::format("g{}", i)) == 297 + i);
  CHECK(world.groups().find("deleted") == nullptr);
  CHECK(world.groups().heartbeat("members", identity) == GroupError::none);
}

TEST_CASE("a group that nobody entered after all leaves nothing") {
  World world;
  JoinRequest request = world.join_request("g", "");
  request.takes_id_first = true;
  std::optional<JoinResult> told;
  world.groups().join(request, [&](JoinResult result) { told = std::move(result); });
  world.run_until([&] { return told.has_value(); });
  CHECK(told->error == GroupError::member_id_required);
  CHECK(world.groups().find("g") != nullptr);
  world.sim().run_for(milliseconds(10'000));
  CHECK(world.groups().find("g") == nullptr);
  CHECK_FALSE(world.broker().find_topic(group_topic));
}

TEST_CASE("what groups take of memory is bounded, and given back") {
  GroupOptions options;
  options.memory_bytes_max = 20'000;
  World world(options);
  int groups = 0;
  while (world.commit(fmt::format("g{}", groups), "t", 1) == GroupError::none) ++groups;
  CHECK(groups > 5);
  CHECK(groups < 20);
  CHECK(world.join("h").error == GroupError::group_max_size_reached);
  CHECK(world.commit("g0", "t", 2) == GroupError::none);
  for (int i = 0; i < groups; ++i) CHECK(world.remove(fmt::format("g{}", i)) == GroupError::none);
  CHECK(world.commit("h", "t", 1) == GroupError::none);
}

TEST_CASE("the ids of groups and members are counted as memory") {
  GroupOptions options;
  options.memory_bytes_max = 500'000;
  World world(options);
  auto id = [](int number) { return std::to_string(number) + std::string(30'000, 'g'); };
  int groups = 0;
  SUBCASE("of those that only commit") {
    while (groups < 30 && world.commit(id(groups), "t", 1) == GroupError::none) ++groups;
  }
  SUBCASE("of those with members") {
    while (groups < 30 && world.join(id(groups)).error == GroupError::none) ++groups;
  }
  SUBCASE("of those of the new protocol") {
    while (groups < 30 && world.join_consumers("a", id(groups)).error == GroupError::none) ++groups;
  }
  SUBCASE("of members of the new protocol") {
    while (groups < 30 && world.join_consumers(id(groups)).error == GroupError::none) ++groups;
  }
  CHECK(groups > 3);
  CHECK(groups < 10);
}

TEST_CASE("sessions and their bounds") {
  World world;
  for (auto [session, error] : {std::pair{5'999, GroupError::invalid_session_timeout},
                                std::pair{1'800'001, GroupError::invalid_session_timeout},
                                std::pair{6'000, GroupError::none}}) {
    JoinRequest request = world.join_request("g", "");
    request.session_timeout = milliseconds(session);
    std::optional<JoinResult> joined;
    world.groups().join(request, [&](JoinResult result) { joined = std::move(result); });
    world.run_until([&] { return joined.has_value(); });
    CHECK(joined->error == error);
  }
  CHECK(world.join("", "").error == GroupError::invalid_group_id);
  CHECK(world.join("nope", "m").error == GroupError::unknown_member_id);
}

TEST_CASE("offsets of a transaction count when it is committed, and never if it is not") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  CHECK(world.commit_in_transaction(100, world.request("g", "t", 5)) == all(GroupError::none));
  CHECK(world.committed("g") == 1);
  CHECK(world.committed("g", "t", true) == -2);
  bool is_committed = false;
  SUBCASE("committed") {
    is_committed = true;
  }
  SUBCASE("aborted") {}
  auto end = [&] { world.end_transaction(100, is_committed); };
  SUBCASE("in one life") {
    end();
  }
  SUBCASE("over a crash") {
    world.kill_and_open();
    CHECK(world.committed("g") == 1);
    CHECK(world.committed("g", "t", true) == -2);
    end();
  }
  std::int64_t expected = is_committed ? 5 : 1;
  if (world.committed("g", "t", true) == -2) end();
  CHECK(world.committed("g", "t", true) == expected);
  world.kill_and_open();
  CHECK(world.committed("g", "t", true) == expected);
  CHECK(world.commit("g", "t", 2) == GroupError::none);
  CHECK(world.committed("g", "t", true) == 2);
}

TEST_CASE("an offset whose transaction a crash lost is stable soon, though nobody commits there") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  CHECK(world.commit_in_transaction(100, world.request("g", "t", 5)) == all(GroupError::none));
  world.lose_transaction(100);
  world.run_for(milliseconds(1'000));
  CHECK(world.committed("g", "t", true) == 1);
  world.kill_and_open();
  world.run_for(milliseconds(1'000));
  CHECK(world.committed("g", "t", true) == 1);
}

TEST_CASE("of two commits the later one counts, whenever its transaction ends") {
  World world;
  CHECK(world.commit_in_transaction(100, world.request("g", "t", 5)) == all(GroupError::none));
  CHECK(world.commit("g", "t", 6) == GroupError::none);
  CHECK(world.commit_in_transaction(200, world.request("g", "t", 7)) == all(GroupError::none));
  world.end_transaction(200, true);
  CHECK(world.committed("g") == 7);
  world.end_transaction(100, true);
  CHECK(world.committed("g") == 7);
  world.kill_and_open();
  CHECK(world.committed("g", "t", true) == 7);
}

TEST_CASE("a marker that is written again decides no offsets of the next transaction") {
  for (int steps = 0; steps < 60; ++steps) {
    CAPTURE(steps);
    World world;
    CHECK(world.commit_in_transaction(100, world.request("g", "t", 5)) == all(GroupError::none));
    world.begin_end(100, true);
    CHECK(world.commit_in_transaction(100, world.request("g", "t", 9)) == all(GroupError::none));
    CHECK(world.committed("g") == 5);
    world.run_steps(steps);
    world.kill_and_open();
    world.run_for(std::chrono::milliseconds(500));
    CHECK(world.committed("g") == 5);
    CHECK(world.committed("g", "t", true) == -2);
    world.end_transaction(100, false);
    CHECK(world.committed("g", "t", true) == 5);
    world.kill_and_open();
    world.run_for(std::chrono::milliseconds(500));
    CHECK(world.committed("g", "t", true) == 5);
  }
}

TEST_CASE("what was deleted is not brought back by a transaction that ends later") {
  World world;
  world.make_topic("other");
  CHECK(world.commit_in_transaction(100, world.request("g", "t", 5)) == all(GroupError::none));
  CHECK(world.commit_in_transaction(100, world.request("g", "other", 6)) == all(GroupError::none));
  SUBCASE("a topic") {
    world.delete_topic("t");
    world.end_transaction(100, true);
    CHECK(world.committed("g", "other") == 6);
  }
  SUBCASE("a group") {
    CHECK(world.remove("g") == GroupError::none);
    world.end_transaction(100, true);
    CHECK(world.groups().find("g") == nullptr);
  }
  CHECK(world.committed("g") == -1);
  world.kill_and_open();
  CHECK(world.committed("g") == -1);
}

TEST_CASE("a transaction may commit for a group that is at work, under any generation") {
  World world;
  JoinResult member = world.make_stable("g");
  CHECK(world.commit_in_transaction(100, world.request("g", "t", 5)) == all(GroupError::none));
  CommitRequest old = world.request("g", "t", 6);
  old.member = {"nobody", {}, member.generation};
  CHECK(world.commit_in_transaction(100, old) == all(GroupError::unknown_member_id));
  old.member = {member.member_id, {}, member.generation - 1};
  CHECK(world.commit_in_transaction(100, old) == all(GroupError::illegal_generation));
}

TEST_CASE("the records of groups are Kafka's") {
  auto hex = [](BytesView bytes) {
    std::string out;
    for (std::byte b : bytes) out += fmt::format("{:02x}", static_cast<unsigned>(b));
    return out;
  };
  CHECK(hex(encode(OffsetKey{"g", "top", 3})) ==
        "0001"
        "000167"
        "0003746f70"
        "00000003");
  CHECK(hex(encode(GroupKey{"g"})) ==
        "0002"
        "000167");
  OffsetRecord offset{5, 7, "m", 0x0102, -1};
  CHECK(hex(encode(offset)) ==
        "0003"
        "0000000000000005"
        "00000007"
        "00016d"
        "0000000000000102");
  OffsetRecord expiring{5, -1, "", 1, 2};
  CHECK(hex(encode(expiring)) ==
        "0001"
        "0000000000000005"
        "0000"
        "0000000000000001"
        "0000000000000002");
  CHECK(decode_offset_record(encode(offset)) == offset);
  CHECK(decode_offset_record(encode(expiring)) == expiring);
  GroupRecord group;
  group.protocol_type = "consumer";
  group.generation = 4;
  group.protocol = "range";
  group.leader = "a";
  group.state_ms = 99;
  group.members.push_back({"a", "one", "client", "/host", 10, 20, Bytes(3), Bytes(4)});
  group.members.push_back({"b", std::nullopt, "", "", 10, 20, {}, {}});
  CHECK(decode_group_record(encode(group)) == group);
  Bytes cut = encode(group);
  for (std::size_t size = 2; size < cut.size(); ++size) {
    CHECK_FALSE(decode_group_record(BytesView(cut).first(size)));
  }
}

TEST_SUITE_END();
