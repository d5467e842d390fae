// Idle partitions, bad results and rows without windows: what the model of task_test.cpp leaves
// out.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "file/file.h"
#include "stream/memory_topics.h"
#include "stream/pipeline.h"
#include "stream/task.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using namespace std::chrono_literals;
using column::Type;

namespace {

/// A task over the topic `in`, whose records are numbers with their timestamps as event time.
class Tasks {
 public:
  explicit Tasks(std::int32_t partitions) { source_ = *topics.create_topic("in", partitions); }

  void open(const plan::Plan& plan, bool watch_idle = true) {
    auto opened = Task::open(plan, topics, &files, clock, {.watch_idle = watch_idle});
    REQUIRE_MESSAGE(opened, opened.error().what);
    task = std::move(*opened);
  }
  void add(std::int32_t partition, std::int64_t time_ms, const std::string& json = R"({"n":1})",
           const char* key = nullptr) {
    record::BatchBuilder builder;
    builder.append(time_ms, key ? std::optional(as_bytes(key)) : std::nullopt, as_bytes(json));
    topics.append({source_.id, PartitionId{partition}}, builder.build(), [](auto) {});
  }
  Result<void> run(bool flush = false) {
    OutputBatches out;
    Result<bool> stepped = true;
    while (stepped && *stepped) {
      StepRecord did;
      stepped = task->step(out, &did);
      decisions.insert(decisions.end(), did.decisions.begin(), did.decisions.end());
    }
    if (stepped && flush) REQUIRE(task->flush(out));
    for (auto& batch : out.take()) {
      topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
    }
    return stepped ? Result<void>() : fail(stepped);
  }
  std::vector<std::string> values(const std::string& topic, std::int32_t partition = 0) {
    std::vector<std::string> all;
    for (const auto& record : topics.records(topic, partition)) all.push_back(*record.value);
    return all;
  }

  MemoryTopics topics;
  SimExecutor clock;
  file::FakeFileSystem files{clock, 1};
  std::unique_ptr<Task> task;
  std::vector<Decision> decisions;

 private:
  Topic source_;
};

Pipeline counts() {
  return Pipeline::from("in")
      .json({{"n", Type::bigint}})
      .tumble(1s)
      .aggregate({sum("n", "n")})
      .late_to("late");
}

}  // namespace

