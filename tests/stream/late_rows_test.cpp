// What leaves a graph beside its sinks, from records to records.
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "file/file.h"
#include "plan/plan.h"
#include "stream/memory_topics.h"
#include "stream/step_output.h"
#include "stream/task.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

/// A plan of these nodes, run to its end.
struct World {
  void run(const std::string& nodes, std::size_t workers = 1) {
    auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [)" + nodes + "]}");
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    auto task = Task::open(std::move(*plan), topics, &files, clock, {.workers = workers});
    REQUIRE_MESSAGE(task.has_value(), task.error().what);
    OutputBatches out;
    for (Result<bool> more = true; more && *more;) {
      more = (*task)->step(out);
      REQUIRE_MESSAGE(more.has_value(), more.error().what);
    }
    REQUIRE((*task)->flush(out));
    for (auto& batch : out.take()) {
      topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
    }
  }
  std::vector<std::string> values(const std::string& topic) {
    std::vector<std::string> all;
    for (const auto& record : topics.records(topic, 0)) all.push_back(record.value.value_or("-"));
    return all;
  }

  MemoryTopics topics;
  SimExecutor clock;
  file::FakeFileSystem files{clock, 1};
};

}  // namespace

TEST_CASE("a late row of a file is written with the names of its side of the join") {
  World world;
  for (const char* path : {"/left", "/right"}) {
    std::string lines;
    for (int t : {1000, 90'000, 1001}) lines += fmt::format("{{\"t\":{},\"k\":1}}\n", t);
    REQUIRE(file::replace_file(world.files, path, as_bytes(lines)));
  }
  auto source = [](const char* name, const char* key) {
    return fmt::format(R"({{"name": "{0}", "type": "source", "file": "/{0}", "event_time": "{1}t",
      "columns": [{{"name": "{1}t", "type": "timestamp", "path": "$.t"}},
                  {{"name": "{1}", "type": "bigint", "path": "$.k"}}]}}, )",
                       name, key);
  };
  world.run(source("left", "a") + source("right", "b") + R"(
    {"name": "j", "type": "join", "kind": "interval", "left": "left", "right": "right",
     "keys": [{"left": "a", "right": "b"}], "lower_ms": 0, "upper_ms": 0, "late_topic": "late"},
    {"name": "out", "type": "sink", "input": "j", "topic": "out"})");
  CHECK(world.values("late") ==
        std::vector<std::string>{R"({"at":"1970-01-01T00:00:01.001Z","a":1})",
                                 R"({"bt":"1970-01-01T00:00:01.001Z","b":1})"});
}

TEST_CASE("a record that became several late rows is written once, by any number of workers") {
  for (std::size_t workers : {1, 3}) {
    CAPTURE(workers);
    World world;
    Topic topic = *world.topics.create_topic("in", 4);
    OutputBatches in;
    for (const char* json :
         {R"({"t":90000,"tags":["a"]})", R"({"t":1000,"tags":["a","b","c","d","e","f","g","h"]})",
          R"({"t":1001,"tags":["a","b","c","d","e","f","g","h"]})"}) {
      in.append({topic.id, PartitionId{0}}, 0, {}, as_bytes(std::string_view(json)));
    }
    for (auto& batch : in.take()) {
      world.topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
    }
    world.run(R"(
      {"name": "in", "type": "source", "topic": "in", "event_time": "t", "columns": [
        {"name": "t", "type": "timestamp"}, {"name": "tags", "type": "text[]"}]},
      {"name": "each", "type": "unnest", "input": "in", "column": "tags", "as": "tag"},
      {"name": "w", "type": "window", "input": "each", "window": {"kind": "session", "gap_ms": 5},
       "keys": ["tag"], "aggregates": [{"name": "n", "function": "count"}], "late_topic": "late"},
      {"name": "out", "type": "sink", "input": "w", "topic": "out"})",
              workers);
    CHECK(world.values("late") ==
          std::vector<std::string>{R"({"t":1000,"tags":["a","b","c","d","e","f","g","h"]})",
                                   R"({"t":1001,"tags":["a","b","c","d","e","f","g","h"]})"});
  }
}

TEST_CASE("bounds of windows over windows can be written for all event times that there are") {
  World world;
  Topic topic = *world.topics.create_topic("in", 3);
  std::int32_t partition = 0;
  OutputBatches in;
  for (const char* time : {"9998-12-30", "9899-01-02", "0001-01-04"}) {
    std::string json = fmt::format(R"({{"t":"{}T00:00:00Z"}})", time);
    in.append({topic.id, PartitionId{partition++}}, 0, {}, as_bytes(json));
  }
  for (auto& batch : in.take()) {
    world.topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
  }
  std::string nodes = R"({"name": "n0", "type": "source", "topic": "in", "event_time": "t",
    "columns": [{"name": "t", "type": "timestamp"}],
    "bad_records": {"policy": "dead_letter", "topic": "bad"}}, )";
  // Each ends four months behind the one before it.
  constexpr int depth = 6;
  for (int i = 1; i <= depth; ++i) {
    nodes += fmt::format(R"({{"name": "n{0}", "type": "window", "input": "n{1}",
      "window": {{"kind": "tumbling", "size_ms": 31622400000, "offset_ms": {2}}},
      "aggregates": [{{"name": "n", "function": "count"}}]}}, )",
                         i, i - 1, i % 3 * 10'540'800'000);
  }
  world.run(
      nodes +
      fmt::format(R"({{"name": "out", "type": "sink", "input": "n{}", "topic": "out"}})", depth));
  CHECK(world.values("out").size() == 2);
  CHECK(world.topics.records("bad", 0).size() == 1);
}

TEST_CASE("rejected rows come out in the order of time, then position, whatever lane had them") {
  auto context = std::make_shared<column::RowContext>();
  context->event_times_ms = {7, 7, 5};
  context->places = {0, 1, 2};
  context->runs = {{3, 0, operators::watermark_min, 0}};
  column::Chunk chunk;
  chunk.rows = 3;
  chunk.selection = column::Selection::all(3);
  chunk.context = context;
  struct Rows final : Outlet {
    Result<void> write(std::size_t, const column::Chunk&) override { return {}; }
    Result<void> write_changes(std::size_t, std::span<const column::Chunk>) override { return {}; }
    Result<void> late(std::size_t, std::size_t, const column::Chunk&) override { return {}; }
    Result<void> reject(std::size_t, const column::Schema&, const column::Chunk&, std::uint32_t row,
                        const std::string&) override {
      found.push_back(row);
      return {};
    }
    std::vector<std::uint32_t> found;
  };
  StepOutput one, other;
  one.add_rejected(0, {}, chunk, 1, "");
  other.add_rejected(0, {}, chunk, 0, "");
  other.add_rejected(0, {}, chunk, 2, "");
  StepOutput* const lanes[] = {&one, &other};
  Rows rows;
  OutputCounts counts;
  REQUIRE(StepOutput::hand_out_rest(lanes, rows, counts));
  CHECK(rows.found == std::vector<std::uint32_t>{2, 0, 1});
  CHECK(counts.rejected == 3);
}

TEST_SUITE_END();
