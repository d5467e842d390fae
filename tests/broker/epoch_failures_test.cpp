// What becomes of an epoch when something fails while its broker goes on.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "broker/epochs_world.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

using Values = EpochWorld::Values;
using std::chrono::seconds;

/// Its writer says why for ever after, nobody sees any of the epoch, and another writer goes on.
void check_aborted(EpochWorld& world, const EpochWorld::Writer& writer, const Error& error) {
  for (int i = 0; i < 2; ++i) {
    auto again = world.commit(writer, "again");
    REQUIRE_FALSE(again);
    CHECK(again.error().code == error.code);
    CHECK(again.error().what == error.what);
  }
  auto next = world.open_owner();
  REQUIRE_MESSAGE(next, next.error().what);
  REQUIRE(world.commit(*next, "next"));
  CHECK(world.records() == Values{"first", "next"});
  CHECK(world.committed("t", 0) == Values{"first", "next"});
  CHECK(world.committed("t", 1) == Values{"first", "next"});
  CHECK_FALSE(world.has_open("t", 0));
}

/// One that all partitions have, to tell what is lost from what never was.
EpochWorld::Writer begin(EpochWorld& world, const ConfigMap& configs = {}) {
  world.create_topic("t", 2, configs);
  world.create_topic("u", 1, {{"max.message.bytes", "2000"}});
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "first"));
  world.executor().run_for(seconds(1));
  return writer;
}

std::vector<EpochWriter::Output> and_to(EpochWorld& world, std::vector<EpochWriter::Output> output,
                                        const std::string& topic, const std::string& value) {
  output.push_back(world.to(topic, 0, {value}));
  return output;
}

}  // namespace

TEST_CASE("an epoch with output that its topic refuses is aborted everywhere") {
  EpochWorld world;
  auto writer = begin(world);
  auto output = and_to(world, world.everywhere("lost"), "u", std::string(3'000, 'x'));
  auto refused = world.commit(writer, "lost", std::move(output));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::message_too_large);
  check_aborted(world, writer, refused.error());
}

TEST_CASE("an epoch with output to a topic that was deleted is aborted everywhere") {
  EpochWorld world;
  auto writer = begin(world);
  auto output = and_to(world, world.everywhere("lost"), "u", "x");
  world.delete_topic("u");
  auto refused = world.commit(writer, "lost", std::move(output));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unknown_topic_or_partition);
  check_aborted(world, writer, refused.error());
}

TEST_CASE("a topic that is deleted while an epoch is on its way takes the epoch with it, or not") {
  for (std::int64_t turns = 0; turns < 12; ++turns) {
    CAPTURE(turns);
    EpochWorld world(static_cast<std::uint64_t>(turns) + 1);
    auto writer = begin(world);
    auto answer = world.start(writer, "both", and_to(world, world.everywhere("both"), "u", "x"));
    for (std::int64_t i = 0; i < turns; ++i) world.executor().run_one();
    world.delete_topic("u");
    auto done = world.wait(answer);
    if (!done) {
      CHECK(done.error().code == Errc::unknown_topic_or_partition);
      check_aborted(world, writer, done.error());
      continue;
    }
    REQUIRE(world.commit(writer, "next"));
    CHECK(world.records() == Values{"first", "both", "next"});
    CHECK(world.committed("t", 1) == Values{"first", "both", "next"});
  }
}

TEST_CASE("an epoch is ended in a topic that comes back because its deletion fails") {
  EpochWorld world;
  auto writer = begin(world);
  auto answer = world.start(writer, "both", and_to(world, world.everywhere("both"), "u", "x"));
  // The epoch is in the journal, and the next commit will not get there.
  std::uint64_t before = world.commits();
  REQUIRE(world.run_until([&] { return world.commits() > before; }));
  bool is_answered = false;
  bool is_deleted = false;
  world.broker().delete_topic(world.broker().find_topic("u")->info.id,
                              [&](const Result<void>& gone) {
                                is_answered = true;
                                is_deleted = gone.has_value();
                              });
  world.files().watch_changes([&](const file::DiskChange& change) {
    bool is_catalog = change.path.find("6c6561742d63") != std::string::npos;
    world.files().set_free_bytes(is_catalog ? std::optional<std::uint64_t>(0) : std::nullopt);
  });
  REQUIRE(world.wait(answer));
  REQUIRE(world.run_until([&] { return is_answered; }));
  world.files().watch_changes(nullptr);
  world.files().set_free_bytes({});
  if (!is_deleted) {
    CHECK(world.committed("u", 0) == Values{"x"});
    CHECK_FALSE(world.has_open("u", 0));
  }
  REQUIRE(world.commit(writer, "next"));
}

TEST_CASE("an epoch for which the disk has too little room is refused, and markers still get in") {
  EpochWorld world(1, {.free_bytes_min = 1 << 20});
  auto writer = begin(world);
  REQUIRE(world.commit(writer, "second"));
  world.files().set_free_bytes(std::uint64_t{64} << 10);
  world.executor().run_for(seconds(60));
  CHECK(world.kinds("t", 0).back() == "commit");
  auto refused = world.commit(writer, "lost");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::no_space);
  // Neither does an epoch without output eat up what the server itself needs.
  writer = world.writer();
  CHECK(world.commit(writer, "lost", {}).error().code == Errc::no_space);
  world.files().set_free_bytes({});
  world.executor().run_for(seconds(60));
  writer = world.writer();
  REQUIRE(world.commit(writer, "third"));
  CHECK(world.records() == Values{"first", "second", "third"});
  CHECK(world.committed("t", 0) == Values{"first", "second", "third"});
}

