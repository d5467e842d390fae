// The transaction coordinator under crashes: after one at any step, all partitions of a transaction
// show it, or none does.
#include "broker/transactions.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/transactions_world.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

/// What the producer was told of each transaction.
enum class Fate { committed, aborted, unknown };

void check_story(std::uint64_t seed, std::int64_t steps) {
  TransactionWorld world(seed);
  REQUIRE(world.create_topic());
  world.set_steps(steps);
  std::map<std::string, Fate> fates;
  auto producer = world.init();
  for (std::int32_t i = 0; i < 4 && !world.is_over(); ++i) {
    if (!producer) break;
    std::string value = std::to_string(i);
    bool is_commit = i % 3 != 1;
    fates[value] = Fate::unknown;
    if (world.transact(*producer, i, value, is_commit)) {
      fates[value] = is_commit ? Fate::committed : Fate::aborted;
    }
  }
  world.crash(seed % 2 == 0);
  world.set_steps(1'000'000'000);
  // Whoever takes the id over ends what is open, and can go on.
  auto next = world.init();
  REQUIRE_MESSAGE(next, next.error().what);
  if (producer) CHECK(next->epoch > producer->epoch);
  auto gone_on = world.transact(*next, 0, "last", true);
  REQUIRE_MESSAGE(gone_on, gone_on.error().what);
  std::vector<std::string> first = world.committed(0);
  for (std::int32_t p = 1; p < partitions; ++p) CHECK(world.committed(p) == first);
  std::set<std::string> seen(first.begin(), first.end());
  CHECK(seen.size() == first.size());
  CHECK(seen.contains("last"));
  for (const auto& [value, fate] : fates) {
    CAPTURE(value);
    if (fate == Fate::committed) CHECK(seen.contains(value));
    if (fate == Fate::aborted) CHECK_FALSE(seen.contains(value));
  }
}

/// A transaction that is told of step by step.
struct Told {
  std::string value;
  std::set<std::int32_t> partitions;
  bool is_commit = false;
  Fate fate = Fate::unknown;
};

/// Transactions that follow one another closely, each in some of the partitions.
std::vector<Told> tell_closely(TransactionWorld& world, ProducerIdentity producer) {
  const std::vector<std::set<std::int32_t>> choices = {{0, 1}, {1, 2}, {1}, {0, 2}};
  std::vector<Told> story;
  std::map<std::int32_t, std::int32_t> sequences;
  for (int i = 0; i < 8 && !world.is_over(); ++i) {
    Told& told = story.emplace_back();
    told.value = std::to_string(i);
    told.partitions = choices[static_cast<std::size_t>(i) % choices.size()];
    told.is_commit = i % 3 != 1;
    if (!world.add(producer, told.partitions)) break;
    for (std::int32_t p : told.partitions) {
      if (!world.send(producer, p, sequences[p]++, told.value)) return story;
    }
    if (!world.end(producer, told.is_commit)) break;
    told.fate = told.is_commit ? Fate::committed : Fate::aborted;
  }
  return story;
}

void check_close_story(std::uint64_t seed, std::int64_t steps) {
  TransactionWorld world(seed);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(producer);
  world.set_steps(steps);
  std::vector<Told> story = tell_closely(world, *producer);
  world.crash(seed % 2 == 0);
  world.set_steps(1'000'000'000);
  REQUIRE(world.init());
  std::vector<std::vector<std::string>> read;
  for (std::int32_t p = 0; p < partitions; ++p) read.push_back(world.committed(p));
  for (const Told& told : story) {
    CAPTURE(told.value);
    std::set<std::int64_t> counts;
    for (std::int32_t p : told.partitions) {
      const auto& values = read[static_cast<std::size_t>(p)];
      counts.insert(std::count(values.begin(), values.end(), told.value));
    }
    CHECK(counts.size() == 1);
    CHECK(*counts.begin() <= 1);
    if (told.fate == Fate::committed) CHECK(*counts.begin() == 1);
    if (told.fate == Fate::aborted) CHECK(*counts.begin() == 0);
  }
}

/// What a transaction comes to whose server crashes before it is ended: it is there, or its
/// producer learns that it is not.
enum class Outcome { lives, lost };

Outcome check_open_story(std::uint64_t seed, std::int64_t steps) {
  TransactionWorld world(seed);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.transact(*producer, 0, "before", true));
  world.set_steps(steps);
  bool is_acknowledged = false;
  if (world.add(*producer, {0})) {
    auto first = world.start_send(*producer, 0, 1, "a");
    auto again = world.start_send(*producer, 0, 1, "a");
    // Whichever comes first.
    while (!first->has_value() && world.step()) {
    }
    is_acknowledged = (first->has_value() && **first) || (again->has_value() && **again);
  }
  world.crash(seed % 2 == 0);
  world.set_steps(1'000'000'000);
  auto resent = world.send_until_taken(*producer, 0, 1, "a");
  if (resent) {
    REQUIRE(world.end(*producer, true));
    CHECK(world.committed(0) == std::vector<std::string>{"before", "a"});
    return Outcome::lives;
  }
  CHECK_FALSE(is_acknowledged);
  CHECK(resent.error().code == Errc::invalid_txn_state);
  auto late = world.end(*producer, true);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::invalid_txn_state);
  REQUIRE(world.end(*producer, false));
  // Its batch has the number of the one that was lost.
  REQUIRE(world.add(*producer, {0}));
  REQUIRE(world.send(*producer, 0, 1, "b"));
  REQUIRE(world.end(*producer, true));
  CHECK(world.committed(0) == std::vector<std::string>{"before", "b"});
  return Outcome::lost;
}

}  // namespace

