// Recorded steps, done again: random plans over random logs give the same batches, byte for byte,
// whatever the number of workers, the size of blocks and reads, and wherever the repeating begins.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/clock.h"
#include "interpreter/random_pipeline.h"
#include "interpreter/varied_plan.h"
#include "stream/memory_topics.h"
#include "stream/task.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using namespace std::chrono_literals;

namespace {

/// What a step gave, by topic and partition.
using Given = std::map<std::pair<std::string, std::int32_t>, std::vector<Bytes>>;

/// A step as a pipeline keeps it, and what it gave.
struct Recorded {
  Bytes step;
  Given given;
};

StepRecord decoded(const Bytes& bytes) {
  ByteReader reader(bytes);
  auto step = StepRecord::decode(reader);
  REQUIRE(step);
  return *step;
}

std::string text_of(const Given& given) {
  std::string text;
  for (const auto& [where, batches] : given) {
    text += fmt::format("{} {}:\n", where.first, where.second);
    for (const Bytes& batch : batches) {
      auto view = record::BatchView::parse(batch);
      record::RecordIterator records(*view);
      text += "  batch\n";
      while (const record::Record* record = records.next()) {
        text += fmt::format("    {} {} {}", record->timestamp_ms,
                            record->key ? as_text(*record->key) : "-",
                            record->value ? as_text(*record->value) : "-");
        for (const auto& header : record->headers) {
          text += fmt::format(" {}={}", header.key, as_text(*header.value));
        }
        text += "\n";
      }
    }
  }
  return text;
}

class SlowClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000 + passed_ / 1ms; }
  std::chrono::nanoseconds monotonic() const override { return passed_; }
  void pass(std::chrono::nanoseconds time) { passed_ += time; }

 private:
  std::chrono::nanoseconds passed_{0};
};

/// Topics with a plan's logs, a few records more at a time.
class Logs {
 public:
  Logs(const std::map<std::string, interpreter::Log>& logs, Random& random)
      : logs_(logs), random_(random) {
    for (const auto& [name, log] : logs_) {
      REQUIRE(topics.create_topic(name, static_cast<std::int32_t>(log.partitions.size())));
      next_[name].resize(log.partitions.size(), 0);
    }
  }

  /// False if there were none left. Some partitions are silent for a while.
  bool append_some(std::size_t records_max) {
    bool any = false;
    for (const auto& [name, log] : logs_) {
      Topic topic = *topics.find_topic(name);
      for (std::size_t p = 0; p < log.partitions.size(); ++p) {
        std::size_t& next = next_[name][p];
        any = any || next < log.partitions[p].size();
        if (random_.one_in(3)) continue;
        std::size_t count = std::min(log.partitions[p].size() - next, random_.below(records_max));
        append({topic.id, PartitionId{static_cast<std::int32_t>(p)}},
               std::span(log.partitions[p]).subspan(next, count));
        next += count;
      }
    }
    return any;
  }

  MemoryTopics topics;

 private:
  void append(const TopicPartition& partition, std::span<const interpreter::Record> records) {
    record::BatchBuilder builder;
    auto bytes = [](const std::optional<std::string>& text) {
      return text ? std::optional(as_bytes(*text)) : std::nullopt;
    };
    for (const auto& record : records) {
      std::vector<record::Header> headers;
      for (const auto& [name, text] : record.headers) headers.push_back({name, as_bytes(text)});
      builder.append(record.timestamp_ms, bytes(record.key), bytes(record.value), headers);
      if (!random_.one_in(8)) continue;
      topics.append(partition, builder.build(), [](auto) {});
    }
    if (!builder.empty()) topics.append(partition, builder.build(), [](auto) {});
  }

  const std::map<std::string, interpreter::Log>& logs_;
  Random& random_;
  std::map<std::string, std::vector<std::size_t>> next_;
};

