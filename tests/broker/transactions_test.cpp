// The transaction coordinator under crashes: after one at any step, all partitions of a transaction
// show it, or none does.
#include "broker/transactions.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/sim_executor.h"
#include "broker/broker.h"
#include "file/fake_file_system.h"
#include "log/aborted_transactions.h"
#include "record/builder.h"
#include "record/record.h"
#include "shards.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

constexpr std::int32_t partitions = 3;

/// A machine that may run out of steps, at which it crashes.
class World {
 public:
  explicit World(std::uint64_t seed, std::uint64_t free_bytes_min = 0)
      : shards_(sim_, seed), files_(sim_, seed) {
    options_.store.directory = "/data";
    options_.store.journal_bytes = std::uint64_t{1} << 20;
    options_.store.free_bytes_min = free_bytes_min;
    options_.store.scrub_bytes_per_second = 0;
    open();
  }
  ~World() {
    sim_.drop_all();
    broker_.reset();
  }

  void open() {
    auto opened = Broker::open({files_, sim_, sim_, metrics_, shards_.executors()}, options_,
                               Random(++lives_));
    REQUIRE_MESSAGE(opened, opened.error().what);
    broker_ = std::move(*opened);
  }
  void crash(bool is_power_loss) {
    if (is_power_loss) {
      files_.power_loss();
    } else {
      files_.kill();
    }
    sim_.drop_all();
    broker_.reset();
    open();
  }
  void set_steps(std::int64_t steps) { steps_ = steps; }
  bool is_over() const { return steps_ <= 0; }
  bool step() { return steps_-- > 0 && sim_.run_one(); }

  /// Runs until there is a result, or no step is left: then it is an error.
  template <class T>
  Result<T> wait(const std::shared_ptr<std::optional<Result<T>>>& result) {
    while (!result->has_value() && step()) {
    }
    if (!result->has_value()) return fail(Errc::cancelled, "crashed");
    return **result;
  }
  template <class T, class Start>
  Result<T> run(const Start& start) {
    auto result = std::make_shared<std::optional<Result<T>>>();
    if (is_over()) return fail(Errc::cancelled, "crashed");
    start([result](Result<T> given) { *result = std::move(given); });
    return wait(result);
  }
  template <class Condition>
  bool run_until(const Condition& condition) {
    for (int i = 0; i < 100'000; ++i) {
      if (condition()) return true;
      if (!sim_.run_one()) return false;
    }
    return false;
  }

  Result<void> create_topic() {
    auto made = run<TopicInfo>([&](Broker::CreateDone done) {
      broker_->create_topic({"t", partitions, {}}, std::move(done));
    });
    return made ? Result<void>() : fail(made);
  }
  Result<ProducerIdentity> init(std::optional<ProducerIdentity> expected = {},
                                std::int32_t timeout_ms = 60'000, const std::string& id = "id") {
    return run<ProducerIdentity>([&](Transactions::InitDone done) {
      broker_->transactions().init_producer(id, timeout_ms, expected, std::move(done));
    });
  }
  Result<void> add(ProducerIdentity producer, std::set<std::int32_t> numbers = {0, 1, 2}) {
    TransactionPartitions added;
    for (std::int32_t p : numbers) added["t"].insert(PartitionId{p});
    return run<void>([&](Transactions::Done done) {
      broker_->transactions().add_partitions("id", producer, added, std::move(done));
    });
  }
  Result<void> end(ProducerIdentity producer, bool is_commit) {
    return run<void>([&](Transactions::Done done) {
      broker_->transactions().end("id", producer, is_commit, std::move(done));
    });
  }
  using Sent = std::shared_ptr<std::optional<Result<Appended>>>;
  Sent start_send(ProducerIdentity producer, std::int32_t number, std::int32_t sequence,
                  const std::string& value) {
    record::BatchBuilder builder;
    builder.append(sim_.wall_ms(), {}, as_bytes(value));
    record::BatchOptions options;
    options.producer_id = producer.id;
    options.producer_epoch = producer.epoch;
    options.base_sequence = sequence;
    options.is_transactional = true;
    auto bytes = std::make_shared<Bytes>(builder.build(options));
    auto partition = at(number);
    auto sent = std::make_shared<std::optional<Result<Appended>>>();
    partition->executor().post([partition, bytes, sent] {
      partition->append(bytes, MutableBytes(*bytes), 9,
                        [sent](Result<Appended> given) { *sent = std::move(given); });
    });
    return sent;
  }
  Result<Offset> send(ProducerIdentity producer, std::int32_t number, std::int32_t sequence,
                      const std::string& value) {
    if (is_over()) return fail(Errc::cancelled, "crashed");
    auto sent = wait(start_send(producer, number, sequence, value));
    if (!sent) return fail(sent);
    return sent->base_offset;
  }
  /// One transaction of the value in every partition.
  Result<void> transact(ProducerIdentity producer, std::int32_t sequence, const std::string& value,
                        bool is_commit) {
    if (auto added = add(producer); !added) return added;
    for (std::int32_t p = 0; p < partitions; ++p) {
      if (auto sent = send(producer, p, sequence, value); !sent) return fail(sent);
    }
    return end(producer, is_commit);
  }

