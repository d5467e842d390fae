// What runs in the foreground say of themselves.
#include "tools/foreground_run.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "base/clock.h"
#include "file/file.h"
#include "file/posix_file_system.h"
#include "pipeline/memory_epochs.h"
#include "stream/memory_topics.h"

namespace leat::tools {
namespace {

/// Plans over topics in memory and files, at work until they are stopped.
struct Ground {
  Ground() {
    directory = (std::filesystem::temp_directory_path() / "leat-foreground-XXXXXX").string();
    REQUIRE(mkdtemp(directory.data()) != nullptr);
  }
  ~Ground() { std::filesystem::remove_all(directory); }
  void add(const std::string& topic, std::int64_t time_ms, const std::string& key,
           const std::string& json) {
    auto found = topics.find_topic(topic);
    if (!found) found = topics.create_topic(topic, 1);
    record::BatchBuilder builder;
    builder.append(time_ms, as_bytes(key), as_bytes(json));
    topics.append({found->id, PartitionId{0}}, builder.build(), [](const auto&) {});
  }
  /// What it says when it has read so many rows.
  RunFigures figures_behind(std::uint64_t rows, const std::string& nodes) {
    auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [)" + nodes + "]}");
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    auto run = make_plain_run(std::move(*plan), {topics, files, clock}, false);
    REQUIRE_MESSAGE(run.has_value(), run.error().what);
    return figures_behind(rows, **run);
  }
  static RunFigures figures_behind(std::uint64_t rows, ForegroundRun& run) {
    run.start();
    while (run.figures().is_running && run.figures().rows_in < rows) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    RunFigures figures = run.figures();
    run.stop();
    REQUIRE(run.wait());
    return figures;
  }

  std::string directory;
  SystemClock clock;
  file::PosixFileSystem files;
  stream::MemoryTopics topics;
  pipeline::MemoryEpochs epochs{topics};
};

}  // namespace

TEST_SUITE_BEGIN("tools");

TEST_CASE("a table that is looked up is not ahead of those who hold event time back") {
  Ground ground;
  REQUIRE(ground.topics.create_topic("orders", 1));
  ground.add("items", 900'000, "a", R"({"name": "apple"})");
  auto figures = ground.figures_behind(1, R"(
    {"name": "orders", "type": "source", "topic": "orders", "idle_ms": 0,
     "columns": [{"name": "item", "type": "text"}]},
    {"name": "items", "type": "source", "topic": "items", "upsert": true,
     "columns": [{"name": "id", "type": "text", "from": "key"}, {"name": "name", "type": "text"}]},
    {"name": "named", "type": "join", "kind": "table", "left": "orders", "right": "items",
     "keys": [{"left": "item", "right": "id"}]},
    {"name": "out", "type": "sink", "input": "named", "topic": "out"})");
  CHECK(figures.event_time ==
        "event time has not begun, held back by partition 0 of orders, which has given no row");
  CHECK(figures.held_back_by.empty());
}

TEST_CASE("of partitions with event time the one behind others is named") {
  Ground ground;
  ground.add("orders", 1'000, "o", "{}");
  ground.add("clicks", 900'000, "a", "{}");
  auto figures = ground.figures_behind(2, R"(
    {"name": "orders", "type": "source", "topic": "orders", "idle_ms": 0,
     "columns": [{"name": "n", "type": "bigint"}]},
    {"name": "clicks", "type": "source", "topic": "clicks", "idle_ms": 0,
     "columns": [{"name": "n", "type": "bigint"}]},
    {"name": "all", "type": "union", "inputs": ["orders", "clicks"]},
    {"name": "out", "type": "sink", "input": "all", "topic": "out"})");
  CHECK(figures.held_back_by == "partition 0 of orders");
}

TEST_CASE("of rows without event time none is told") {
  Ground ground;
  std::string notes = ground.directory + "/notes";
  REQUIRE(file::replace_file(ground.files, notes, as_bytes("one\ntwo\n")));
  auto figures = ground.figures_behind(2, R"(
    {"name": "notes", "type": "source", "format": "raw",
     "columns": [{"name": "line", "type": "text"}], "file": ")" +
                                              notes + R"("},
    {"name": "out", "type": "sink", "input": "notes", "topic": "out"})");
  CHECK(figures.event_time == "nothing that it reads has an event time");
  CHECK(figures.held_back_by.empty());
}

TEST_CASE("a run whose input is gone says what helps one that nobody has deployed") {
  Ground ground;
  for (int i = 0; i < 3; ++i) ground.add("in", 1'000, "k", "{}");
  auto start = [&] {
    auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [
      {"name": "in", "type": "source", "topic": "in", "columns": [{"name": "n", "type": "bigint"}]},
      {"name": "out", "type": "sink", "input": "in", "topic": "out"}]})");
    REQUIRE(plan.has_value());
    return make_resuming_run(std::move(*plan), {ground.topics, ground.files, ground.clock},
                             {ground.epochs, ground.directory});
  };
  CHECK(Ground::figures_behind(3, *start()).rows_in == 3);
  for (int i = 0; i < 3; ++i) ground.add("in", 1'000, "k", "{}");
  ground.topics.trim({ground.topics.find_topic("in")->id, PartitionId{0}}, Offset{5});
  auto run = start();
  run->start();
  auto ended = run->wait();
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().what ==
        "the next record to read, offset 3 of partition 0 of in, was deleted: its records are 5 to "
        "6 now; put the topic back as it was, from a backup, and run it again, or run it with "
        "--fresh, with which it begins at the start of its topics, and what it wrote stays");
}

TEST_SUITE_END();

}  // namespace leat::tools
