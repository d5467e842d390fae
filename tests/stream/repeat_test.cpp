// Steps that are done again: what of it the random plans of repeated_plans_test.cpp leave out.
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "stream/memory_topics.h"
#include "stream/task.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using namespace std::chrono_literals;

namespace {

/// A topic `in` of numbers and keys with their timestamps, and tasks over it.
class Steps {
 public:
  explicit Steps(std::int32_t partitions) { in = *topics.create_topic("in", partitions); }

  void add(std::int32_t partition, std::int64_t time_ms, int n = 1) {
    record::BatchBuilder builder;
    std::string json = fmt::format(R"({{"n":{},"k":"k{}"}})", n, n % 3);
    builder.append(time_ms, {}, as_bytes(json));
    topics.append({in.id, PartitionId{partition}}, builder.build(), [](auto) {});
  }
  std::unique_ptr<Task> open(const std::string& nodes, std::size_t block_rows = 1024,
                             TopicStore* store = nullptr) {
    auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [
      {"name": "in", "type": "source", "topic": "in", "disorder_ms": 10, "idle_ms": 1000,
       "columns": [{"name": "n", "type": "bigint"}, {"name": "k", "type": "text"}]}, )" +
                            nodes + "]}");
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    Task::Options options;
    options.block_rows = block_rows;
    options.watch_idle = true;
    options.exact = true;
    auto task =
        Task::open(std::move(*plan), store != nullptr ? *store : topics, &files, clock, options);
    REQUIRE_MESSAGE(task.has_value(), task.error().what);
    return std::move(*task);
  }
  std::vector<std::string> values(std::vector<OutputBatch> batches) {
    std::vector<std::string> values;
    for (const auto& [partition, bytes] : batches) {
      auto view = record::BatchView::parse(bytes);
      record::RecordIterator records(*view);
      while (const record::Record* record = records.next()) {
        values.emplace_back(record->value ? as_text(*record->value) : "-");
      }
    }
    return values;
  }

  MemoryTopics topics;
  SimExecutor clock;
  file::FakeFileSystem files{clock, 1};
  Topic in;
};

const std::string as_they_are = R"({"name": "out", "type": "sink", "input": "in", "topic": "out"})";

StepRecord step_of(Task& task, OutputBatches& out) {
  StepRecord did;
  auto stepped = task.step(out, &did);
  REQUIRE_MESSAGE(stepped.has_value(), stepped.error().what);
  return did;
}

}  // namespace

