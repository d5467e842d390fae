// The transaction coordinator under crashes: after one at any step, all partitions of a transaction
// show it, or none does.
#include "broker/transactions.h"

#include <map>
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
  explicit World(std::uint64_t seed) : shards_(sim_, seed), files_(sim_, seed) {
    options_.store.directory = "/data";
    options_.store.journal_bytes = std::uint64_t{1} << 20;
    options_.store.free_bytes_min = 0;
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

  /// Runs until there is a result, or no step is left: then it is an error.
  template <class T>
  Result<T> wait(const std::shared_ptr<std::optional<Result<T>>>& result) {
    while (!result->has_value() && steps_-- > 0 && sim_.run_one()) {
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
  Result<void> add(ProducerIdentity producer) {
    TransactionPartitions added;
    for (std::int32_t p = 0; p < partitions; ++p) added["t"].insert(PartitionId{p});
    return run<void>([&](Transactions::Done done) {
      broker_->transactions().add_partitions("id", producer, added, std::move(done));
    });
  }
  Result<void> end(ProducerIdentity producer, bool is_commit) {
    return run<void>([&](Transactions::Done done) {
      broker_->transactions().end("id", producer, is_commit, std::move(done));
    });
  }
  Result<Offset> send(ProducerIdentity producer, std::int32_t number, std::int32_t sequence,
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
    auto sent = run<Appended>([&](Partition::AppendDone done) {
      partition->executor().post([partition, bytes, done = std::move(done)]() mutable {
        partition->append(bytes, MutableBytes(*bytes), 9, std::move(done));
      });
    });
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

}  // namespace

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
  Bytes newer = bytes;
  newer[1] = std::byte{9};
  CHECK(decode_transaction(newer).error().code == Errc::unsupported_format);
  CHECK(*decode_transaction_key(encode_transaction_key("mine")) == "mine");
}

TEST_SUITE_END();