TEST_CASE("after a crash while transactions follow closely each is in all its partitions or none") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    for (std::int64_t steps = 1; steps < 700; steps += static_cast<std::int64_t>(2 + seed)) {
      CAPTURE(seed);
      CAPTURE(steps);
      check_close_story(seed, steps);
    }
  }
}

TEST_CASE("an open transaction survives a crash, unless nothing in it was acknowledged") {
  std::map<Outcome, int> outcomes;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    for (std::int64_t steps = 1; steps < 120; ++steps) {
      CAPTURE(seed);
      CAPTURE(steps);
      ++outcomes[check_open_story(seed, steps)];
    }
  }
  CHECK(outcomes[Outcome::lives] > 10);
  CHECK(outcomes[Outcome::lost] > 10);
}

TEST_CASE("the next transaction of an id begins before the markers of the last are durable") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.transact(*producer, 0, "a", true));
  REQUIRE(world.add(*producer, {0}));
  for (std::int32_t p = 0; p < partitions; ++p) CHECK_FALSE(world.is_stable(p));
  REQUIRE(world.send(*producer, 0, 1, "b"));
  REQUIRE(world.end(*producer, false));
  for (std::int32_t p = 0; p < partitions; ++p) {
    CHECK(world.committed(p) == std::vector<std::string>{"a"});
  }
}

TEST_CASE("a producer is kept out of a partition until the marker before is in it") {
  TransactionWorld world(1, 1 << 20);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer));
  for (std::int32_t p = 0; p < partitions; ++p) REQUIRE(world.send(*producer, p, 0, "a"));
  // Its markers find no room, the decision does.
  world.files().set_free_bytes(1 << 19);
  world.executor().run_for(std::chrono::milliseconds(1100));
  REQUIRE(world.end(*producer, true));
  REQUIRE(world.add(*producer, {0}));
  CHECK(world.send(*producer, 0, 1, "b").error().code == Errc::request_timed_out);
  world.executor().run_for(std::chrono::milliseconds(200));
  world.files().set_free_bytes({});
  SUBCASE("until it is written once more") {
    Result<Offset> sent = fail(Errc::request_timed_out, "not sent");
    int refused = 0;
    while (!sent && refused++ < 100) {
      world.executor().run_for(std::chrono::milliseconds(100));
      sent = world.send(*producer, 0, 1, "b");
      if (!sent) CHECK(sent.error().code == Errc::request_timed_out);
    }
    REQUIRE(sent);
    REQUIRE(world.end(*producer, false));
  }
  SUBCASE("or until a restart, which writes it before anything else") {
    world.crash(true);
    // What was begun is lost, and its producer is told so.
    CHECK(world.send(*producer, 0, 1, "b").error().code == Errc::invalid_txn_state);
    REQUIRE(world.end(*producer, false));
  }
  for (std::int32_t p = 0; p < partitions; ++p) {
    CHECK(world.committed(p) == std::vector<std::string>{"a"});
  }
}

