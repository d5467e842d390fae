// What becomes of offsets that transactions commit, where the disk refuses a part of it.
#include <optional>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "broker/groups_world.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

Errors all(GroupError error) {
  return {error};
}

/// Producer 100 commits an offset, which gets into the log though the note of its transaction finds
/// no room on the disk; then there is room again.
Errors commit_unnoted(World& world, std::int64_t offset) {
  ProducerIdentity producer = world.begin(100);
  // A note of so many does not fit into the page that the file has.
  std::set<PartitionId> many;
  for (std::int32_t p = 0; p < 2'000; ++p) many.insert(PartitionId{p});
  bool is_added = false;
  world.transactions().add_partitions("id-100", producer, {{"t", many}},
                                      [&](const Result<void>&) { is_added = true; });
  world.run_until([&] { return is_added; });
  std::string notes = transaction_partition().topic_id.to_hex();
  world.files().watch_changes([&](const file::DiskChange& change) {
    bool is_note = change.path.find(notes) != std::string::npos;
    world.files().set_free_bytes(is_note ? std::optional<std::uint64_t>(0) : std::nullopt);
  });
  Errors errors = world.commit_in_transaction(100, world.request("g", "t", offset));
  world.files().watch_changes(nullptr);
  world.files().set_free_bytes({});
  return errors;
}

}  // namespace

TEST_CASE("an offset that was refused, as its transaction was not noted, is decided with that") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  CHECK(commit_unnoted(world, 5) == all(GroupError::coordinator_not_available));
  CHECK(world.committed("g", "t", true) == -2);
  bool is_committed = false;
  SUBCASE("committed") {
    is_committed = true;
  }
  SUBCASE("aborted") {}
  world.end_transaction(100, is_committed);
  std::int64_t expected = is_committed ? 5 : 1;
  CHECK(world.committed("g", "t", true) == expected);
  world.kill_and_open();
  CHECK(world.committed("g", "t", true) == expected);
}

TEST_CASE("a refused offset that is sent again, or is followed by another one, counts once") {
  World world;
  CHECK(commit_unnoted(world, 5) == all(GroupError::coordinator_not_available));
  CHECK(world.commit_in_transaction(100, world.request("g", "t", 6)) == all(GroupError::none));
  world.end_transaction(100, true);
  CHECK(world.committed("g", "t", true) == 6);
  CHECK(world.remove("g") == GroupError::none);
  CHECK(world.groups().find("g") == nullptr);
}

TEST_CASE("a group is deleted with refused offsets that its transaction would bring back") {
  World world;
  bool has_others = false;
  SUBCASE("beside others") {
    has_others = true;
  }
  SUBCASE("alone") {}
  world.make_topic("u");
  if (has_others) CHECK(world.commit("g", "u", 1) == GroupError::none);
  CHECK(commit_unnoted(world, 5) == all(GroupError::coordinator_not_available));
  CHECK(world.remove("g") == GroupError::none);
  world.end_transaction(100, true);
  CHECK(world.groups().find("g") == nullptr);
  world.kill_and_open();
  CHECK(world.groups().find("g") == nullptr);
}

TEST_CASE("a group is not called deleted while a commit that failed may stand in the log") {
  World world;
  world.make_topic("u");
  REQUIRE(world.commit("g", "t", 5) == GroupError::none);
  world.files().fail_sync("/journal/");
  CHECK(world.commit("g", "u", 7) == GroupError::coordinator_not_available);
  CHECK(world.remove("g") == GroupError::coordinator_not_available);
  world.files().heal();
  world.kill_and_open();
  CHECK(world.remove("g") == GroupError::none);
  world.kill_and_open();
  CHECK(world.groups().find("g") == nullptr);
}

TEST_CASE(
    "what a start found undecided is decided though the producers could not be read at once") {
  World world;
  CHECK(world.commit("g", "t", 1) == GroupError::none);
  CHECK(world.commit_in_transaction(100, world.request("g", "t", 5)) == all(GroupError::none));
  world.lose_transaction(100);
  world.files().fail_reads(group_partition().topic_id.to_hex());
  world.run_for(milliseconds(5'000));
  CHECK(world.committed("g", "t", true) == -2);
  world.files().heal();
  world.run_for(milliseconds(5'000));
  CHECK(world.committed("g", "t", true) == 1);
}

TEST_SUITE_END();