/// A task with whatever must not matter drawn anew.
class AnyTask {
 public:
  AnyTask(const plan::Plan& plan, MemoryTopics& topics, const Clock& clock, Random& random)
      : plan_(plan), topics_(topics), clock_(clock), random_(random) {
    open();
  }
  void open() {
    Task::Options options;
    options.exact = true;
    options.watch_idle = true;
    options.workers = 1 + random_.below(4);
    options.block_rows = std::vector<std::size_t>{1, 5, 64, 1024, 3000}[random_.below(5)];
    options.read_bytes = std::vector<std::size_t>{1, 500, 1 << 20}[random_.below(3)];
    auto task = Task::open(plan_, topics_, nullptr, clock_, options);
    REQUIRE_MESSAGE(task.has_value(), task.error().what);
    task_ = std::move(*task);
    task_->discard_output(random_.one_in(2));
  }
  void restore(const Bytes& snapshot) {
    open();
    auto restored = task_->restore(snapshot);
    REQUIRE_MESSAGE(restored.has_value(), restored.error().what);
  }
  Task* operator->() { return task_.get(); }

  Given take() {
    Given given;
    for (auto& [partition, bytes] : out.take()) {
      given[{name_of(partition.topic_id), partition.partition.value()}].push_back(std::move(bytes));
    }
    return given;
  }

  OutputBatches out;

 private:
  std::string name_of(const Uuid& id) {
    if (names_.empty()) {
      for (const auto& topic : topics_.topics()) names_[topic.id] = topic.name;
    }
    return names_.at(id);
  }

  const plan::Plan& plan_;
  MemoryTopics& topics_;
  const Clock& clock_;
  Random& random_;
  std::unique_ptr<Task> task_;
  std::map<Uuid, std::string> names_;
};

