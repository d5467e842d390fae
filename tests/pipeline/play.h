// A small world for runs of versions: topics, epochs and time in memory, a disk that crashes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "pipeline/memory_epochs.h"
#include "pipeline/snapshots.h"
#include "pipeline/version_run.h"
#include "plan/plan.h"
#include "stream/memory_topics.h"

namespace leat::pipeline {

/// Rows {"t": ms, "k": text, "n": number} of the topic "in", through `nodes`, of which the last is
/// "x", to the topic "out". `more` are members of the plan.
inline plan::Plan plan_of(const std::string& nodes, const std::string& more = "",
                          const std::string& source = "", const std::string& sinks = "") {
  std::string input = nodes.empty() ? "in" : "x";
  auto parsed = plan::parse(fmt::format(
      R"({{"version": 1, "name": "p", {} "nodes": [
        {{"name": "in", "type": "source", "topic": "in", "event_time": "t", "idle_ms": 0, {}
          "columns": [{{"name": "t", "type": "timestamp"}}, {{"name": "k", "type": "text"}},
                      {{"name": "n", "type": "bigint"}}]}},
        {} {}
        {{"name": "out", "type": "sink", "topic": "out", "input": "{}"}}]}})",
      more, source, nodes, sinks, input));
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what);
  return std::move(*parsed);
}

/// Counts rows by second and key.
inline const std::string per_second =
    R"({"name": "x", "type": "window", "input": "in", "window": {"kind": "tumbling",
        "size_ms": 1000}, "keys": ["k"], "aggregates": [{"function": "count", "name": "rows"}]},)";

class Play {
 public:
  explicit Play(std::uint64_t seed = 1, std::int32_t partitions = 1)
      : files(executor, seed), epochs(topics), random(seed) {
    REQUIRE(files.make_directories("/data"));
    REQUIRE(files.sync_directory("/"));
    REQUIRE(topics.create_topic("in", partitions).has_value());
  }

  VersionRun::Options options(plan::Plan plan) {
    VersionRun::Options options;
    options.plan = std::move(plan);
    options.pipeline = "p";
    options.on_state = [this](RunState state) { states += std::string(name(state)) + " "; };
    return options;
  }
  void start(VersionRun::Options options) {
    run_.reset();
    run_ = VersionRun::start(std::move(options),
                             {topics, files, executor, epochs, "/data", &executor});
  }
  void start(plan::Plan plan) { start(options(std::move(plan))); }
  VersionRun& run() { return *run_; }
  void pass(std::chrono::nanoseconds time) { executor.run_for(time); }

  /// A record that says so, as one batch each.
  void produce(std::int64_t time_ms, const std::string& key = "a", std::int64_t n = 1,
               std::int32_t partition = 0, const std::string& topic = "in") {
    std::string value = fmt::format(R"({{"t": {}, "k": "{}", "n": {}}})", time_ms, key, n);
    produce_value(value, partition, topic, time_ms);
  }
  void produce_value(const std::string& value, std::int32_t partition = 0,
                     const std::string& topic = "in", std::int64_t time_ms = 0) {
    stream::OutputBatches batches;
    auto found = topics.find_topic(topic);
    REQUIRE(found.has_value());
    batches.append({found->id, PartitionId{partition}}, time_ms, {}, as_bytes(value));
    for (auto& batch : batches.take()) {
      topics.append(batch.partition, std::move(batch.bytes), [](const Result<Offset>&) {});
    }
  }
  /// The values of a partition.
  std::vector<std::string> values(const std::string& topic = "out", std::int32_t partition = 0) {
    std::vector<std::string> values;
    for (const auto& record : topics.records(topic, partition)) {
      values.push_back(record.value.value_or("-"));
    }
    return values;
  }
  /// How many records all partitions have.
  std::size_t count(const std::string& topic = "out") {
    std::size_t count = 0;
    auto found = topics.find_topic(topic);
    REQUIRE(found.has_value());
    for (std::int32_t p = 0; p < found->partitions; ++p) count += topics.records(topic, p).size();
    return count;
  }
  /// The members "n" of the values, with blanks between them.
  std::string numbers(const std::string& topic = "out") {
    std::string numbers;
    for (const auto& value : values(topic)) {
      auto at = value.find("\"n\":") + 4;
      numbers +=
          (numbers.empty() ? "" : " ") + value.substr(at, value.find_first_of(",}", at) - at);
    }
    return numbers;
  }
  std::vector<Record> records(std::uint32_t version = 1) {
    std::vector<Record> all;
    for (const auto& bytes : epochs.records(owner_of("p", version))) {
      auto record = decode(bytes);
      REQUIRE_MESSAGE(record.has_value(), record.error().what);
      all.push_back(std::move(*record));
    }
    return all;
  }
  EpochRecord record(std::size_t index, std::uint32_t version = 1) {
    return std::get<EpochRecord>(records(version).at(index));
  }
  VersionStatus status() { return run_->status(); }
  std::string error() {
    auto status = run_->status();
    return status.error ? status.error->what : "";
  }

  /// The process dies, or the machine.
  void crash(bool power = false) {
    run_.reset();
    executor.drop_all();
    power ? files.power_loss() : files.kill();
  }
  /// Lets go of the run where it stands.
  void drop() { run_.reset(); }

  /// From now on commits wait: commit() lets the first of those that wait through.
  void hold_commits() {
    epochs.set_commit([this](const std::string&, std::function<void()> apply, EpochLog::Done done) {
      held.push_back({std::move(apply), std::move(done)});
    });
  }
  void commit() {
    REQUIRE_FALSE(held.empty());
    auto first = std::move(held.front());
    held.erase(held.begin());
    first.apply();
    first.done({});
  }

  struct Held {
    std::function<void()> apply;
    EpochLog::Done done;
  };
  SimExecutor executor;
  file::FakeFileSystem files;
  stream::MemoryTopics topics;
  MemoryEpochs epochs;
  Random random;
  std::vector<Held> held;
  std::string states;

 private:
  std::unique_ptr<VersionRun> run_;
};

}  // namespace leat::pipeline
