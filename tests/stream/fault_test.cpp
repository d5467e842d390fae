// What faults look like in a pipeline: tests/README.md has the table.
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "stream/memory_topics.h"
#include "stream/runner.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using namespace std::chrono_literals;

namespace {

/// Two clocks, of which people set the one.
class SetClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return wall_; }
  std::chrono::nanoseconds monotonic() const override { return now_; }
  void pass(std::chrono::nanoseconds time) {
    now_ += time;
    wall_ += time / 1ms;
  }
  void set_by(std::chrono::milliseconds jump) { wall_ += jump.count(); }

 private:
  std::int64_t wall_ = 1'700'000'000'000;
  std::chrono::nanoseconds now_{0};
};

constexpr auto year = 366 * 24h;

const std::string columns = R"("columns": [
  {"name": "at", "type": "timestamp"}, {"name": "n", "type": "bigint"},
  {"name": "d", "type": "double"}, {"name": "s", "type": "text"}])";

/// A source "in" of `topic` with what else it says, and nodes behind it.
plan::Plan plan_of(const std::string& source, const std::string& nodes,
                   const std::string& rest = "") {
  auto plan = plan::parse(R"({"version": 1, "name": "p", )" + rest +
                          R"("nodes": [{"name": "in", "type": "source", "event_time": "at", )" +
                          source + ", " + columns + "}, " + nodes + "]}");
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  return std::move(*plan);
}

const std::string copy = R"({"name": "out", "type": "sink", "input": "in", "topic": "out"})";
const std::string per_second = R"({"name": "sums", "type": "window", "input": "in",
  "window": {"kind": "tumbling", "size_ms": 1000}, "late_topic": "late", "keys": ["s"],
  "aggregates": [{"name": "n", "function": "sum", "argument": {"column": "n"}}]},
  {"name": "out", "type": "sink", "input": "sums", "topic": "out", "partitions": 1})";

/// Topics, and tasks over them.
struct World {
  explicit World(std::int32_t partitions = 1) { topics.create_topic("in", partitions); }

  void add(const std::string& value, std::int32_t partition = 0, std::int64_t time_ms = 1'000) {
    record::BatchBuilder builder;
    const std::vector<record::Header> headers{{"own", as_bytes("header")}};
    builder.append(time_ms, as_bytes("key"), as_bytes(value), headers);
    topics.append({topics.find_topic("in")->id, PartitionId{partition}}, builder.build(),
                  [](auto) {});
  }
  void add_event(std::int64_t at_ms, std::int64_t n, std::int32_t partition = 0) {
    add(fmt::format(R"({{"at":{},"n":{},"s":"k"}})", at_ms, n), partition);
  }
  void open(const plan::Plan& plan, const Task::Options& options = {}) {
    auto opened = Task::open(plan, topics, nullptr, clock, options);
    REQUIRE_MESSAGE(opened.has_value(), opened.error().what);
    task = std::move(*opened);
  }
  Result<void> steps() {
    OutputBatches out;
    Result<bool> stepped = true;
    while (stepped && *stepped) stepped = task->step(out);
    write(out);
    return stepped ? Result<void>() : fail(stepped);
  }
  Result<void> flush() {
    OutputBatches out;
    auto flushed = task->flush(out);
    write(out);
    return flushed;
  }
  Result<void> run(const plan::Plan& plan, const Task::Options& options = {}) {
    open(plan, options);
    if (auto ok = steps(); !ok) return ok;
    return flush();
  }
  std::vector<std::string> values(const std::string& topic) {
    std::vector<std::string> all;
    for (const auto& record : topics.records(topic, 0)) all.push_back(record.value.value_or("-"));
    return all;
  }

  MemoryTopics topics;
  SetClock clock;
  std::unique_ptr<Task> task;

 private:
  void write(OutputBatches& out) {
    for (auto& batch : out.take()) {
      topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
    }
  }
};

struct Poison {
  std::string value;
  std::string reason;
};

