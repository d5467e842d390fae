// The second protocol of transactions (KIP-890): batches add their partitions, and each end raises
// the epoch.
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "broker/transactions_world.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

using World = TransactionWorld;
using Values = std::vector<std::string>;

constexpr std::int16_t last_given_epoch = std::numeric_limits<std::int16_t>::max() - 1;

ProducerIdentity after(ProducerIdentity producer) {
  return {producer.id, static_cast<std::int16_t>(producer.epoch + 1)};
}

/// A world whose producer has the last epoch that a producer can have.
struct WornOut {
  explicit WornOut(std::uint64_t seed, std::int32_t timeout_ms = 60'000) : world(seed) {
    REQUIRE(world.create_topic());
    REQUIRE(world.init());
    Transaction worn = *world.transactions().describe("id");
    worn.epoch = last_given_epoch;
    worn.timeout_ms = timeout_ms;
    worn.protocol = TransactionProtocol::second;
    world.note(worn);
    world.crash(false);
    producer = {worn.producer, worn.epoch};
  }
  World world;
  ProducerIdentity producer;
};

/// What a producer does that does not know whether its end was heard: it asks again, as long as it
/// is told that something is under way.
Result<ProducerIdentity> raise_again(World& world, ProducerIdentity producer, bool is_commit) {
  for (int i = 0; i < 20; ++i) {
    auto raised = world.raise(producer, is_commit);
    if (raised || raised.error().code != Errc::concurrent_transactions) return raised;
  }
  return fail(Errc::concurrent_transactions, "it is not ended");
}