TEST_CASE("a transaction is decided the same way though the sync of a marker fails") {
  for (bool is_commit : {true, false}) {
    for (std::uint64_t nth = 1; nth <= 3; ++nth) {
      CAPTURE(is_commit);
      CAPTURE(nth);
      TransactionWorld world(nth);
      REQUIRE(world.create_topic());
      auto producer = world.init();
      REQUIRE(world.transact(*producer, 0, "a", is_commit));
      world.files().fail_sync("", nth);
      // The other way, and never decided.
      if (world.add(*producer, {0, 1})) {
        auto b = world.start_send(*producer, 0, 1, "b");
        world.executor().run_for(std::chrono::seconds(3));
        auto late = world.start_send(*producer, 1, 1, "b");
        world.executor().run_for(std::chrono::seconds(3));
      }
      world.files().heal();
      world.crash(nth % 2 == 0);
      REQUIRE(world.init());
      std::vector<std::string> expected;
      if (is_commit) expected.emplace_back("a");
      for (std::int32_t p = 0; p < partitions; ++p) CHECK(world.committed(p) == expected);
    }
  }
}

TEST_CASE("who asks what is open in a partition ends nothing") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer, {0}));
  REQUIRE(world.send(*producer, 0, 0, "a"));
  world.load(0);
  world.executor().run_for(std::chrono::seconds(2));
  CHECK_FALSE(world.is_stable(0));
  REQUIRE(world.send(*producer, 0, 1, "b"));
  REQUIRE(world.end(*producer, true));
  CHECK(world.committed(0) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("an orphan that cannot be aborted at once keeps its producer out until it is") {
  TransactionWorld world(1, 1 << 20);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer, {0}));
  REQUIRE(world.send(*producer, 0, 0, "lost"));
  world.note(std::nullopt);
  world.crash(false);
  world.files().set_free_bytes(1 << 19);
  auto next = world.init();
  // Whoever has the id now is another producer; a first one of this name would be let in.
  REQUIRE(next);
  world.load(0);
  CHECK_FALSE(world.is_stable(0));
  world.files().set_free_bytes({});
  world.executor().run_for(std::chrono::seconds(4));
  CHECK(world.is_stable(0));
  CHECK(world.committed(0).empty());
}

TEST_CASE("fault 9: after a crash at any step of a transaction all partitions show it, or none") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    for (std::int64_t steps = 1; steps < 420; steps += static_cast<std::int64_t>(1 + seed)) {
      CAPTURE(seed);
      CAPTURE(steps);
      check_story(seed, steps);
    }
  }
}

TEST_CASE("a producer goes on with its transaction across a restart of the server") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer));
  REQUIRE(world.send(*producer, 0, 0, "a"));
  world.crash(false);
  REQUIRE(world.send(*producer, 1, 0, "b"));
  REQUIRE(world.end(*producer, true));
  CHECK(world.committed(0) == std::vector<std::string>{"a"});
  CHECK(world.committed(1) == std::vector<std::string>{"b"});
}

TEST_CASE("a transaction is aborted at its timeout, also one that was begun before a crash") {
  TransactionWorld world(2);
  REQUIRE(world.create_topic());
  auto producer = world.init({}, 5'000);
  REQUIRE(world.add(*producer));
  REQUIRE(world.send(*producer, 0, 0, "a"));
  world.crash(false);
  world.load(0);
  CHECK_FALSE(world.is_stable(0));
  world.executor().run_for(std::chrono::seconds(8));
  CHECK(world.is_stable(0));
  CHECK(world.committed(0).empty());
  auto late = world.end(*producer, true);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::producer_fenced);
  // KIP-360: whoever was fenced by the timeout alone gets its id back.
  auto again = world.init(*producer);
  REQUIRE(again);
  CHECK(again->id == producer->id);
  CHECK(again->epoch == producer->epoch + 1);
}