const std::vector<Poison> poison{
    {R"({"at":1000,"n":)", "not JSON: "},
    {"", "not JSON: "},
    {"[1]", "not a JSON object"},
    {R"({"at":1000,"n":"1"})", "n is no bigint"},
    {R"({"at":1000,"n":1.5})", "n is no bigint"},
    {"{\"at\":1000,\"s\":\"\xff\xfe\"}", "not JSON: "},
    {R"({"at":1000,"x":)" + std::string(100'000, '['), "not JSON: "},
    {R"({"at":1000,"d":NaN})", "not JSON: "},
    {R"({"at":1000,"d":1e999})", "d is no double"},
    {R"({"at":1000,"n":9223372036854775808})", "n is no bigint"},
    {R"({"at":"yesterday"})", "at is no timestamp"},
    {R"({"n":1})", "no event time"},
};

}  // namespace

TEST_CASE("fault 32: a poison message fails the run, each time at the same record") {
  for (const auto& [value, reason] : poison) {
    CAPTURE(value.substr(0, 40));
    World world;
    world.add_event(1'000, 1);
    world.add(value);
    world.add_event(1'000, 2);
    for (int turn = 0; turn < 2; ++turn) {
      auto ran = world.run(plan_of(R"("topic": "in")", copy));
      REQUIRE_FALSE(ran.has_value());
      CHECK(ran.error().code == Errc::bad_record);
      CHECK(ran.error().what.starts_with("pipeline p: record 1 of partition 0 of in: "));
      CHECK_MESSAGE(ran.error().what.find(reason) != std::string::npos, ran.error().what);
      // Who begins again where it stands meets it again: it is never passed by in silence.
      CHECK(world.task->progress().partitions[0].position == Offset{1});
      CHECK(world.values("out").size() == static_cast<std::size_t>(turn + 1));
    }
  }
}

TEST_CASE("fault 32: what is skipped is counted, and the rest goes on") {
  World world;
  for (const auto& each : poison) world.add(each.value), world.add_event(1'000, 1);
  auto plan = plan_of(R"("topic": "in", "bad_records": {"policy": "skip"})", copy);
  REQUIRE(world.run(plan).has_value());
  CHECK(world.values("out").size() == poison.size());
  CHECK(world.task->progress().bad == poison.size());
}

TEST_CASE("fault 32: dead letters have the bytes, where they were and why, and can be read again") {
  World world;
  for (const auto& each : poison) world.add(each.value);
  world.add_event(1'000, 1);
  const std::string dead_letters = R"("bad_records": {"policy": "dead_letter", "topic": "dead"})";
  REQUIRE(world.run(plan_of(R"("topic": "in", )" + dead_letters, copy)).has_value());
  CHECK(world.task->progress().bad == poison.size());
  auto dead = world.topics.records("dead", 0);
  REQUIRE(dead.size() == poison.size());
  for (std::size_t i = 0; i < dead.size(); ++i) {
    CAPTURE(i);
    CHECK(dead[i].value == poison[i].value);
    CHECK(dead[i].key == "key");
    CHECK(dead[i].timestamp_ms == 1'000);
    REQUIRE(dead[i].headers.size() == 7);
    CHECK(dead[i].headers[0] == std::pair<std::string, std::string>("own", "header"));
    CHECK(dead[i].headers[3] ==
          std::pair<std::string, std::string>("leat.offset", std::to_string(i)));
    CHECK(dead[i].headers[5].second.find(poison[i].reason) != std::string::npos);
  }
  // The same pipeline with other columns takes of them what it can.
  auto again = plan_of(R"("topic": "dead", "bad_records":
                          {"policy": "dead_letter", "topic": "dead again"})",
                       R"({"name": "out", "type": "sink", "input": "in", "topic": "mended"})");
  auto& source = std::get<plan::Source>(again.nodes[0].body);
  source.columns[1].type = *plan::parse_type("decimal(20,1)");
  REQUIRE(world.run(again).has_value());
  CHECK(world.values("mended") ==
        std::vector<std::string>{
            R"({"at":"1970-01-01T00:00:01Z","n":1.5,"d":null,"s":null})",
            R"({"at":"1970-01-01T00:00:01Z","n":9223372036854775808.0,"d":null,"s":null})"});
  auto rest = world.topics.records("dead again", 0);
  REQUIRE(rest.size() == poison.size() - 2);
  CHECK(rest[0].value == poison[0].value);
  // The last header of a name counts.
  CHECK(rest[0].headers.back().first == "leat.pipeline");
  CHECK(rest[0].headers[7] == std::pair<std::string, std::string>("leat.topic", "dead"));
}

TEST_CASE(
    "fault 33: fields that appear or vanish are nothing or NULL, another type is a bad record") {
  World world;
  world.add(R"({"at":1000,"n":1,"s":"a"})");
  world.add(R"({"at":1000,"n":2,"s":"b","new":{"x":[1]}})");
  world.add(R"({"at":1000,"s":"c"})");
  world.add(R"({"at":1000,"n":{"value":4},"s":"d"})");
  world.add(R"({"at":1000,"n":5,"s":6})");
  auto plan = plan_of(R"("topic": "in", "bad_records": {"policy": "skip"})", copy);
  REQUIRE(world.run(plan).has_value());
  CHECK(world.values("out") ==
        std::vector<std::string>{R"({"at":"1970-01-01T00:00:01Z","n":1,"d":null,"s":"a"})",
                                 R"({"at":"1970-01-01T00:00:01Z","n":2,"d":null,"s":"b"})",
                                 R"({"at":"1970-01-01T00:00:01Z","n":null,"d":null,"s":"c"})"});
  CHECK(world.task->progress().bad == 2);
}

TEST_CASE("fault 33: the state of another plan is refused, with what differs") {
  World world;
  world.add_event(1'000, 1);
  auto plan = plan_of(R"("topic": "in")", per_second);
  world.open(plan);
  REQUIRE(world.steps().has_value());
  Bytes snapshot = world.task->snapshot();
  auto complaint = [&](const plan::Plan& other) {
    world.open(other);
    auto restored = world.task->restore(snapshot);
    if (restored) return std::string();
    CHECK(restored.error().code == Errc::snapshot_mismatch);
    const std::string prefix = "the snapshot is of another plan than p: ";
    CHECK(restored.error().what.starts_with(prefix));
    return restored.error().what.substr(prefix.size());
  };
  auto changed = [&](const std::string& from, const std::string& to) {
    std::string nodes = per_second;
    nodes.replace(nodes.find(from), from.size(), to);
    return plan_of(R"("topic": "in")", nodes);
  };
  CHECK(complaint(plan) == "");
  CHECK(complaint(changed("1000", "2000")) ==
        "nodes[1] 'sums' window.size_ms was 1000 and is 2000");
  CHECK(complaint(changed(R"("keys": ["s"],)", "")) ==
        R"(nodes[1] 'sums' keys was ["s"] and is not there)");
  CHECK(complaint(changed("\"sum\"", "\"max\"")) ==
        R"(nodes[1] 'sums' aggregates[0] 'n' function was "sum" and is "max")");
  auto other_type = plan;
  std::get<plan::Source>(other_type.nodes[0].body).columns[1].type =
      *plan::parse_type("decimal(9,0)");
  CHECK(complaint(other_type) ==
        R"x(nodes[0] 'in' columns[1] 'n' type was "bigint" and is "decimal(9,0)")x");
  // Where results go is no state.
  CHECK(complaint(changed("\"topic\": \"out\"", "\"topic\": \"elsewhere\"")) == "");
  CHECK(complaint(changed("\"late\"", "\"later\"")) == "");

  // Nor is that of a topic that has more partitions now.
  World wider(2);
  wider.open(plan);
  auto restored = wider.task->restore(snapshot);
  REQUIRE_FALSE(restored.has_value());
  CHECK(restored.error().what ==
        "the snapshot is of another number of partitions than the 2 that nodes[0] 'in' has");
}

TEST_CASE("fault 34: late events are counted and kept aside, and are the same ones in a replay") {
  Random random(34);
  World world(3);
  std::vector<std::int64_t> times(3, 10'000);
  for (int i = 0; i < 3'000; ++i) {
    auto p = random.below(3);
    times[p] += random.between(0, 60);
    world.add_event(times[p] - (random.one_in(10) ? random.between(0, 5'000) : 0), i,
                    static_cast<std::int32_t>(p));
  }
  auto story = [&](std::size_t block_rows, std::size_t workers, const std::string& suffix) {
    std::string nodes = per_second;
    for (const std::string name : {"late", "out"}) {
      auto at = nodes.find("opic\": \"" + name + "\"");
      nodes.replace(at + 8, name.size(), name + suffix);
    }
    REQUIRE(
        world
            .run(plan_of(R"("topic": "in")", nodes), {.block_rows = block_rows, .workers = workers})
            .has_value());
    std::vector<std::vector<PlainRecord>> all;
    for (std::int32_t p = 0; p < 3; ++p) all.push_back(world.topics.records("late" + suffix, p));
    all.push_back(world.topics.records("out" + suffix, 0));
    return std::pair(all, world.task->progress().late);
  };
  auto [live, late] = story(7, 1, "");
  CHECK(late == live[0].size() + live[1].size() + live[2].size());
  REQUIRE(live[1].size() > 10);
  const PlainRecord& first = live[1][0];
  CHECK(first.key == "key");
  CHECK(first.headers[1] == std::pair<std::string, std::string>("leat.topic", "in"));
  CHECK(first.headers[2] == std::pair<std::string, std::string>("leat.partition", "1"));
  CHECK(first.headers[5].second.starts_with("late: event time 1970-01-01T"));
  CHECK(story(1'024, 1, "-again").first == live);
  CHECK(story(64, 3, "-by-three").first == live);
}

TEST_CASE(
    "fault 35: an empty partition is named while it holds event time back, until it is idle") {
  World world(3);
  world.open(plan_of(R"("topic": "in", "idle_ms": 10000)", per_second), {.watch_idle = true});
  world.add_event(1'000, 1, 0);
  world.add_event(5'000, 1, 0);
  world.add_event(4'000, 1, 2);
  REQUIRE(world.steps().has_value());
  Progress progress = world.task->progress();
  CHECK(progress.watermark == watermark_min);
  REQUIRE(progress.held_back_by.has_value());
  const auto& stalls = progress.partitions[*progress.held_back_by];
  CHECK(stalls.name == "in");
  CHECK(stalls.id == PartitionId{1});
  CHECK(stalls.watermark == watermark_min);
  CHECK(world.values("out").empty());
  world.clock.pass(10s);
  world.add_event(5'001, 1, 0);
  world.add_event(4'001, 1, 2);
  REQUIRE(world.steps().has_value());
  progress = world.task->progress();
  CHECK(progress.partitions[1].idle);
  CHECK(progress.held_back_by == 2);
  CHECK(progress.watermark == 4'001);
  CHECK(world.values("out").size() == 1);
}

TEST_CASE("fault 36: events of 1970 are late, those of 2999 are dead letters, and time stays") {
  World world;
  const std::int64_t now = 1'700'000'000'000;
  auto event = [&](const std::string& at) {
    world.add(R"({"at":")" + at + R"(","n":1,"s":"k"})", 0, now);
  };
  event("2023-11-14T22:13:20Z");
  event("2999-01-01T00:00:00Z");
  event("1970-01-01T00:00:00Z");
  event("2023-11-14T22:13:21Z");
  event("0000-01-01T00:00:00Z");
  event("2023-11-14T22:13:20.500Z");
  REQUIRE(world
              .run(plan_of(R"("topic": "in", "disorder_ms": 1000,
                              "bad_records": {"policy": "dead_letter", "topic": "dead"})",
                           per_second))
              .has_value());
  CHECK(world.task->progress().late == 1);
  CHECK(world.task->progress().bad == 2);
  CHECK(world.values("late") ==
        std::vector<std::string>{R"({"at":"1970-01-01T00:00:00Z","n":1,"s":"k"})"});
  auto dead = world.topics.records("dead", 0);
  REQUIRE(dead.size() == 2);
  CHECK(dead[0].headers[5].second ==
        "the event time is more than 86400000 ms ahead of the record's timestamp: ahead_max_ms of "
        "the source");
  CHECK(dead[1].headers[5].second == "the event time is out of range");
  CHECK(world.values("out") ==
        std::vector<std::string>{
            R"({"window_start":"2023-11-14T22:13:20Z","window_end":"2023-11-14T22:13:21Z",)"
            R"("s":"k","n":2})",
            R"({"window_start":"2023-11-14T22:13:21Z","window_end":"2023-11-14T22:13:22Z",)"
            R"("s":"k","n":1})"});
}

TEST_CASE("fault 37: a clock that is set makes no partition idle, and keeps none from it") {
  for (auto jump : {-year, +year}) {
    World world(2);
    world.open(plan_of(R"("topic": "in", "idle_ms": 10000)", per_second), {.watch_idle = true});
    world.add_event(1'000, 1, 0);
    REQUIRE(world.steps().has_value());
    world.clock.pass(9s);
    world.clock.set_by(jump);
    world.add_event(5'000, 1, 0);
    REQUIRE(world.steps().has_value());
    CHECK_FALSE(world.task->progress().partitions[1].idle);
    CHECK(world.task->idle_in() == 1s);
    world.clock.pass(1s);
    world.add_event(5'001, 1, 0);
    REQUIRE(world.steps().has_value());
    CHECK(world.task->progress().partitions[1].idle);
    CHECK(world.values("out").size() == 1);
  }
}

TEST_CASE("fault 37: what is told each minute is told on, whatever the clock is set to") {
  const std::string each_minute = R"({"name": "sums", "type": "window", "input": "in",
    "emit": "every", "every_ms": 60000, "window": {"kind": SHAPE},
    "aggregates": [{"name": "n", "function": "sum", "argument": {"column": "n"}}]},
    {"name": "out", "type": "sink", "input": "sums", "topic": "out", "changes": "all"})";
  for (const std::string shape :
       {R"("tumbling", "size_ms": 86400000)", R"("session", "gap_ms": 86400000)"}) {
    CAPTURE(shape);
    World world;
    std::string nodes = each_minute;
    world.open(plan_of(R"("topic": "in")", nodes.replace(nodes.find("SHAPE"), 5, shape)));
    auto told_after = [&](std::chrono::nanoseconds pause) {
      world.clock.pass(pause);
      std::size_t before = world.values("out").size();
      world.add_event(1'000, 1);
      REQUIRE(world.steps().has_value());
      return world.values("out").size() > before;
    };
    CHECK(told_after(0s));
    CHECK_FALSE(told_after(59s));
    CHECK(told_after(1s));
    world.clock.set_by(-year);
    CHECK(told_after(1s));
    CHECK_FALSE(told_after(59s));
    CHECK(told_after(1s));
    world.clock.set_by(year);
    CHECK(told_after(1s));
    CHECK_FALSE(told_after(59s));
  }
}

TEST_CASE("fault 38: keys without end end the run, with the node that keeps most") {
  const std::string nodes = R"({"name": "per_user", "type": "window", "input": "in",
      "window": {"kind": "tumbling", "size_ms": 3600000}, "keys": ["s"],
      "aggregates": [{"name": "n", "function": "count"}]},
    {"name": "all", "type": "window", "input": "in",
      "window": {"kind": "tumbling", "size_ms": 3600000},
      "aggregates": [{"name": "n", "function": "count"}]},
    {"name": "out", "type": "sink", "input": "per_user", "topic": "out"},
    {"name": "whole", "type": "sink", "input": "all", "topic": "whole"})";
  constexpr std::size_t budget = 4 << 20;
  World world;
  // Few rows, of large keys: it must not take a number of rows until somebody looks.
  std::string padding(1'000, 'x');
  for (int i = 0; i < 20'000; ++i) {
    world.add(fmt::format(R"({{"at":1000,"n":1,"s":"{}{}"}})", i, padding));
  }
  world.open(plan_of(R"("topic": "in")", nodes), {.state_bytes_max = budget});
  auto ran = world.steps();
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().code == Errc::policy_violation);
  CHECK_MESSAGE(ran.error().what.find("in nodes[1] 'per_user': narrow its windows or keys") !=
                    std::string::npos,
                ran.error().what);
  // As soon as it was known: a fourth above, with some blocks of rows.
  CHECK(world.task->progress().state_bytes < 2 * budget);

  // Neither need what is kept be as large as what was read.
  World repeating;
  for (int i = 0; i < 20'000; ++i) repeating.add(fmt::format(R"({{"at":1000,"n":{}}})", i));
  const std::string repeated = R"({"name": "long", "type": "project", "input": "in", "columns": [
      {"name": "k", "expression": {"call": "repeat", "arguments": [
        {"cast": {"column": "n"}, "to": "text"}, {"bigint": 1000}]}}]},
    {"name": "per_k", "type": "window", "input": "long", "keys": ["k"],
      "window": {"kind": "tumbling", "size_ms": 3600000},
      "aggregates": [{"name": "n", "function": "count"}]},
    {"name": "out", "type": "sink", "input": "per_k", "topic": "out"})";
  repeating.open(plan_of(R"("topic": "in")", repeated), {.state_bytes_max = budget});
  auto grew = repeating.steps();
  REQUIRE_FALSE(grew.has_value());
  CHECK_MESSAGE(grew.error().what.find("in nodes[2] 'per_k'") != std::string::npos,
                grew.error().what);
  CHECK(repeating.task->progress().state_bytes < 4 * budget);

  // A run ends by it as it does by any other error.
  auto runner = Runner::open(plan_of(R"("topic": "in")", nodes), world.topics, nullptr, world.clock,
                             {.state_bytes_max = budget});
  REQUIRE(runner.has_value());
  CHECK_FALSE((*runner)->run().has_value());
  CHECK((*runner)->status().state == RunState::failed);
}

TEST_CASE("fault 40: a row that overflows or divides by zero is told with its place in the plan") {
  const std::string nodes = R"({"name": "share", "type": "project", "input": "in", "columns": [
      {"name": "r", "expression": {"call": "/", "arguments": [
        {"call": "+", "arguments": [{"column": "n"}, {"bigint": 1}]}, {"column": "n"}]}}]},
    {"name": "out", "type": "sink", "input": "share", "topic": "out"})";
  struct Row {
    std::int64_t n;
    const char* reason;
  };
  for (const auto& [n, reason] : std::initializer_list<Row>{
           {0, "division by zero"}, {9'223'372'036'854'775'807, "bigint out of range"}}) {
    World world;
    world.add_event(1'000, 1);
    world.add_event(1'000, n);
    auto ran = world.run(plan_of(R"("topic": "in")", nodes));
    REQUIRE_FALSE(ran.has_value());
    CHECK(ran.error().code == Errc::bad_record);
    CHECK(ran.error().what.starts_with(
        fmt::format("pipeline p, nodes[1] 'share': {} in {{\"at\":", reason)));
    CHECK(world.values("out") == std::vector<std::string>{R"({"r":2})"});
    REQUIRE(world
                .run(plan_of(R"("topic": "in")", nodes,
                             R"("bad_rows": {"policy": "dead_letter", "topic": "dead"},)"))
                .has_value());
    auto dead = world.topics.records("dead", 0);
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].headers[3] == std::pair<std::string, std::string>("leat.offset", "1"));
    CHECK(dead[0].headers[5] == std::pair<std::string, std::string>("leat.reason", reason));
  }
}

TEST_SUITE_END();
