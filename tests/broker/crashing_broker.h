// A broker on a simulated disk whose machine crashes: what the tests of transactions and of epochs
// share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/sim_executor.h"
#include "broker/broker.h"
#include "broker/committed_values.h"
#include "file/fake_file_system.h"
#include "record/builder.h"
#include "shards.h"

namespace leat::broker {

/// It may run out of steps, at which it crashes.
class CrashingBroker {
 public:
  using Values = std::vector<std::string>;
  template <class T>
  using Answer = std::shared_ptr<std::optional<Result<T>>>;

  struct Room {
    std::uint64_t free_bytes_min = 0;
    std::uint64_t pending_bytes_max = std::uint64_t{256} << 20;
  };
  CrashingBroker(std::uint64_t seed, const Room& room) : shards_(sim_, seed), files_(sim_, seed) {
    options_.store.directory = "/data";
    options_.store.journal_bytes = std::uint64_t{1} << 20;
    options_.store.free_bytes_min = room.free_bytes_min;
    options_.store.pending_bytes_max = room.pending_bytes_max;
    options_.store.scrub_bytes_per_second = 0;
    open();
  }
  ~CrashingBroker() {
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
  void restart() {
    auto closed = run<void>([&](Broker::Done done) { broker_->close(std::move(done)); });
    REQUIRE(closed);
    sim_.drop_all();
    broker_.reset();
    open();
  }
  void set_steps(std::int64_t steps) { steps_ = steps; }
  bool is_over() const { return steps_ <= 0; }
  bool step() { return steps_-- > 0 && sim_.run_one(); }

  /// Runs until there is a result, or no step is left: then it is an error.
  template <class T>
  Result<T> wait(const Answer<T>& answer) {
    while (!answer->has_value() && step()) {
    }
    if (!answer->has_value()) return fail(Errc::cancelled, "crashed");
    return **answer;
  }
  template <class T, class Start>
  Result<T> run(const Start& start) {
    auto answer = std::make_shared<std::optional<Result<T>>>();
    if (is_over()) return fail(Errc::cancelled, "crashed");
    start([answer](Result<T> given) { *answer = std::move(given); });
    return wait(answer);
  }
  template <class Condition>
  bool run_until(const Condition& condition) {
    for (int i = 0; i < 100'000; ++i) {
      if (condition()) return true;
      if (!sim_.run_one()) return false;
    }
    return false;
  }

  Result<void> try_to_create(const std::string& name, std::int32_t partitions,
                             const ConfigMap& configs = {}) {
    auto made = run<TopicInfo>([&](Broker::CreateDone done) {
      broker_->create_topic({name, partitions, configs}, std::move(done));
    });
    return made ? Result<void>() : fail(made);
  }
  void delete_topic(const std::string& name = "t") {
    std::optional<Result<void>> gone;
    broker_->delete_topic(broker_->find_topic(name)->info.id,
                          [&](Result<void> outcome) { gone = std::move(outcome); });
    REQUIRE(run_until([&] { return gone.has_value(); }));
    REQUIRE(*gone);
  }

  std::shared_ptr<Partition> at(const std::string& topic, std::int32_t number) {
    auto partition = broker_->find_partition(topic, PartitionId{number});
    REQUIRE(partition);
    return partition;
  }
  void load(const std::string& topic, std::int32_t number) {
    auto partition = at(topic, number);
    std::optional<Result<void>> loaded;
    partition->executor().post([&, partition] {
      partition->load_producers([&](Result<void> result) { loaded = std::move(result); });
    });
    REQUIRE(run_until([&] { return loaded.has_value(); }));
    REQUIRE(loaded->has_value());
  }
  bool is_stable(const std::string& topic, std::int32_t number) {
    auto view = at(topic, number)->view();
    return view->last_stable_offset == view->high_watermark;
  }
  /// What readers of committed records see, when all that is open has been ended.
  Values committed(const std::string& topic, std::int32_t number) {
    load(topic, number);
    REQUIRE(run_until([&] { return is_stable(topic, number); }));
    return committed_values(*at(topic, number)->view());
  }

  /// One batch of a transaction, of one value.
  static Bytes in_transaction(ProducerId producer, std::int16_t epoch, std::int32_t sequence,
                              const std::string& value, std::int64_t timestamp_ms) {
    record::BatchBuilder builder;
    builder.append(timestamp_ms, {}, as_bytes(value));
    record::BatchOptions options;
    options.producer_id = producer;
    options.producer_epoch = epoch;
    options.base_sequence = sequence;
    options.is_transactional = true;
    return builder.build(options);
  }

  Broker& broker() { return *broker_; }
  SimExecutor& executor() { return sim_; }
  file::FakeFileSystem& files() { return files_; }
  std::uint64_t counted(const std::string& metric) { return metrics_.counter(metric, "").value(); }

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