TEST_CASE("a step's record says what it consumed, how much, and what was idle") {
  Steps steps(3);
  for (int i = 0; i < 5; ++i) steps.add(0, 1'000 + i);
  steps.add(2, 2'000);
  auto task = steps.open(as_they_are);
  OutputBatches out;
  StepRecord did = step_of(*task, out);
  CHECK(did.consumed == std::vector<StepRecord::Consumed>{{0, Offset{5}, 5}, {2, Offset{1}, 1}});
  CHECK(did.now_ms == steps.clock.wall_ms());
  CHECK(did.idle.empty());
  CHECK(did.moved);
  CHECK(task->positions() == std::vector<Offset>{Offset{5}, Offset{0}, Offset{1}});
  // Nothing happens, but that time passes.
  did = step_of(*task, out);
  CHECK_FALSE(did.moved);
  CHECK(did.consumed.empty());
  steps.clock.run_for(1'000ms);
  did = step_of(*task, out);
  CHECK(did.moved);
  CHECK(did.idle == std::vector<std::uint32_t>{0, 1, 2});
  CHECK_FALSE(step_of(*task, out).moved);
}

TEST_CASE(
    "what an idle partition decided on is in the record of its step, and counts there alone") {
  Steps steps(2);
  const std::string counts =
      R"({"name": "w", "type": "window", "input": "in", "late_topic": "late",
          "window": {"kind": "tumbling", "size_ms": 100},
          "aggregates": [{"name": "n", "function": "count"}]},
         {"name": "out", "type": "sink", "input": "w", "topic": "out"})";
  auto task = steps.open(counts, 1);
  OutputBatches out;
  std::vector<StepRecord> records;
  auto run = [&](Task& of) {
    for (bool more = true; more;) {
      StepRecord did;
      more = *of.step(out, &did);
      if (did.moved) records.push_back(did);
    }
  };
  for (int t = 1'000; t < 2'000; t += 50) steps.add(0, t);
  run(*task);
  steps.clock.run_for(1'000ms);
  steps.add(0, 1'950);
  run(*task);
  steps.add(1, 1'500);  // it is behind by now
  steps.add(1, 1'600);
  for (int t = 2'000; t < 2'300; t += 50) steps.add(0, t);
  run(*task);
  auto live = steps.values(out.take());
  std::vector<Decision> decisions;
  for (const auto& record : records) {
    decisions.insert(decisions.end(), record.decisions.begin(), record.decisions.end());
  }
  CHECK(decisions == std::vector<Decision>{{1, Offset{0}, 1'940}});
  auto other = steps.open(counts, 3);
  for (const auto& record : records) REQUIRE(other->repeat(record, out));
  CHECK(steps.values(out.take()) == live);
  CHECK(other->progress().late == 2);
  CHECK(other->progress().watermark == task->progress().watermark);
}

TEST_CASE("a step whose records were deleted is refused, with what is there") {
  Steps steps(1);
  for (int i = 0; i < 10; ++i) steps.add(0, 1'000 + i, i);
  auto task = steps.open(as_they_are, 4);
  OutputBatches out;
  StepRecord first = step_of(*task, out), second = step_of(*task, out);
  steps.topics.trim({steps.in.id, PartitionId{0}}, Offset{6});
  auto other = steps.open(as_they_are);
  REQUIRE(other->seek({Offset{0}}));
  auto repeated = other->repeat(first, out);
  REQUIRE_FALSE(repeated);
  CHECK(repeated.error().code == Errc::offset_out_of_range);
  CHECK(repeated.error().what ==
        "offsets 0 to 3 of partition 0 of in are to be consumed again, and from 0 on they are not "
        "there: its records are 6 to 9 now");

  auto third = steps.open(as_they_are);
  REQUIRE(third->seek({Offset{6}}));
  second.consumed = {{0, Offset{12}, 6}};
  repeated = third->repeat(second, out);
  REQUIRE_FALSE(repeated);
  CHECK(repeated.error().code == Errc::offset_out_of_range);
  CHECK(repeated.error().what ==
        "offsets 6 to 11 of partition 0 of in are to be consumed again, and from 10 on they are "
        "not there: its records are 6 to 9 now");
}

TEST_CASE("a step with other records than it had is refused") {
  Steps steps(1);
  for (int i = 0; i < 4; ++i) steps.add(0, 1'000 + i, i);
  auto task = steps.open(as_they_are);
  OutputBatches out;
  StepRecord did = step_of(*task, out);
  // The same log behind a compaction.
  Steps compacted(1);
  record::BatchBuilder builder;
  record::Record record;
  record.value = as_bytes(R"({"n":3})");
  record.timestamp_ms = 1'003;
  builder.append(3, record);
  compacted.topics.append({compacted.in.id, PartitionId{0}}, builder.build(), [](auto) {});
  auto other = compacted.open(as_they_are);
  auto repeated = other->repeat(did, out);
  REQUIRE_FALSE(repeated);
  CHECK(repeated.error().code == Errc::step_mismatch);
  CHECK(repeated.error().what ==
        "from offset 0 to 3 of partition 0 of in there were 4 records when they were consumed, and "
        "there are 1 now: some have been removed since, so what came out cannot be made again");
}

TEST_CASE("a step is refused by a task that is not where it was, or of another plan") {
  Steps steps(1);
  for (int i = 0; i < 4; ++i) steps.add(0, 1'000 + i, i);
  auto task = steps.open(as_they_are);
  OutputBatches out;
  StepRecord did = step_of(*task, out);
  StepRecord before = did;
  before.consumed[0].next = Offset{3};
  CHECK(task->repeat(before, out).error().code == Errc::step_mismatch);
  before.consumed.clear();
  before.watermark -= 1;
  CHECK(task->repeat(before, out).error().code == Errc::step_mismatch);
  auto fresh = steps.open(as_they_are);
  did.idle = {1};
  CHECK(fresh->repeat(did, out).error().code == Errc::invalid_argument);
}

TEST_CASE("what a task has read ahead is not of the step that is done again") {
  Steps steps(1);
  for (int i = 0; i < 10; ++i) steps.add(0, 1'000 + i, i);
  auto task = steps.open(as_they_are, 3), other = steps.open(as_they_are, 8);
  OutputBatches out;
  std::vector<StepRecord> records;
  for (int i = 0; i < 4; ++i) records.push_back(step_of(*task, out));
  auto live = steps.values(out.take());
  CHECK(live.size() == 10);
  // This one has decoded all, and consumed some.
  REQUIRE(other->repeat(records[0], out));
  StepRecord all = step_of(*other, out);
  CHECK(all.consumed[0].records == 7);
  CHECK(steps.values(out.take()) == live);
  auto third = steps.open(as_they_are, 2);
  REQUIRE(third->repeat(records[0], out));
  REQUIRE(third->repeat(all, out));
  CHECK(steps.values(out.take()) == live);
}

TEST_CASE("lines of files are consumed again by their numbers") {
  Steps steps(1);
  auto write = [&](const std::string& text) {
    REQUIRE(file::replace_file(steps.files, "/rows.csv", as_bytes(text)));
  };
  std::string text = "n,t\n";
  for (int i = 0; i < 10; ++i)
    text += fmt::format("{},1970-01-01T00:00:0{}Z\n", i, i == 7 ? "x" : std::to_string(i));
  write(text);
  auto open = [&](std::size_t block_rows) {
    return steps.open(R"({"name": "f", "type": "source", "file": "/rows.csv", "format": "csv",
      "header_line": true, "event_time": "t", "bad_records": {"policy": "skip"},
      "columns": [{"name": "n", "type": "bigint"}, {"name": "t", "type": "timestamp"}]},
      {"name": "g", "type": "sink", "input": "f", "topic": "g"}, )" +
                          as_they_are,
                      block_rows);
  };
  auto task = open(4);
  OutputBatches out;
  std::vector<StepRecord> records;
  for (int i = 0; i < 3; ++i) records.push_back(step_of(*task, out));
  auto live = steps.values(out.take());
  CHECK(live.size() == 9);
  CHECK(records[0].consumed == std::vector<StepRecord::Consumed>{{1, Offset{5}, 4}});
  CHECK(task->positions() == std::vector<Offset>{Offset{0}, Offset{11}});
  auto other = open(1);
  for (const auto& record : records) REQUIRE(other->repeat(record, out));
  CHECK(steps.values(out.take()) == live);
  CHECK(other->positions() == task->positions());

  write("n,t\n1,1970-01-01T00:00:01Z\n");
  auto gone = open(1)->repeat(records[0], out);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == Errc::offset_out_of_range);
  CHECK(
      gone.error().what ==
      "lines 1 to 5 of /rows.csv are to be consumed again, and from line 3 on they are not there");
}

TEST_CASE("a micro-batch consumes what is there, and tells each change once") {
  const std::string nodes =
      R"({"name": "w", "type": "window", "input": "in", "keys": ["k"], "emit": "update",
          "window": {"kind": "tumbling", "size_ms": 1000000},
          "aggregates": [{"name": "n", "function": "count"}]},
         {"name": "out", "type": "sink", "input": "w", "topic": "out", "keys": ["k"]})";
  Steps steps(2);
  auto task = steps.open(nodes, 10);
  OutputBatches out;
  for (int round = 1; round <= 2; ++round) {
    for (int i = 0; i < 3'000; ++i) steps.add(i % 2, 1'000 + i, i);
    StepRecord did;
    CHECK(*task->step_to_ends(out, &did));
    CHECK(did.consumed == std::vector<StepRecord::Consumed>{{0, Offset{1'500 * round}, 1'500},
                                                            {1, Offset{1'500 * round}, 1'500}});
    auto told = steps.values(out.take());
    REQUIRE(told.size() == 3);
    for (const auto& value : told) {
      CHECK(value.ends_with(fmt::format(R"("n":{}}})", 1'000 * round)));
    }
  }
  StepRecord none;
  CHECK_FALSE(*task->step_to_ends(out, &none));
  CHECK_FALSE(none.moved);
}

namespace {

/// Topics whose records arrive when they were asked for, once another thread has been there.
class SlowTopics final : public TopicStore {
 public:
  explicit SlowTopics(MemoryTopics& topics) : topics_(topics) {}
  ~SlowTopics() override {
    for (auto& thread : threads_) thread.join();
  }
  Result<Topic> find_topic(const std::string& name) override { return topics_.find_topic(name); }
  Result<Topic> create_topic(const std::string& name, std::int32_t partitions) override {
    return topics_.create_topic(name, partitions);
  }
  Result<std::unique_ptr<TopicReader>> open(const Topic& topic) override {
    return std::make_unique<Reader>(*this, *topics_.open(topic));
  }
  void append(const TopicPartition& partition, Bytes batch, AppendDone done) override {
    topics_.append(partition, std::move(batch), std::move(done));
  }
  int waits() const { return static_cast<int>(threads_.size()); }

 private:
  class Reader final : public TopicReader {
   public:
    Reader(SlowTopics& topics, std::unique_ptr<TopicReader> reader)
        : topics_(topics), reader_(std::move(reader)) {}
    const Topic& topic() const override { return reader_->topic(); }
    Result<std::vector<Readable>> readable() override { return reader_->readable(); }
    std::optional<Offset> known_end(PartitionId id) const override {
      return reader_->known_end(id);
    }
    Result<Batches> read(PartitionId id, Offset from, std::size_t max_bytes) override {
      Batches none;
      none.on_their_way = true;
      if (!topics_.arrived(from)) return none;
      return reader_->read(id, from, max_bytes);
    }
    void when_readable(PartitionId, Offset offset, Work wake) override {
      topics_.arrive_later(offset, std::move(wake));
    }

   private:
    SlowTopics& topics_;
    std::unique_ptr<TopicReader> reader_;
  };

  bool arrived(Offset offset) {
    std::lock_guard lock(mutex_);
    return arrived_[offset];
  }
  void arrive_later(Offset offset, Work wake) {
    threads_.emplace_back([this, offset, wake = std::move(wake)]() mutable {
      {
        std::lock_guard lock(mutex_);
        arrived_[offset] = true;
      }
      wake();
    });
  }

  MemoryTopics& topics_;
  std::mutex mutex_;
  std::map<Offset, bool> arrived_;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("records that are on their way are waited for") {
  Steps steps(1);
  SlowTopics slow(steps.topics);
  for (int i = 0; i < 10; ++i) steps.add(0, 1'000 + i, i);
  OutputBatches out;
  StepRecord did;
  auto task = steps.open(as_they_are, 4, &slow);
  CHECK(*task->step_to_ends(out, &did));
  CHECK(did.consumed == std::vector<StepRecord::Consumed>{{0, Offset{10}, 10}});
  CHECK(slow.waits() == 10);
  auto live = steps.values(out.take());
  SlowTopics again(steps.topics);
  auto other = steps.open(as_they_are, 3, &again);
  REQUIRE(other->repeat(did, out));
  CHECK(again.waits() == 10);
  CHECK(steps.values(out.take()) == live);
}

TEST_CASE("output that is discarded is in the batches all the same, but nowhere else") {
  Steps steps(1);
  for (int i = 0; i < 4; ++i) steps.add(0, 1'000 + i, i);
  auto task = steps.open(as_they_are + R"(, {"name": "f", "type": "sink", "input": "in",
    "files": "/rows"}, {"name": "c", "type": "sink", "input": "in", "console": true})");
  task->discard_output(true);
  OutputBatches out;
  StepRecord did = step_of(*task, out);
  CHECK(steps.values(out.take()).size() == 4);
  REQUIRE(task->commit_files());
  CHECK_FALSE(*steps.files.exists("/rows/rows.jsonl"));
  task->discard_output(false);
  steps.add(0, 2'000, 9);
  step_of(*task, out);
  REQUIRE(task->commit_files());
  CHECK(*steps.files.exists("/rows/rows.jsonl"));
}

TEST_SUITE_END();
