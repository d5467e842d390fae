// Why nothing comes out, in sentences: a scene each.
#include "pipeline/view.h"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

constexpr std::int64_t noon_ms = 1'442'059'200'000;  // 2015-09-12T12:00:00Z

const char* windows = R"({"version": 1, "name": "p", "nodes": [
    {"name": "in", "type": "source", "topic": "edits", "event_time": "t",
     "columns": [{"name": "t", "type": "timestamp"}]},
    {"name": "w", "type": "window", "input": "in",
     "window": {"kind": "tumbling", "size_ms": 300000},
     "aggregates": [{"name": "rows", "function": "count"}]},
    {"name": "out", "type": "sink", "input": "w", "topic": "out"}]})";
const char* filters = R"({"version": 1, "name": "p", "nodes": [
    {"name": "in", "type": "source", "topic": "edits",
     "columns": [{"name": "n", "type": "bigint"}]},
    {"name": "f", "type": "filter", "input": "in",
     "condition": {"call": ">", "arguments": [{"column": "n"}, {"bigint": 7}]}},
    {"name": "out", "type": "sink", "input": "f", "topic": "out"}]})";

/// A live version that runs, over two partitions of "edits" that are read to their ends.
struct Scene {
  explicit Scene(const char* plan = windows) {
    view.name = "p";
    view.now_ms = noon_ms;
    VersionView live;
    live.version.role = Role::live;
    live.plan = *plan::parse(plan);
    live.activity = Activity::running;
    live.status.emplace();
    live.status->state = RunState::running;
    for (std::int32_t i = 0; i < 2; ++i) {
      PartitionStatus partition;
      partition.name = "edits";
      partition.partition = PartitionId{i};
      partition.position = Offset{50};
      partition.end = Offset{50};
      partition.watermark = noon_ms;
      live.status->partitions.push_back(partition);
    }
    live.status->rows_in = 100;
    live.status->watermark = noon_ms;
    live.status->held_back_by = 1;
    view.versions.push_back(std::move(live));
  }
  VersionView& live() { return view.versions.front(); }
  VersionStatus& status() { return *live().status; }
  std::string why() const { return fmt::format("{}", fmt::join(pipeline::why(view), " ")); }
  PipelineView view;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a source that is empty is named, and one that is gone") {
  Scene scene;
  for (auto& partition : scene.status().partitions) {
    partition.position = Offset{0};
    partition.end = Offset{0};
  }
  scene.status().rows_in = 0;
  CHECK(scene.why() == "Topic edits is empty: nothing was produced to it yet.");
  for (auto& partition : scene.status().partitions) partition.end.reset();
  CHECK(contains(scene.why(), "Topic edits is gone."));
}

TEST_CASE(
    "fault 35: the partition that holds event time back is named, with its time and what is waited "
    "for") {
  Scene scene;
  scene.status().partitions[1].watermark = operators::watermark_min;
  scene.status().watermark = operators::watermark_min;
  CHECK(contains(scene.why(),
                 "Event time has not begun: partition 1 of edits has given no row; "
                 "after 30 s of silence it is waited for no longer."));
  scene.status().partitions[1].watermark = noon_ms - 60'000;
  scene.status().watermark = noon_ms - 60'000;
  CHECK(contains(scene.why(),
                 "Event time is at 2015-09-12T11:59:00Z, held back by partition 1 of edits"));
  scene.status().held_back_by.reset();
  CHECK(contains(scene.why(),
                 "Event time is at 2015-09-12T11:59:00Z; all partitions are idle, so it moves when "
                 "a row comes."));
  scene.status().watermark = operators::watermark_min;
  CHECK(contains(scene.why(), "Event time has not begun; all partitions are idle, so it moves "));
}

TEST_CASE("a window that is not over says until when") {
  Scene scene;
  scene.status().watermark = noon_ms + 1000;
  CHECK(contains(scene.why(),
                 "w gives windows of 5 min when event time has passed their end, next "
                 "at 2015-09-12T12:05:00Z."));
}

TEST_CASE("rows that were all late, or filtered, are told as such") {
  Scene late;
  late.status().late = 100;
  CHECK(contains(late.why(), "All 100 rows were late"));
  Scene filtered(filters);
  CHECK(filtered.why() == "100 rows came in and none came out: the filters let none through.");
}

TEST_CASE("who is behind says by how much, how fast it is, and what holds it up") {
  Scene scene(filters);
  scene.status().rows_out = 10;
  scene.status().partitions[0].lag_records = 5000;
  scene.status().partitions[0].lag_ms = 60'000;
  scene.status().rows_in_per_s = 2500;
  scene.status().progress.seconds_left = 2;
  CHECK(scene.why() ==
        "It is 5000 records behind, and reads 2500 rows/s, which takes about 2 s more.");
  scene.status().last_commit_us = 800'000;
  CHECK(contains(scene.why(), "Commits take 800 ms: it waits for the disk."));
  scene.status().rows_in_per_s = 0;
  CHECK(contains(scene.why(), "It is 5000 records behind, and reads nothing at the moment."));
}

TEST_CASE("one that keeps up says so, and what it has lost") {
  Scene scene(filters);
  scene.status().rows_out = 60;
  CHECK(scene.why() == "It keeps up: 100 rows in, 60 out, nothing to read.");
  scene.status().bad = 3;
  CHECK(scene.why() == "3 records or rows were bad.");
}

TEST_CASE("one that recovers says how far it is, and a newer version that waits is pointed at") {
  Scene scene;
  scene.live().activity = Activity::recovering;
  scene.status().recovery.epochs_repeated = 3;
  scene.status().recovery.epochs_to_repeat = 10;
  CHECK(scene.why() == "It is recovering: 3 of 10 epochs behind its snapshot are repeated.");
  VersionView second;
  second.version.number = 2;
  scene.view.versions.push_back(second);
  CHECK(contains(scene.why(),
                 "Version 2 is deployed and not at work: `leat pipeline replay p "
                 "--version 2 --promote`"));
}

TEST_SUITE_END();