TEST_CASE("a silent partition holds the watermark back until it is idle, and is floored after") {
  Tasks tasks(2);
  tasks.open(*counts().idle(10s).into("out", 1));
  tasks.add(0, 1'000);
  tasks.add(0, 5'000);
  REQUIRE(tasks.run());
  CHECK(tasks.values("out").empty());
  CHECK(tasks.task->progress().held_back_by == 1);
  CHECK(tasks.task->idle_in() == 10s);

  tasks.clock.run_for(9'999ms);
  REQUIRE(tasks.run());
  CHECK(tasks.values("out").empty());
  // Partition 0 stays busy, partition 1 becomes idle.
  tasks.add(0, 6'000);
  tasks.clock.run_for(1ms);
  REQUIRE(tasks.run());
  CHECK(tasks.values("out").size() == 2);
  CHECK(tasks.task->progress().watermark == 6'000);
  CHECK(tasks.task->progress().partitions[1].idle);
  CHECK(tasks.decisions.empty());

  // Window [5 s, 6 s) is closed: what the idle partition brings for it now is late, and that this
  // is so is a decision.
  tasks.add(1, 5'500);
  tasks.add(1, 6'500);
  tasks.add(1, 8'000);
  REQUIRE(tasks.run());
  CHECK(tasks.topics.records("late", 1).size() == 1);
  CHECK(tasks.decisions == std::vector<Decision>{{1, Offset{0}, 6'000}});
  CHECK(tasks.task->progress().watermark == 6'000);
}

TEST_CASE("no partition is idle where idle times are off") {
  Tasks tasks(2);
  tasks.add(0, 1'000);
  tasks.add(0, 5'000);
  SUBCASE("in the plan") {
    tasks.open(*counts().idle({}).into("out", 1));
  }
  SUBCASE("in the run") {
    tasks.open(*counts().into("out", 1), false);
  }
  REQUIRE(tasks.run());
  tasks.clock.run_for(24h);
  REQUIRE(tasks.run());
  CHECK(tasks.values("out").empty());
  CHECK_FALSE(tasks.task->idle_in());
}

TEST_CASE("a file without event time does not hold back that of a topic beside it") {
  Tasks tasks(1);
  REQUIRE(file::replace_file(tasks.files, "/notes", as_bytes("one\ntwo\n")));
  auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [
    {"name": "notes", "type": "source", "file": "/notes", "format": "raw",
     "columns": [{"name": "line", "type": "text"}]},
    {"name": "in", "type": "source", "topic": "in", "columns": [{"name": "n", "type": "bigint"}]},
    {"name": "w", "type": "window", "input": "in", "window": {"kind": "tumbling", "size_ms": 1000},
     "aggregates": [{"name": "rows", "function": "count"}]},
    {"name": "noted", "type": "sink", "input": "notes", "topic": "noted"},
    {"name": "out", "type": "sink", "input": "w", "topic": "out"}]})");
  REQUIRE_MESSAGE(plan, plan.error().what);
  tasks.open(*plan, false);
  tasks.add(0, 1'000);
  tasks.add(0, 5'000);
  REQUIRE(tasks.run());
  CHECK(tasks.values("noted").size() == 2);
  CHECK(tasks.values("out").size() == 1);
  const Progress progress = tasks.task->progress();
  CHECK(progress.watermark == 5'000);
  CHECK(progress.held_back_by == 1);
}

TEST_CASE("a sum beyond its type fails the run, or is left out and told") {
  const std::string huge = R"({"n":9223372036854775807})";
  auto run = [&](Pipeline pipeline) {
    Tasks tasks(1);
    // Too much on the way is no harm: only the result counts.
    for (const auto& json : {huge, huge, std::string(R"({"n":-9223372036854775807})")}) {
      tasks.add(0, 1'000, json);
    }
    tasks.add(0, 2'000, huge);
    tasks.add(0, 2'000);
    tasks.open(*pipeline.into("out"));
    OutputBatches out;
    REQUIRE(tasks.run());
    auto flushed = tasks.task->flush(out);
    for (auto& batch : out.take()) {
      tasks.topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
    }
    CHECK(tasks.values("out") ==
          std::vector<std::string>{R"({"window_start":"1970-01-01T00:00:01Z",)"
                                   R"("window_end":"1970-01-01T00:00:02Z",)"
                                   R"("n":9223372036854775807})"});
    return std::pair(flushed, tasks.topics.records("dead", 0));
  };
  auto [failed, none] = run(counts());
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::bad_record);
  CHECK(failed.error().what.find("bigint out of range") != std::string::npos);
  CHECK(run(counts().skip_bad_records()).first);
  auto [told, dead] = run(counts().dead_letters_to("dead"));
  CHECK(told);
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].value->find("\"window_start\":\"1970-01-01T00:00:02Z\"") != std::string::npos);
  CHECK(dead[0].headers[0].second == "n: bigint out of range");
}

TEST_CASE("rows without a window go on as they come, merged by event time") {
  Tasks tasks(3);
  tasks.open(
      *Pipeline::from("in")
           .json({{"n", Type::bigint}, {"t", Type::text}})
           .filter(plan::call(">", {plan::col("n"), plan::literal(Type::bigint, std::int64_t{0})}))
           .project({{"text", plan::col("t")},
                     {"n", plan::col("n")},
                     {"const", plan::literal(Type::text, "x")}})
           .key_by({"text", "n"})
           .into("out", 1));
  tasks.add(1, 10, R"({"n":1,"t":"a\n"})");
  tasks.add(1, 5, R"({"n":2,"t":null})");
  tasks.add(1, 30, R"({"n":3,"t":"c"})");
  tasks.add(0, 10, R"({"n":4})");
  tasks.add(0, 20, R"({"n":0})");
  tasks.add(2, 7, R"({"n":5,"t":"d"})");
  tasks.add(2, 25, R"({"n":6,"t":"e"})");
  REQUIRE(tasks.run());
  CHECK(tasks.values("out") ==
        std::vector<std::string>{
            R"({"text":"d","n":5,"const":"x"})", R"({"text":null,"n":4,"const":"x"})",
            R"({"text":"a\n","n":1,"const":"x"})", R"({"text":null,"n":2,"const":"x"})",
            R"({"text":"e","n":6,"const":"x"})", R"({"text":"c","n":3,"const":"x"})"});
  CHECK(tasks.topics.records("out", 0)[2].key == R"({"text":"a\n","n":1})");
  CHECK(tasks.topics.records("out", 0)[2].timestamp_ms == 10);
}

TEST_CASE("dead letters keep their record, and say where it was and what is wrong") {
  Tasks tasks(2);
  tasks.open(*counts().named("sums").dead_letters_to("dead").into("out"));
  tasks.add(1, 1'234, "{\"n\":\"x\"}", "key");
  REQUIRE(tasks.run());
  auto dead = tasks.topics.records("dead", 1);
  REQUIRE(dead.size() == 1);
  CHECK(dead[0] == PlainRecord{"key",
                               "{\"n\":\"x\"}",
                               1'234,
                               {{"leat.topic", "in"},
                                {"leat.partition", "1"},
                                {"leat.offset", "0"},
                                {"leat.timestamp", "1234"},
                                {"leat.reason", "n is no bigint"},
                                {"leat.pipeline", "sums"}}});
}

TEST_CASE("topics for late and bad records must have a partition for each of the source's") {
  Tasks tasks(3);
  tasks.topics.create_topic("late", 2);
  auto task = Task::open(*counts().into("out"), tasks.topics, nullptr, tasks.clock, {});
  REQUIRE_FALSE(task);
  CHECK(task.error().what ==
        "late has 2 partitions, fewer than the 3 of what it is to take records of");
}

TEST_SUITE_END();