/// A plan with more ways out than the generator's, and tables.
plan::Plan random_plan(Random& random) {
  plan::Plan plan = interpreter::random_pipeline(random, static_cast<int>(random.between(1, 5)));
  auto dead = [&](plan::BadRows& rows) {
    if (random.one_in(3)) return;
    rows.policy = plan::BadRows::Policy::dead_letter;
    rows.topic = random.one_in(2) ? "dead" : "aside";
  };
  dead(plan.bad_rows);
  for (auto& node : plan.nodes) {
    auto late = [&](auto& body) {
      if constexpr (requires { body.late_topic; }) {
        if (random.one_in(3)) body.late_topic = random.one_in(2) ? "late" : "aside";
      }
    };
    std::visit(late, node.body);
    if (auto* source = std::get_if<plan::Source>(&node.body)) {
      dead(source->bad_records);
      source->idle_ms = random.between(20, 60);
    }
    auto* sink = std::get_if<plan::Sink>(&node.body);
    if (sink == nullptr) continue;
    sink->partitions = static_cast<std::uint32_t>(random.below(4));
    if (random.one_in(2)) continue;
    plan::Sink before = *sink;
    auto bound = plan::bind(plan);
    REQUIRE(bound);
    const auto& schema = bound->nodes[static_cast<std::size_t>(&node - plan.nodes.data())].schema;
    sink->keys = {schema[random.below(schema.size())].name};
    if (random.one_in(2)) sink->changes = plan::Sink::Changes::upsert;
    if (!plan::bind(plan)) *sink = std::move(before);
  }
  auto bound = plan::bind(plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  return plan;
}

/// One plan over one log, run live and done again.
class Trial {
 public:
  explicit Trial(std::uint64_t seed, int records) : random_(seed) {
    plan_ = random_plan(random_);
    many_ = records > 1000;
    logs_["a"] = interpreter::random_log(random_, 1 + random_.below(4), records);
    logs_["b"] = interpreter::random_log(random_, 1 + random_.below(3), records / 2);
    if (seed % 2 == 0) return;
    interpreter::vary(random_, plan_);
    interpreter::vary_logs(random_, plan_, logs_);
  }
  const plan::Plan& plan() const { return plan_; }

  void run() {
    Logs live(logs_, random_);
    if (random_.one_in(4)) {
      while (append(live)) continue;
    }
    AnyTask task(plan_, live.topics, clock_, random_);
    go_on(live, task);

    // From the start, over records that came in other batches, all at once.
    Logs again(logs_, random_);
    while (append(again)) continue;
    AnyTask other(plan_, again.topics, clock_, random_);
    std::size_t stop = random_.below(steps_.size() + 1);
    repeat(other, 0, random_.one_in(3) ? stop : steps_.size());

    // From a snapshot.
    if (!snapshots_.empty()) {
      const auto& [before, snapshot] = snapshots_[random_.below(snapshots_.size())];
      AnyTask later(plan_, again.topics, clock_, random_);
      later.restore(snapshot);
      repeat(later, before, steps_.size());
    }

    // Going on live behind some steps, all of which is done again.
    if (!random_.one_in(3)) return;
    AnyTask third(plan_, again.topics, clock_, random_);
    repeat(third, 0, stop);
    steps_.resize(stop);
    std::erase_if(snapshots_, [&](const auto& one) { return one.first > stop; });
    go_on(again, third);
    AnyTask last(plan_, live.topics, clock_, random_);
    repeat(last, 0, steps_.size());
  }

 private:
  bool append(Logs& logs) { return logs.append_some(many_ ? 2'000 : 20); }

  // Runs until nothing is left, and writes down what it does.
  void go_on(Logs& logs, AnyTask& task) {
    bool more = true, stepped = true;
    while (more || stepped) {
      more = append(logs);
      clock_.pass(std::chrono::milliseconds(random_.below(30)));
      stepped = step(task);
      if (random_.one_in(8)) snapshots_.emplace_back(steps_.size(), task->snapshot());
      if (random_.one_in(10)) task.restore(task->snapshot());
    }
    if (random_.one_in(4)) return;
    StepRecord did;
    auto flushed = task->flush(task.out, &did);
    REQUIRE_MESSAGE(flushed.has_value(), flushed.error().what);
    keep(did, task);
  }

  bool step(AnyTask& task) {
    StepRecord did;
    auto stepped =
        random_.one_in(4) ? task->step_to_ends(task.out, &did) : task->step(task.out, &did);
    REQUIRE_MESSAGE(stepped.has_value(), stepped.error().what);
    keep(did, task);
    return *stepped;
  }

  void keep(const StepRecord& did, AnyTask& task) {
    Given given = task.take();
    if (!did.moved) {
      REQUIRE(given.empty());
      return;
    }
    Bytes bytes;
    ByteWriter writer(bytes);
    did.encode(writer);
    steps_.push_back({std::move(bytes), std::move(given)});
    REQUIRE(decoded(steps_.back().step) == did);
  }

  void repeat(AnyTask& task, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      CAPTURE(i);
      auto repeated = task->repeat(decoded(steps_[i].step), task.out);
      REQUIRE_MESSAGE(repeated.has_value(), repeated.error().what);
      Given given = task.take();
      if (given != steps_[i].given) REQUIRE(text_of(given) == text_of(steps_[i].given));
      REQUIRE(given == steps_[i].given);
      if (random_.one_in(10)) task.restore(task->snapshot());
    }
  }

  Random random_;
  SlowClock clock_;
  plan::Plan plan_;
  bool many_;
  std::map<std::string, interpreter::Log> logs_;
  std::vector<Recorded> steps_;
  std::vector<std::pair<std::size_t, Bytes>> snapshots_;  // and the number of steps before
};

std::uint64_t number(const char* name, std::uint64_t usual) {
  const char* wanted = std::getenv(name);
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : usual;
}

void try_seed(std::uint64_t seed, int records) {
  CAPTURE(seed);
  Trial trial(seed, records);
  CAPTURE(plan::print(trial.plan()));
  trial.run();
}

}  // namespace

TEST_CASE("recorded steps of random plans give the same bytes again, however they are done") {
  std::uint64_t first = number("LEAT_SIM_FIRST", 1);
  std::uint64_t count = number("LEAT_SIM_SEEDS", 300);
  for (std::uint64_t seed = first; seed < first + count; ++seed) try_seed(seed, 80);
}

TEST_CASE("recorded steps of many rows give the same bytes again, however they are done") {
  std::uint64_t first = number("LEAT_SIM_FIRST", 1);
  std::uint64_t count = number("LEAT_SIM_SEEDS", 300) / 60;
  for (std::uint64_t seed = first; seed < first + count; ++seed) try_seed(seed, 12'000);
}

TEST_SUITE_END();
