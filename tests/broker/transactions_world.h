// A broker on a simulated disk, whose transactions are followed across crashes: what the tests of
// their coordinator share.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/sim_executor.h"
#include "broker/broker.h"
#include "broker/transactions.h"
#include "broker/committed_values.h"
#include "file/fake_file_system.h"
#include "record/builder.h"
#include "shards.h"

namespace leat::broker {

inline constexpr std::int32_t partitions = 3;

/// A machine that may run out of steps, at which it crashes.
class TransactionWorld {
 public:
  explicit TransactionWorld(std::uint64_t seed, std::uint64_t free_bytes_min = 0)
      : shards_(sim_, seed), files_(sim_, seed) {
    options_.store.directory = "/data";
    options_.store.journal_bytes = std::uint64_t{1} << 20;
    options_.store.free_bytes_min = free_bytes_min;
    options_.store.scrub_bytes_per_second = 0;
    open();
  }
  ~TransactionWorld() {
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

  Result<void> create_topic(const ConfigMap& configs = {}) {
    auto made = run<TopicInfo>([&](Broker::CreateDone done) {
      broker_->create_topic({"t", partitions, configs}, std::move(done));
    });
    return made ? Result<void>() : fail(made);
  }
  void delete_topic() {
    bool is_deleted = false;
    broker_->delete_topic(broker_->find_topic("t")->info.id,
                          [&](const Result<void>&) { is_deleted = true; });
    REQUIRE(run_until([&] { return is_deleted; }));
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
  /// The same in the second protocol.
  Result<ProducerIdentity> raise(ProducerIdentity producer, bool is_commit) {
    return run<ProducerIdentity>([&](Transactions::InitDone done) {
      broker_->transactions().end_and_raise("id", producer, is_commit, std::move(done));
    });
  }
  /// Versions of Produce: with the second, a batch adds its partition.
  static constexpr int in_first = 9;
  static constexpr int in_second = 12;
  using Sent = std::shared_ptr<std::optional<Result<Appended>>>;
  Sent start_send(ProducerIdentity producer, std::int32_t number, std::int32_t sequence,
                  const std::string& value, int version = in_first) {
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
    partition->executor().post([partition, bytes, sent, version] {
      partition->append(bytes, MutableBytes(*bytes), version,
                        [sent](Result<Appended> given) { *sent = std::move(given); });
    });
    return sent;
  }
  Result<Offset> send(ProducerIdentity producer, std::int32_t number, std::int32_t sequence,
                      const std::string& value, int version = in_first) {
    if (is_over()) return fail(Errc::cancelled, "crashed");
    auto sent = wait(start_send(producer, number, sequence, value, version));
    if (!sent) return fail(sent);
    return sent->base_offset;
  }
  /// As clients do it: once more for as long as what a crash lost is being aborted there.
  Result<Offset> send_until_taken(ProducerIdentity producer, std::int32_t number,
                                  std::int32_t sequence, const std::string& value,
                                  int version = in_first) {
    auto sent = send(producer, number, sequence, value, version);
    for (int i = 0; !sent && sent.error().code == Errc::request_timed_out && i < 100; ++i) {
      sim_.run_for(std::chrono::milliseconds(10));
      sent = send(producer, number, sequence, value, version);
    }
    return sent;
  }
  /// One transaction of the value in every partition.
  Result<void> transact(ProducerIdentity producer, std::int32_t sequence, const std::string& value,
                        bool is_commit) {
    if (auto added = add(producer); !added) return added;
    for (std::int32_t p = 0; p < partitions; ++p) {
      if (auto sent = send_until_taken(producer, p, sequence, value); !sent) return fail(sent);
    }
    return end(producer, is_commit);
  }

  /// One of the second protocol: gives who the producer is behind it.
  Result<ProducerIdentity> transact_and_raise(ProducerIdentity producer, const std::string& value,
                                              bool is_commit) {
    for (std::int32_t p = 0; p < partitions; ++p) {
      auto sent = send_until_taken(producer, p, 0, value, in_second);
      if (!sent) return fail(sent);
    }
    return raise(producer, is_commit);
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
    return committed_values(*at(number)->view());
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
  /// All records of the transaction log, oldest first.
  std::vector<Transaction> notes() {
    auto log = broker_->find_partition(transaction_partition().topic_id, PartitionId{0});
    REQUIRE(log);
    std::vector<Transaction> all;
    REQUIRE(replay_transactions(*log->view(), [&](const std::string&, auto transaction) {
      if (transaction) all.push_back(std::move(*transaction));
    }));
    return all;
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

}  // namespace leat::broker
