// What the transaction coordinator and partitions make of what fails: crashes that lose a part,
// disks that refuse.
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

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
