// Pipelines embedded over a data directory.
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "leat/runtime.h"
#include "leat/stream.h"

TEST_SUITE_BEGIN("flow");

namespace leat::flow {
namespace {

using namespace std::chrono_literals;

/// A folder that goes when the test has ended.
struct Folder {
  Folder() {
    char name[] = "/tmp/leat-flow-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

void append(Runtime& runtime, const std::string& value) {
  runtime.append({.topic = "in", .value = value});
}

void add_count(Pipeline& pipeline,
               std::optional<std::chrono::milliseconds> ahead_max = std::chrono::hours(24)) {
  pipeline.from("in", {{"time", Type::timestamp}}, {.event_time = "time", .ahead_max = ahead_max})
      .window(tumbling(1s))
      .aggregate({count().as("n")})
      .named("counts")
      .to("out");
}

}  // namespace

TEST_CASE("a batch over a data directory reads it to its end, and its output stays there") {
  Folder folder;
  {
    Runtime runtime({.directory = folder.path});
    runtime.create_topic("in", 1);
    for (int i = 0; i < 10; ++i) append(runtime, R"({"time":)" + std::to_string(i * 300) + "}");
    Pipeline pipeline("counts");
    add_count(pipeline);
    Run run = runtime.run(pipeline, {.at_end = AtEnd::flush});
    run.wait();
    RunStatus status = run.status();
    CHECK(status.state == RunStatus::State::finished);
    CHECK(status.rows_in == 10);
    CHECK(status.rows_out == 3);
    REQUIRE(status.partitions.size() == 1);
    CHECK(status.partitions[0].source == "in");
    CHECK(status.partitions[0].position == 10);
    CHECK(status.partitions[0].end == 10);
  }
  Runtime again({.directory = folder.path});
  Pipeline copy("copy");
  copy.from("out", {{"n", Type::bigint}}).to("copied");
  Run run = again.run(copy, {.at_end = AtEnd::stop});
  run.wait();
  CHECK(run.status().rows_in == 3);
}

TEST_CASE("results may be of times before 1970, and of windows that end long from now") {
  Folder folder;
  Runtime runtime({.directory = folder.path});
  runtime.create_topic("in", 1);
  append(runtime, R"({"time":"1931-05-06T07:08:09Z"})");
  append(runtime, R"({"time":"2999-12-31T23:59:59Z"})");
  Pipeline pipeline("counts");
  add_count(pipeline, std::nullopt);
  Run run = runtime.run(pipeline, {.at_end = AtEnd::flush});
  run.wait();
  CHECK(run.status().rows_out == 2);
}

TEST_CASE("a live run takes what comes, and is drained") {
  Folder folder;
  Runtime runtime({.directory = folder.path});
  runtime.create_topic("in", 1);
  Pipeline pipeline("counts");
  add_count(pipeline);
  Run run = runtime.run(pipeline);
  CHECK(run.status().state == RunStatus::State::running);
  append(runtime, R"({"time":1})");
  append(runtime, R"({"time":2})");
  run.drain();
  run.wait();
  CHECK(run.status().rows_in == 2);
  CHECK(run.status().rows_out == 1);
}

TEST_CASE("many records are appended at once, and a run begins where it is told to") {
  Folder folder;
  Runtime runtime({.directory = folder.path});
  runtime.create_topic("in", 2);
  const std::string padding(100, 'x');
  constexpr int records = 20'000;
  for (int i = 0; i < records; ++i) {
    std::string value = R"({"time":)" + std::to_string(i) + R"(,"p":")" + padding + "\"}";
    runtime.send({.topic = "in",
                  .value = value,
                  .partition = i % 2,
                  .timestamp = Timestamp(std::chrono::milliseconds(i))});
  }
  CHECK_THROWS_AS(runtime.send({.topic = "nowhere"}), Error);
  CHECK_THROWS_AS(runtime.send({.topic = "in", .partition = 2}), Error);
  // Behind those that were sent.
  CHECK(runtime.append({.topic = "in", .value = R"({"time":30000})", .partition = 1}) ==
        records / 2);
  Pipeline pipeline("copy");
  pipeline.from("in", {{"time", Type::timestamp}}, {.event_time = "time"}).to("out");
  auto rows = [&](StartAt from) {
    Run run = runtime.run(pipeline, {.from = from, .at_end = AtEnd::stop});
    run.wait();
    return run.status().rows_in;
  };
  CHECK(rows({}) == records + 1);
  CHECK(rows({.offsets = {{"in", 0, records / 2}}}) == records / 2 + 1);
  CHECK(rows({.time = Timestamp(15s)}) == 5'000 + 1);
  CHECK(rows({.time = Timestamp(15s), .offsets = {{"in", 1, 0}}}) == 2'500 + records / 2 + 1);
  CHECK_THROWS_AS(rows({.offsets = {{"in", 2, 0}}}), Error);
  CHECK_THROWS_AS(rows({.offsets = {{"else", 0, 0}}}), Error);
  CHECK_THROWS_AS(rows({.offsets = {{"in", 0, records}}}), Error);
}

TEST_CASE("a status names the partition that holds event time back") {
  Folder folder;
  Runtime runtime({.directory = folder.path});
  runtime.create_topic("in", 2);
  Pipeline pipeline("counts");
  add_count(pipeline);
  runtime.append({.topic = "in", .value = R"({"time":7000})", .partition = 0});
  Run run = runtime.run(pipeline, {.at_end = AtEnd::stop});
  run.wait();
  RunStatus status = run.status();
  CHECK_FALSE(status.event_time);
  REQUIRE(status.held_back_by == 1);
  CHECK_FALSE(status.partitions[1].event_time);
  CHECK(status.partitions[0].event_time == Timestamp(7s));
}

TEST_CASE("what cannot be run is said, and a run that fails says why") {
  Folder folder;
  Runtime runtime({.directory = folder.path});
  CHECK_THROWS_AS(Runtime({.directory = folder.path}), Error);
  Pipeline pipeline("counts");
  add_count(pipeline);
  CHECK_THROWS_AS(runtime.run(pipeline), Error);
  runtime.create_topic("in", 1);
  append(runtime, "no row");
  Run run = runtime.run(pipeline, {.at_end = AtEnd::flush});
  CHECK_THROWS_AS(run.wait(), Error);
  CHECK(run.status().state == RunStatus::State::failed);
  CHECK_FALSE(run.status().error.empty());
}

}  // namespace leat::flow

TEST_SUITE_END();
