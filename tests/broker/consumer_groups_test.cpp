// The coordinator's groups of the new protocol over a broker on a simulated disk.
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "broker/groups_world.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

std::string state(World& world) {
  const Groups::Entry* entry = world.groups().find("g");
  return entry == nullptr ? "none" : std::string(entry->state_name());
}

std::size_t partitions_in(const ConsumerHeartbeatResult& result) {
  return result.assignment ? count_partitions(*result.assignment) : 0;
}

GroupError commit_as(World& world, const std::string& member, std::int32_t epoch,
                     std::int64_t offset) {
  CommitRequest request = world.request("g", "t", offset);
  request.member = {member, {}, epoch};
  request.knows_epochs = true;
  return world.commit(std::move(request)).front();
}

}  // namespace

TEST_CASE("members of a consumer group, and what they have, outlive a stop, a kill, a power cut") {
  World world;
  ConsumerHeartbeatResult a = world.join_consumers("a");
  REQUIRE(a.error == GroupError::none);
  CHECK(a.epoch == 1);
  CHECK(a.heartbeat_interval == milliseconds(5'000));
  CHECK(partitions_in(a) == 2);
  auto check_known = [&] {
    CHECK(state(world) == "Stable");
    CHECK(world.groups().find("g")->type() == "consumer");
    CHECK(world.beat("a", 1).epoch == 1);
    CHECK(world.beat("a", 2).error == GroupError::fenced_member_epoch);
    CHECK(world.beat("b", 1).error == GroupError::unknown_member_id);
  };
  check_known();
  world.close_and_open();
  check_known();
  world.kill_and_open();
  check_known();
  world.cut_power_and_open();
  check_known();
  // A second member takes over what the first one gives up.
  ConsumerHeartbeatResult b = world.join_consumers("b");
  CHECK(b.epoch == 2);
  CHECK(partitions_in(b) == 0);
  ConsumerHeartbeatResult revoked = world.beat("a", 1);
  REQUIRE(partitions_in(revoked) == 1);
  world.kill_and_open();
  CHECK(world.beat("a", 1, revoked.assignment).epoch == 2);
  CHECK(partitions_in(world.beat("b", 2)) == 1);
  CHECK(state(world) == "Stable");
}

TEST_CASE(
    "a consumer group's members go after 45 seconds of silence, also of silence after a start") {
  World world;
  world.join_consumers("a");
  world.sim().run_for(std::chrono::seconds(44));
  CHECK(state(world) == "Stable");
  world.kill_and_open();
  world.sim().run_for(std::chrono::seconds(44));
  CHECK(state(world) == "Stable");
  world.sim().run_for(std::chrono::seconds(2));
  CHECK(state(world) == "Empty");
  world.kill_and_open();
  CHECK(state(world) == "Empty");
  CHECK(world.beat("a", 1).error == GroupError::unknown_member_id);
}

TEST_CASE("members of a consumer group commit in their epoch, and an admin when nobody is there") {
  World world;
  CHECK(commit_as(world, "a", 1, 1) == GroupError::group_id_not_found);
  CHECK(world.commit("g", "t", 2) == GroupError::none);
  world.join_consumers("a");
  CHECK(world.groups().check_fetch("g", "a", 1) == GroupError::none);
  CHECK(world.groups().check_fetch("g", "a", 2) == GroupError::stale_member_epoch);
  CHECK(world.groups().check_fetch("g", "b", 1) == GroupError::unknown_member_id);
  CHECK(world.groups().check_fetch("g", std::nullopt, -1) == GroupError::none);
  CHECK(world.groups().check_fetch("nobody's", "b", 1) == GroupError::none);
  CHECK(world.commit("g", "t", 3) == GroupError::unknown_member_id);
  CHECK(commit_as(world, "a", 1, 4) == GroupError::none);
  CHECK(commit_as(world, "a", 2, 5) == GroupError::stale_member_epoch);
  CHECK(world.remove("g") == GroupError::non_empty_group);
  CHECK(world.forget("g", "t").front() == GroupError::group_subscribed_to_topic);
  CHECK(world.beat("a", ConsumerHeartbeat::leave).error == GroupError::none);
  CHECK(state(world) == "Empty");
  CHECK(world.committed("g") == 4);
  CHECK(world.commit("g", "t", 6) == GroupError::none);
  CHECK(world.forget("g", "t").front() == GroupError::none);
  CHECK(world.committed("g") == -1);
}

TEST_CASE("a consumer group that is removed is gone, also after a kill") {
  World world;
  world.join_consumers("a");
  CHECK(commit_as(world, "a", 1, 4) == GroupError::none);
  world.beat("a", ConsumerHeartbeat::leave);
  CHECK(world.remove("g") == GroupError::none);
  CHECK(state(world) == "none");
  CHECK(world.beat("a", 1).error == GroupError::group_id_not_found);
  CHECK(world.beat("a", ConsumerHeartbeat::leave).error == GroupError::group_id_not_found);
  world.kill_and_open();
  CHECK(state(world) == "none");
  CHECK(world.committed("g") == -1);
  // Under its name there may be another one.
  CHECK(world.join_consumers("b").epoch == 1);
}

TEST_CASE("an empty group of either kind becomes one of the other, and keeps what was committed") {
  World world;
  JoinResult classic = world.make_stable("g");
  CHECK(world.join_consumers("a").error == GroupError::inconsistent_group_protocol);
  CHECK(world.commit([&] {
    CommitRequest request = world.request("g", "t", 7);
    request.member = {classic.member_id, {}, classic.generation};
    return request;
  }()) == Errors{GroupError::none});
  world.groups().leave("g", {{classic.member_id}});
  CHECK(world.join_consumers("a").epoch == 1);
  CHECK(world.groups().find("g")->type() == "consumer");
  CHECK(world.committed("g") == 7);
  CHECK(world.join("g").error == GroupError::inconsistent_group_protocol);
  world.kill_and_open();
  CHECK(world.groups().find("g")->type() == "consumer");
  CHECK(world.beat("a", 1).epoch == 1);
  world.beat("a", ConsumerHeartbeat::leave);
  world.make_stable("g");
  CHECK(world.groups().find("g")->type() == "classic");
  CHECK(world.committed("g") == 7);
  world.kill_and_open();
  CHECK(world.groups().find("g")->type() == "classic");
  CHECK(state(world) == "Stable");
  CHECK(world.committed("g") == 7);
}

TEST_CASE("a topic that is made, or grows, is assigned with the next heartbeat") {
  World world;
  ConsumerHeartbeat request;
  request.member_id = "a";
  request.rebalance_timeout = milliseconds(60'000);
  request.topics = {"later"};
  request.owned = Assignment{};
  CHECK(partitions_in(world.beat(request)) == 0);
  world.make_topic("later");
  ConsumerHeartbeatResult result = world.beat("a", 1);
  CHECK(result.epoch == 2);
  CHECK(partitions_in(result) == 2);
  world.delete_topic("later");
  CHECK(partitions_in(world.beat("a", 2)) == 0);
  CHECK(world.beat("a", 2, Assignment{}).epoch == 3);
}

TEST_CASE("offsets of a consumer group expire when nobody wants them, and the group after them") {
  GroupOptions options;
  options.offsets_retention = std::chrono::hours(1);
  World world(options);
  world.make_topic("other");
  world.commit("g", "other", 1);
  world.join_consumers("a");
  CHECK(commit_as(world, "a", 1, 4) == GroupError::none);
  for (int minutes = 0; minutes < 75; ++minutes) {
    CHECK(world.beat("a", 1).error == GroupError::none);
    world.sim().run_for(std::chrono::seconds(30));
    CHECK(world.beat("a", 1).error == GroupError::none);
    world.sim().run_for(std::chrono::seconds(30));
  }
  CHECK(world.committed("g", "other") == -1);
  CHECK(world.committed("g") == 4);
  world.beat("a", ConsumerHeartbeat::leave);
  world.sim().run_for(std::chrono::minutes(45));
  CHECK(world.committed("g") == 4);
  world.sim().run_for(std::chrono::minutes(30));
  CHECK(state(world) == "none");
  world.kill_and_open();
  CHECK(state(world) == "none");
}

TEST_CASE("all groups together take no more members than there is memory for") {
  GroupOptions options;
  options.memory_bytes_max = 3'000;
  World world(options);
  CHECK(world.join_consumers("a").error == GroupError::none);
  ConsumerHeartbeatResult last;
  for (const char* id : {"b", "c", "d", "e"}) last = world.join_consumers(id);
  CHECK(last.error == GroupError::group_max_size_reached);
  CHECK(world.groups().find("g")->member_count() < 5);
}

TEST_CASE("a member of a consumer group is told to come again when nothing can be written") {
  World world;
  world.join_consumers("a");
  world.files().fail_sync("journal");
  CHECK(world.join_consumers("b").error == GroupError::coordinator_not_available);
  world.files().heal();
  world.kill_and_open();
  CHECK(world.beat("a", 1).epoch == 1);
  CHECK(world.join_consumers("b").epoch == 2);
}

TEST_SUITE_END();