TEST_CASE(
    "a transaction has its timeout from when it began, however long its coordinator was there") {
  TransactionWorld world(2);
  REQUIRE(world.create_topic());
  world.executor().run_for(std::chrono::minutes(10));
  auto producer = world.init({}, 5'000);
  REQUIRE(world.add(*producer));
  REQUIRE(world.send(*producer, 0, 0, "a"));
  world.executor().run_for(std::chrono::seconds(3));
  REQUIRE(world.end(*producer, true));
  CHECK(world.committed(0) == std::vector<std::string>{"a"});
}

TEST_CASE("of two producers with an id, the one that says it had it first is fenced") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto first = world.init();
  auto second = world.init();
  CHECK(second->id == first->id);
  CHECK(second->epoch == first->epoch + 1);
  auto third = world.init(*second);
  CHECK(third->epoch == second->epoch + 1);
  // Told once more, since its answer may have been lost.
  CHECK(*world.init(*second) == *third);
  auto refused = world.init(*first);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::producer_fenced);
}

TEST_CASE("a producer that was replaced cannot end the transaction of the one that replaced it") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto first = world.init();
  REQUIRE(first);
  auto second = world.init();
  REQUIRE(second);
  REQUIRE(world.add(*second));
  auto refused = world.init(*first);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::producer_fenced);
  CHECK(world.end(*second, true));
}

TEST_CASE("an epoch that is used up is followed by another producer id") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  ProducerId id = producer->id;
  Transaction used;
  used.producer = id;
  used.epoch = 32'765;
  used.timeout_ms = 1000;
  world.note(used);
  world.crash(false);
  producer = world.init();
  REQUIRE(producer);
  CHECK(producer->id == id);
  CHECK(producer->epoch == 32'766);
  producer = world.init();
  REQUIRE(producer);
  CHECK(producer->id != id);
  CHECK(producer->epoch == 0);
}

TEST_CASE("an id that nobody has used for a week is forgotten, and its producer told so") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.transact(*producer, 0, "a", true));
  world.executor().run_for(std::chrono::hours(8 * 24));
  REQUIRE(world.init({}, 60'000, "other"));
  CHECK(world.transactions().list().size() == 1);
  auto added = world.add(*producer);
  REQUIRE_FALSE(added);
  CHECK(added.error().code == Errc::invalid_producer_id_mapping);
  world.crash(false);
  CHECK(world.transactions().list().size() == 1);
}

TEST_CASE("a transaction that no coordinator knows is aborted when its partition is first used") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer));
  REQUIRE(world.send(*producer, 0, 0, "a"));
  world.note(std::nullopt);
  world.crash(false);
  CHECK(world.committed(0).empty());
  REQUIRE(world.init());
}

TEST_CASE("what a crash left open is aborted also where only the log asked for its producers") {
  TransactionWorld world(1);
  REQUIRE(world.create_topic());
  auto producer = world.init();
  REQUIRE(world.add(*producer));
  REQUIRE(world.send(*producer, 0, 0, "a"));
  world.note(std::nullopt);
  world.crash(false);
  // As compaction does, and retention.
  auto partition = world.at(0);
  partition->executor().post(
      [partition] { partition->log().load_producers([](const Result<void>&) {}); });
  world.executor().run_for(std::chrono::seconds(30));
  CHECK(world.is_stable(0));
}

TEST_CASE("a record of the transaction log is read back as it was written, or not at all") {
  Transaction wanted;
  wanted.producer = ProducerId{77};
  wanted.epoch = 3;
  wanted.timeout_ms = 60'000;
  wanted.state = TransactionState::prepare_commit;
  wanted.partitions = {{"a", {PartitionId{0}, PartitionId{5}}}, {"b", {PartitionId{1}}}};
  wanted.updated_ms = 123;
  wanted.started_ms = 100;
  Bytes bytes = encode(wanted);
  CHECK(*decode_transaction(bytes) == wanted);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_transaction(BytesView(bytes).first(size)));
  }
  wanted.state = TransactionState::ongoing;
  wanted.ended = EndedTransaction{ProducerId{76}, 2, true, 90, {{"c", {PartitionId{7}}}}};
  wanted.unwritten = {{"d", {PartitionId{0}, PartitionId{2}}}};
  Bytes flexible = encode(wanted);
  CHECK(flexible[1] == std::byte{1});
  CHECK(*decode_transaction(flexible) == wanted);
  for (std::size_t size = 0; size < flexible.size(); ++size) {
    CHECK_FALSE(decode_transaction(BytesView(flexible).first(size)));
  }
  Bytes newer = bytes;
  newer[1] = std::byte{9};
  CHECK(decode_transaction(newer).error().code == Errc::unsupported_format);
  CHECK(*decode_transaction_key(encode_transaction_key("mine")) == "mine");
}

TEST_SUITE_END();
