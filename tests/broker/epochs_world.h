// A broker on a simulated disk, whose epochs are followed across crashes.
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
#include "broker/epochs.h"
#include "file/fake_file_system.h"
#include "log/producer_table.h"
#include "record/builder.h"
#include "shards.h"

namespace leat::broker {

/// A machine that may run out of steps, at which it crashes.
class EpochWorld {
 public:
  using Values = std::vector<std::string>;
  using Writer = std::shared_ptr<EpochWriter>;
  template <class T>
  using Answer = std::shared_ptr<std::optional<Result<T>>>;

  explicit EpochWorld(std::uint64_t seed = 1, std::uint64_t free_bytes_min = 0,
                      std::uint64_t pending_bytes_max = std::uint64_t{256} << 20)
      : shards_(sim_, seed), files_(sim_, seed) {
    options_.store.directory = "/data";
    options_.store.journal_bytes = std::uint64_t{1} << 20;
    options_.store.free_bytes_min = free_bytes_min;
    options_.store.pending_bytes_max = pending_bytes_max;
    options_.store.scrub_bytes_per_second = 0;
    open();
  }
  ~EpochWorld() {
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

  void create_topic(const std::string& name, std::int32_t partitions,
                    const ConfigMap& configs = {}) {
    auto made = run<TopicInfo>([&](Broker::CreateDone done) {
      broker_->create_topic({name, partitions, configs}, std::move(done));
    });
    REQUIRE_MESSAGE(made, made.error().what);
  }
  void delete_topic(const std::string& name) {
    auto gone = run<void>([&](Broker::Done done) {
      broker_->delete_topic(broker_->find_topic(name)->info.id, std::move(done));
    });
    REQUIRE(gone);
  }
  Result<Writer> open_owner(const std::string& owner = "p.1") {
    return run<Writer>(
        [&](Epochs::OpenDone done) { broker_->epochs().open(owner, std::move(done)); });
  }
  Writer writer(const std::string& owner = "p.1") {
    auto opened = open_owner(owner);
    REQUIRE_MESSAGE(opened, opened.error().what);
    return *opened;
  }
  Result<void> remove_owner(const std::string& owner = "p.1") {
    return run<void>([&](Epochs::Done done) { broker_->epochs().remove(owner, std::move(done)); });
  }

  static Bytes batch_of(const Values& values) {
    record::BatchBuilder builder;
    for (const std::string& value : values) builder.append(1'700'000'000'000, {}, as_bytes(value));
    return builder.build();
  }
  EpochWriter::Output to(const std::string& topic, std::int32_t partition, const Values& values) {
    return {{broker_->find_topic(topic)->info.id, PartitionId{partition}}, batch_of(values)};
  }
  /// The value in every partition of topic "t".
  std::vector<EpochWriter::Output> everywhere(const std::string& value) {
    std::vector<EpochWriter::Output> output;
    std::int32_t count = broker_->find_topic("t")->info.partitions;
    for (std::int32_t p = 0; p < count; ++p) output.push_back(to("t", p, {value}));
    return output;
  }
  static Bytes bytes_of(const std::string& text) {
    BytesView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
  }
  Answer<void> start(const Writer& writer, const std::string& record,
                     std::vector<EpochWriter::Output> output) {
    auto answer = std::make_shared<std::optional<Result<void>>>();
    writer->commit(bytes_of(record), std::move(output),
                   [answer](Result<void> given) { *answer = std::move(given); });
    return answer;
  }
  Result<void> commit(const Writer& writer, const std::string& record,
                      std::vector<EpochWriter::Output> output) {
    if (is_over()) return fail(Errc::cancelled, "crashed");
    return wait(start(writer, record, std::move(output)));
  }
  /// An epoch of the value in its record and in every partition of topic "t".
  Result<void> commit(const Writer& writer, const std::string& value) {
    return commit(writer, value, everywhere(value));
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
  Values records(const std::string& owner = "p.1") { return committed(epochs_topic(owner), 0); }
  /// The batches of a partition: "data", "commit" or "abort" each.
  Values kinds(const std::string& topic, std::int32_t number);
  /// Whether a producer has a transaction there without a marker.
  bool has_open(const std::string& topic, std::int32_t number) {
    load(topic, number);
    for (const auto& [id, producer] : at(topic, number)->log().producers().producers()) {
      if (producer.transaction) return true;
    }
    return false;
  }
  std::uint64_t syncs() { return metrics_.counter("leat_log_syncs_total", "").value(); }
  std::uint64_t commits() { return metrics_.counter("leat_log_commits_total", "").value(); }

  Broker& broker() { return *broker_; }
  SimExecutor& executor() { return sim_; }
  file::FakeFileSystem& files() { return files_; }

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

inline EpochWorld::Values EpochWorld::kinds(const std::string& topic, std::int32_t number) {
  auto view = at(topic, number)->view();
  Values kinds;
  Offset next = view->start_offset;
  while (next < view->high_watermark) {
    auto slice = view->read(next, 0);
    REQUIRE(slice);
    Bytes bytes(slice->bytes);
    REQUIRE(slice->file->read_at(slice->position, bytes));
    auto batch = record::BatchView::parse(bytes);
    REQUIRE(batch);
    auto marker = record::parse_end_marker(*batch);
    kinds.push_back(!marker ? "data" : marker->is_commit ? "commit" : "abort");
    next = batch->next_offset();
  }
  return kinds;
}

}  // namespace leat::broker