  std::shared_ptr<Partition> at(std::int32_t number) {
    auto partition = broker_->find_partition("t", PartitionId{number});
    REQUIRE(partition);
    return partition;
  }
  void load(std::int32_t number) {
    auto partition = at(number);
    std::optional<Result<void>> loaded;
    partition->executor().post([&, partition] {
      partition->load_producers([&](Result<void> result) { loaded = std::move(result); });
    });
    REQUIRE(run_until([&] { return loaded.has_value(); }));
    REQUIRE(loaded->has_value());
  }
  bool is_stable(std::int32_t number) {
    auto view = at(number)->view();
    return view->last_stable_offset == view->high_watermark;
  }
  /// The values that a reader of committed records sees.
  std::vector<std::string> committed(std::int32_t number) {
    load(number);
    REQUIRE(run_until([&] { return is_stable(number); }));
    auto view = at(number)->view();
    std::vector<std::string> values;
    Offset next = view->start_offset;
    while (next < view->high_watermark) {
      auto slice = view->read_stable(next, 1 << 20);
      REQUIRE(slice);
      if (slice->bytes == 0) break;
      Bytes bytes(slice->bytes);
      REQUIRE(slice->file->read_at(slice->position, bytes));
      auto aborted = view->aborted->find(slice->base_offset, slice->next_offset);
      for (BytesView rest(bytes); !rest.empty();) {
        auto batch = record::BatchView::parse(rest);
        REQUIRE(batch);
        bool is_aborted = std::any_of(aborted.begin(), aborted.end(), [&](const auto& a) {
          return a.producer == batch->producer_id() && a.first <= batch->base_offset() &&
                 batch->base_offset() < a.last;
        });
        record::RecordIterator records(*batch);
        while (const record::Record* record = records.next()) {
          if (!batch->is_control() && !is_aborted) values.emplace_back(as_text(*record->value));
        }
        rest = rest.subspan(batch->size_bytes());
      }
      next = slice->next_offset;
    }
    return values;
  }

  /// Writes a record to the transaction log, behind the coordinator's back.
  void note(const std::optional<Transaction>& transaction) {
    auto log = broker_->find_partition(transaction_partition().topic_id, PartitionId{0});
    REQUIRE(log);
    auto written = run<void>([&](Transactions::Done done) {
      append_transaction(*log, "id", transaction, 1, std::move(done));
    });
    REQUIRE(written);
  }
  SimExecutor& executor() { return sim_; }
  file::FakeFileSystem& files() { return files_; }
  Transactions& transactions() { return broker_->transactions(); }

 private:
  SimExecutor sim_;
  leat::testing::SimShards shards_;
  file::FakeFileSystem files_;
  Metrics metrics_;
  BrokerOptions options_;
  std::unique_ptr<Broker> broker_;
  std::uint64_t lives_ = 0;
  std::int64_t steps_ = 1'000'000'000;
};

/// What the producer was told of each transaction.
enum class Fate { committed, aborted, unknown };

void check_story(std::uint64_t seed, std::int64_t steps) {
  World world(seed);
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
std::vector<Told> tell_closely(World& world, ProducerIdentity producer) {
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
  World world(seed);
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
  World world(seed);
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
  auto resent = world.send(*producer, 0, 1, "a");
  // While what was lost is being aborted; a client tries again.
  while (!resent && resent.error().code == Errc::request_timed_out) {
    world.executor().run_for(std::chrono::milliseconds(10));
    resent = world.send(*producer, 0, 1, "a");
  }
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
  World world(1);
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
  World world(1, 1 << 20);
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
      World world(nth);
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
  World world(1);
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
  World world(1, 1 << 20);
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
  World world(1);
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
  World world(2);
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

TEST_CASE("of two producers with an id, the one that says it had it first is fenced") {
  World world(1);
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
  World world(1);
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
  World world(1);
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
  World world(1);
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
  World world(1);
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
  World world(1);
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
