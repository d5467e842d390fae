// What the transaction coordinator and partitions make of what fails: crashes that lose a part,
// disks that refuse.
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "broker/transactions_world.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

using Values = std::vector<std::string>;

/// A transaction of `producer` that a crash took from the coordinator, as if its note had not been
/// durable, though its record in the first partition is.
void lose_transaction(TransactionWorld& world, ProducerIdentity producer) {
  REQUIRE(world.add(producer, {0}));
  REQUIRE(world.send(producer, 0, 0, "lost"));
  Transaction before;
  before.producer = producer.id;
  before.epoch = producer.epoch;
  before.timeout_ms = 60'000;
  world.note(before);
  world.crash(false);
}

}  // namespace

TEST_CASE("a transaction that a crash lost is not committed by the next one after another crash") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  lose_transaction(world, *producer);
  REQUIRE(world.add(*producer, {0, 1}));
  REQUIRE(world.send(*producer, 1, 0, "kept"));
  SUBCASE("that comes while it is open") {
    world.crash(true);
    REQUIRE(world.end(*producer, true));
  }
  SUBCASE("that comes when it is decided") {
    REQUIRE(world.end(*producer, true));
    world.crash(true);
  }
  CHECK(world.committed(0).empty());
  CHECK(world.committed(1) == Values{"kept"});
}

TEST_CASE(
    "a transaction goes on after a crash in partitions that it had added and not written to") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  lose_transaction(world, *producer);
  REQUIRE(world.add(*producer, {0, 1, 2}));
  REQUIRE(world.send(*producer, 1, 0, "kept"));
  world.crash(true);
  REQUIRE(world.send_until_taken(*producer, 0, 0, "kept"));
  REQUIRE(world.end(*producer, true));
  CHECK(world.committed(0) == Values{"kept"});
  CHECK(world.committed(1) == Values{"kept"});
}

TEST_CASE("a note tells of the transaction before for as long as its markers are not durable") {
  TransactionWorld world(1);
  // Every batch has a segment of its own.
  REQUIRE(world.create_topic({{"segment.bytes", "1024"}}));
  const std::string a(1'100, 'a');
  const std::string b(1'100, 'b');
  auto producer = world.init();
  REQUIRE(world.transact(*producer, 0, a, true));
  REQUIRE(world.add(*producer, {0}));
  auto open = world.send(*producer, 0, 1, b);
  REQUIRE(open);
  world.executor().run_for(std::chrono::seconds(2));
  // That of "b" beside the markers of "a", and that of "b" alone.
  std::vector<Transaction> notes = world.notes();
  REQUIRE(notes.size() >= 2);
  CHECK((notes.end()[-2].state == TransactionState::ongoing && notes.end()[-2].ended));
  CHECK((notes.end()[-1].state == TransactionState::ongoing && !notes.end()[-1].ended));
  // Without the marker of "a" and what is known of producers, another one would commit "b".
  auto partition = world.at(0);
  bool is_trimmed = false;
  partition->executor().post([&, partition] {
    partition->delete_records(open->value(),
                              [&](const auto& start) { is_trimmed = *start == *open; });
  });
  world.executor().run_for(std::chrono::seconds(20));
  REQUIRE(is_trimmed);
  REQUIRE(partition->view()->segments.size() == 1);
  std::string topic = partition->log().id().topic_id.to_hex();
  partition.reset();
  REQUIRE(world.files().flip_random_bit(topic + "/0/producers"));
  world.crash(false);
  world.executor().run_for(std::chrono::seconds(2));
  REQUIRE(world.end(*producer, false));
  CHECK(world.committed(0).empty());
  CHECK(world.committed(1) == Values{a});
}

TEST_CASE(
    "a marker that finds no room is tried again, ever less often, and goes in when there is") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer, {0}));
  // Its marker needs another page.
  std::string value(3'990, 'a');
  REQUIRE(world.send(*producer, 0, 0, value));
  std::string directory = fmt::format("/{}/0/", world.at(0)->log().id().topic_id.to_hex());
  int tries = 0;
  world.files().watch_changes([&](const file::DiskChange& change) {
    bool is_there = change.path.find(directory) != std::string::npos;
    if (is_there && change.kind == file::DiskChange::Kind::write) ++tries;
    world.files().set_free_bytes(is_there ? std::optional<std::uint64_t>(0) : std::nullopt);
  });
  REQUIRE(world.end(*producer, true));
  world.executor().run_for(std::chrono::seconds(60));
  CHECK(tries > 4);
  CHECK(tries < 12);
  CHECK_FALSE(world.is_stable(0));
  CHECK(world.init().error().code == Errc::concurrent_transactions);
  world.files().watch_changes(nullptr);
  world.files().set_free_bytes({});
  world.executor().run_for(std::chrono::seconds(16));
  CHECK(world.is_stable(0));
  CHECK(world.committed(0) == Values{value});
  REQUIRE(world.transact(*producer, 1, "b", true));
}

TEST_CASE("a partition that stopped holds up the next transaction until its topic is deleted") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer, {0}));
  REQUIRE(world.send(*producer, 0, 0, "a"));
  world.files().fail_writes(world.at(0)->log().id().topic_id.to_hex());
  REQUIRE(world.end(*producer, true));
  world.executor().run_for(std::chrono::seconds(5));
  world.files().heal();
  CHECK(world.init().error().code == Errc::concurrent_transactions);
  world.delete_topic();
  world.executor().run_for(std::chrono::seconds(16));
  CHECK(world.init());
}

TEST_CASE("fault 8: a transaction whose note cannot be synced is refused, and not waited for") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer, {0}));
  // The journal takes no more.
  world.files().fail_sync("/journal/");
  auto sent = world.start_send(*producer, 0, 0, "a");
  world.executor().run_for(std::chrono::seconds(3));
  REQUIRE(sent->has_value());
  CHECK_FALSE(**sent);
  world.files().heal();
  world.crash(true);
  REQUIRE(world.init());
  CHECK(world.committed(0).empty());
}

TEST_SUITE_END();