/// One producer that goes on across the crash, since it repeats what was not answered.
void check_story(std::uint64_t seed, std::int64_t steps, bool is_worn) {
  std::optional<WornOut> worn;
  std::optional<World> fresh;
  if (is_worn) {
    worn.emplace(seed);
  } else {
    fresh.emplace(seed);
    REQUIRE(fresh->create_topic());
  }
  World& world = is_worn ? worn->world : *fresh;
  ProducerIdentity producer = is_worn ? worn->producer : *world.init();
  world.set_steps(steps);
  Values expected;
  for (std::int32_t i = 0; i < 6; ++i) {
    std::string value = std::to_string(i);
    bool is_commit = i % 3 != 1;
    for (std::int32_t p = 0; p < partitions; ++p) {
      int tries = 0;
      for (; tries < 100 && !world.send(producer, p, 0, value, World::in_second); ++tries) {
        if (!world.is_over()) {
          world.executor().run_for(std::chrono::milliseconds(10));
          continue;
        }
        world.crash(seed % 2 == 0);
        world.set_steps(1'000'000'000);
      }
      REQUIRE(tries < 100);
    }
    auto raised = world.raise(producer, is_commit);
    if (!raised && world.is_over()) {
      world.crash(seed % 2 == 0);
      world.set_steps(1'000'000'000);
      raised = raise_again(world, producer, is_commit);
    }
    REQUIRE_MESSAGE(raised, raised.error().what);
    CHECK(*raised != producer);
    producer = *raised;
    if (is_commit) expected.push_back(value);
  }
  world.set_steps(1'000'000'000);
  for (std::int32_t p = 0; p < partitions; ++p) CHECK(world.committed(p) == expected);
}

}  // namespace

TEST_CASE("in the second protocol a batch begins the transaction, and its end raises the epoch") {
  World world(1);
  REQUIRE(world.create_topic());
  auto first = world.init();
  auto second = world.transact_and_raise(*first, "a", true);
  REQUIRE(second);
  CHECK(*second == after(*first));
  auto third = world.transact_and_raise(*second, "b", false);
  REQUIRE(third);
  CHECK(*third == after(*second));
  auto last = world.transact_and_raise(*third, "c", true);
  REQUIRE(last);
  for (std::int32_t p = 0; p < partitions; ++p) CHECK(world.committed(p) == Values{"a", "c"});
  // Sequences begin anew with the epoch.
  CHECK(world.send(*last, 0, 1, "d", World::in_second).error().code == Errc::out_of_order_sequence);
}

TEST_CASE("a batch that comes after the end of its transaction is refused, wherever it goes") {
  World world(1);
  REQUIRE(world.create_topic());
  auto first = world.init();
  REQUIRE(world.send(*first, 0, 0, "a", World::in_second));
  auto second = world.raise(*first, true);
  REQUIRE(second);
  CHECK(world.send(*first, 0, 1, "late", World::in_second).error().code ==
        Errc::invalid_producer_epoch);
  CHECK(world.send(*first, 1, 0, "late", World::in_second).error().code ==
        Errc::invalid_producer_epoch);
  CHECK(world.committed(0) == Values{"a"});
  CHECK(world.committed(1).empty());
}

TEST_CASE("a batch gets into no transaction that is being decided") {
  for (bool is_commit : {true, false}) {
    World world(1);
    REQUIRE(world.create_topic());
    auto producer = world.init();
    REQUIRE(world.send(*producer, 0, 0, "a", World::in_second));
    bool is_over = false;
    world.transactions().end_and_raise("id", *producer, is_commit,
                                       [&](const Result<ProducerIdentity>&) { is_over = true; });
    auto sent = world.send(*producer, 1, 0, "late", World::in_second);
    REQUIRE_FALSE(sent);
    bool is_known = sent.error().code == Errc::concurrent_transactions ||
                    sent.error().code == Errc::invalid_producer_epoch;
    CHECK(is_known);
    REQUIRE(world.run_until([&] { return is_over; }));
    CHECK(world.committed(0) == (is_commit ? Values{"a"} : Values{}));
    CHECK(world.committed(1).empty());
  }
}

TEST_CASE("an end that is asked for again is answered again, also after a crash") {
  for (bool is_commit : {true, false}) {
    for (bool is_crash : {true, false}) {
      World world(1);
      REQUIRE(world.create_topic());
      auto first = world.init();
      auto second = world.transact_and_raise(*first, "a", is_commit);
      REQUIRE(second);
      if (is_crash) world.crash(true);
      auto again = raise_again(world, *first, is_commit);
      REQUIRE(again);
      CHECK(*again == *second);
      CHECK(world.raise(*first, !is_commit).error().code == Errc::invalid_txn_state);
      // What is asked of the next one is no repetition.
      CHECK(world.raise(*second, true).error().code == Errc::invalid_txn_state);
      auto third = world.transact_and_raise(*second, "b", true);
      REQUIRE(third);
      CHECK(raise_again(world, *first, is_commit).error().code == Errc::producer_fenced);
      CHECK(world.committed(0) == (is_commit ? Values{"a", "b"} : Values{"b"}));
    }
  }
}

TEST_CASE("an abort of nothing raises the epoch, so that what comes late is refused") {
  World world(1);
  REQUIRE(world.create_topic());
  auto first = world.init();
  CHECK(world.raise(*first, true).error().code == Errc::invalid_txn_state);
  auto second = world.raise(*first, false);
  REQUIRE(second);
  CHECK(*second == after(*first));
  CHECK(*raise_again(world, *first, false) == *second);
  auto third = world.transact_and_raise(*second, "a", true);
  auto last = raise_again(world, *third, false);
  REQUIRE(last);
  CHECK(*last == after(*third));
  CHECK(world.send(*third, 0, 0, "late", World::in_second).error().code ==
        Errc::invalid_producer_epoch);
  world.crash(false);
  CHECK(*raise_again(world, *third, false) == *last);
  CHECK(world.committed(0) == Values{"a"});
}

TEST_CASE("where an end uses up the epochs, its producer goes on with another id") {
  for (bool is_commit : {true, false}) {
    for (bool is_crash : {true, false}) {
      WornOut worn(1);
      World& world = worn.world;
      auto next = world.transact_and_raise(worn.producer, "a", is_commit);
      REQUIRE(next);
      CHECK(next->id != worn.producer.id);
      CHECK(next->epoch == 0);
      if (is_crash) world.crash(true);
      CHECK(*raise_again(world, worn.producer, is_commit) == *next);
      CHECK_FALSE(world.send(worn.producer, 0, 1, "late", World::in_second));
      auto last = world.transact_and_raise(*next, "b", true);
      REQUIRE(last);
      CHECK(*last == after(*next));
      CHECK_FALSE(world.send(worn.producer, 0, 1, "late", World::in_second));
      CHECK_FALSE(raise_again(world, worn.producer, is_commit));
      CHECK(world.committed(0) == (is_commit ? Values{"a", "b"} : Values{"b"}));
    }
  }
}

TEST_CASE("no producer gets the last epoch from the abort of a transaction that took too long") {
  WornOut worn(1, 1000);
  World& world = worn.world;
  REQUIRE(world.send(worn.producer, 0, 0, "a", World::in_second));
  world.executor().run_for(std::chrono::seconds(5));
  auto next = raise_again(world, worn.producer, false);
  REQUIRE(next);
  CHECK(next->id != worn.producer.id);
  CHECK(next->epoch == 0);
  CHECK(*raise_again(world, worn.producer, false) == *next);
  REQUIRE(world.transact_and_raise(*next, "b", true));
  CHECK(world.committed(0) == Values{"b"});
}

TEST_CASE("whose transaction took too long can abort it and go on, and cannot commit it") {
  World world(1);
  REQUIRE(world.create_topic());
  auto first = world.init({}, 1000);
  REQUIRE(world.send(*first, 0, 0, "a", World::in_second));
  world.executor().run_for(std::chrono::seconds(5));
  CHECK(world.send(*first, 0, 1, "b", World::in_second).error().code ==
        Errc::invalid_producer_epoch);
  CHECK(world.raise(*first, true).error().code == Errc::invalid_txn_state);
  auto second = world.raise(*first, false);
  REQUIRE(second);
  CHECK(*second == after(*first));
  REQUIRE(world.transact_and_raise(*second, "c", true));
  CHECK(world.committed(0) == Values{"c"});
}

TEST_CASE("a producer that was replaced is fenced, though the epoch is the next one") {
  World world(1);
  REQUIRE(world.create_topic());
  auto first = world.init();
  auto second = world.init();
  REQUIRE(second);
  CHECK(*second == after(*first));
  REQUIRE(world.transact(*second, 0, "a", true));
  for (bool is_commit : {true, false}) {
    CHECK(raise_again(world, *first, is_commit).error().code == Errc::producer_fenced);
  }
  CHECK(world.init(*first).error().code == Errc::producer_fenced);
  // Whoever says that it had it may ask again.
  auto third = world.init(*second);
  REQUIRE(third);
  CHECK(*world.init(*second) == *third);
}

TEST_CASE("clients of both protocols take turns under one transactional id") {
  for (bool is_crash : {true, false}) {
    World world(1);
    REQUIRE(world.create_topic());
    Values expected;
    for (int i = 0; i < 4; ++i) {
      auto producer = world.init();
      REQUIRE(producer);
      for (std::int32_t turn = 0; turn < 2; ++turn) {
        std::string value = fmt::format("{}-{}", i, turn);
        expected.push_back(value);
        if (i % 2 == 0) {
          REQUIRE(world.transact(*producer, turn, value, true));
          continue;
        }
        auto raised = world.transact_and_raise(*producer, value, true);
        REQUIRE(raised);
        CHECK(raised->epoch == producer->epoch + 1);
        producer = raised;
      }
      if (is_crash) world.crash(i < 2);
    }
    // One that was of the first goes on as one of the second.
    auto producer = world.init();
    REQUIRE(world.transact(*producer, 0, "x", true));
    auto raised = world.init(*producer);
    REQUIRE(world.transact_and_raise(*raised, "y", true));
    expected.insert(expected.end(), {"x", "y"});
    for (std::int32_t p = 0; p < partitions; ++p) CHECK(world.committed(p) == expected);
  }
}

TEST_CASE("after a crash at any step a producer of the second protocol goes on where it was") {
  for (bool is_worn : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      for (std::int64_t steps = 1; steps < 420; steps += 3) {
        CAPTURE(is_worn);
        CAPTURE(seed);
        CAPTURE(steps);
        check_story(seed, steps, is_worn);
      }
    }
  }
}

TEST_CASE("a record of the transaction log has Kafka's tagged fields of the second protocol") {
  Transaction wanted;
  wanted.producer = ProducerId{77};
  wanted.epoch = 3;
  wanted.state = TransactionState::prepare_commit;
  wanted.partitions = {{"a", {PartitionId{0}, PartitionId{5}}}};
  wanted.protocol = TransactionProtocol::second;
  wanted.previous = ProducerId{76};
  wanted.next = ProducerId{78};
  Bytes bytes = encode(wanted);
  CHECK(*decode_transaction(bytes) == wanted);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_transaction(BytesView(bytes).first(size)));
  }
  // Three of them: 0 and 1 are ids, 2 is the level.
  std::string tags;
  for (std::byte byte : BytesView(bytes).last(25)) tags += fmt::format("{:02x}", byte);
  CHECK(tags ==
        "03"
        "0008000000000000004c"
        "0108000000000000004e"
        "02020002");
}

TEST_SUITE_END();