TEST_CASE("a disk that gets full in the middle of an epoch leaves all of it or nothing") {
  for (std::uint64_t pages = 0; pages < 14; ++pages) {
    CAPTURE(pages);
    EpochWorld world(pages + 1);
    auto writer = begin(world);
    world.files().set_free_bytes(pages * 4096);
    std::string value(5'000, 'x');
    auto done = world.commit(writer, "middle", world.everywhere(value));
    world.executor().run_for(seconds(2));
    world.files().set_free_bytes({});
    world.executor().run_for(seconds(40));
    if (!done) {
      CHECK(done.error().code == Errc::no_space);
      check_aborted(world, writer, done.error());
      continue;
    }
    CHECK(world.records() == Values{"first", "middle"});
    CHECK(world.committed("t", 0) == Values{"first", value});
    CHECK(world.committed("t", 1) == Values{"first", value});
  }
}

TEST_CASE("fault 8: a partition that cannot be synced takes the epoch with it, and no other one") {
  EpochWorld world;
  auto writer = begin(world);
  world.create_topic("large", 1);
  std::string id = world.at("large", 0)->log().id().topic_id.to_hex();
  world.files().fail_sync(id + "/0/");
  std::string value(100'000, 'x');
  auto failed =
      world.commit(writer, "lost", and_to(world, world.everywhere("lost"), "large", value));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::storage_error);
  world.files().heal();
  check_aborted(world, writer, failed.error());
  world.crash(true);
  CHECK(world.records() == Values{"first", "next"});
  CHECK(world.committed("t", 1) == Values{"first", "next"});
  CHECK(world.committed("large", 0).empty());
}

TEST_CASE(
    "fault 8: an epoch whose journal cannot be synced is there as a whole after a restart, or "
    "not at all") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    EpochWorld world(seed);
    auto writer = begin(world);
    world.files().fail_sync("/journal/");
    auto failed = world.commit(writer, "perhaps");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::storage_error);
    CHECK_FALSE(world.commit(writer, "no"));
    // Another one has no better luck, as long as this process lives.
    auto next = world.open_owner();
    if (next) CHECK_FALSE(world.commit(*next, "no"));
    world.files().heal();
    world.crash(seed % 2 == 0);
    writer = world.writer();
    REQUIRE(world.commit(writer, "next"));
    Values records = world.records();
    CHECK((records == Values{"first", "next"} || records == Values{"first", "perhaps", "next"}));
    CHECK(world.committed("t", 0) == records);
    CHECK(world.committed("t", 1) == records);
  }
}

TEST_CASE("an epoch that would have too much wait for the disk is aborted everywhere") {
  EpochWorld world(1, {.pending_bytes_max = 150'000});
  auto writer = begin(world);
  auto failed = world.commit(writer, "lost", world.everywhere(std::string(100'000, 'x')));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::request_timed_out);
  check_aborted(world, writer, failed.error());
}

TEST_CASE("while an abort cannot be written the owner cannot be opened, and it is tried again") {
  EpochWorld world;
  auto writer = begin(world);
  // Its marker needs another page.
  std::string value(3'850, 'a');
  std::vector<EpochWriter::Output> output;
  output.push_back(world.to("t", 0, {value}));
  output = and_to(world, std::move(output), "u", std::string(3'000, 'x'));
  std::string directory = fmt::format("/{}/0/", world.at("t", 0)->log().id().topic_id.to_hex());
  int writes = 0;
  world.files().watch_changes([&](const file::DiskChange& change) {
    bool is_there = change.path.find(directory) != std::string::npos;
    bool is_write = is_there && change.kind == file::DiskChange::Kind::write;
    // The first one is the batch's.
    bool is_full = is_write && ++writes > 1;
    world.files().set_free_bytes(is_full ? std::optional<std::uint64_t>(0) : std::nullopt);
  });
  auto failed = world.commit(writer, "lost", std::move(output));
  bool has_batch = writes > 0 || world.run_until([&] { return writes > 0; });
  REQUIRE_FALSE(failed);
  if (has_batch) {
    CHECK(world.open_owner().error().code == Errc::no_space);
    CHECK_FALSE(world.is_stable("t", 0));
  }
  world.files().watch_changes(nullptr);
  world.files().set_free_bytes({});
  world.executor().run_for(seconds(16));
  check_aborted(world, writer, failed.error());
}

TEST_CASE("an epoch in a partition that stopped is ended when its topic is deleted") {
  EpochWorld world;
  auto writer = begin(world);
  world.create_topic("stopped", 1);
  REQUIRE(
      world.commit(writer, "second", and_to(world, world.everywhere("second"), "stopped", "x")));
  world.files().fail_writes(world.at("stopped", 0)->log().id().topic_id.to_hex());
  world.executor().run_for(seconds(5));
  world.files().heal();
  CHECK_FALSE(world.open_owner());
  world.delete_topic("stopped");
  world.executor().run_for(seconds(16));
  writer = world.writer();
  REQUIRE(world.commit(writer, "third"));
  CHECK(world.records() == Values{"first", "second", "third"});
}

TEST_SUITE_END();
