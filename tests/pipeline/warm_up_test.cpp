// Replays that begin in the midst of history: how little they read before it, and what is known of
// the time there.
#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "pipeline/play.h"
#include "pipeline/warm_up.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// Of topics in memory, where each record is a batch.
class MemoryData final : public VersionData {
 public:
  explicit MemoryData(stream::MemoryTopics& topics) : topics_(topics) {}

  Result<Positions> find(const std::vector<std::string>& topics,
                         const LogPosition& position) override {
    Positions positions;
    for (const std::string& name : topics) {
      auto topic = topics_.find_topic(name);
      if (!topic) continue;
      for (std::int32_t p = 0; p < topic->partitions; ++p) {
        auto records = topics_.records(name, p);
        auto first = std::find_if(records.begin(), records.end(), [&](const auto& record) {
          return record.timestamp_ms >= position.number;
        });
        std::optional<std::int64_t> at_time;
        if (first != records.end()) at_time = first - records.begin();
        auto end = static_cast<std::int64_t>(records.size());
        positions.push_back({name, PartitionId{p}, Offset{position.in(0, end, at_time)}});
      }
    }
    return positions;
  }
  Result<void> check_repeatable(const std::string&) override { return {}; }
  Result<Halt> find_halt(const std::string&) override { return Halt{}; }
  Result<TimeBefore> time_before(const plan::Plan& plan, const Positions& at) override {
    return pipeline::time_before(plan, topics_, at, [&](std::int64_t time_ms) {
      return find({"in"}, {LogPosition::Kind::time, time_ms});
    });
  }
  void remove_epochs(const std::string&, Done done) override { done({}); }
  void delete_topic(const std::string&, Done done) override { done({}); }

 private:
  stream::MemoryTopics& topics_;
};

const std::string sums =
    R"("keys": ["k"], "late_topic": "late",
       "aggregates": [{"function": "count", "name": "rows"},
                      {"function": "sum", "name": "n", "argument": {"column": "n"}}]},)";

/// Nodes whose state is bounded, and how far they look back.
struct Bounded {
  std::string nodes;
  std::int64_t reach_ms;
};
const Bounded bounded[] = {
    {R"({"name": "x", "type": "window", "input": "in",
         "window": {"kind": "tumbling", "size_ms": 300}, )" +
         sums,
     300},
    {R"({"name": "x", "type": "window", "input": "in",
         "window": {"kind": "hopping", "size_ms": 400, "slide_ms": 100, "offset_ms": 30}, )" +
         sums,
     400},
    {R"({"name": "x", "type": "window", "input": "in", "lateness_ms": 200,
         "window": {"kind": "cumulate", "size_ms": 400, "step_ms": 200}, )" +
         sums,
     600},
    {R"({"name": "x", "type": "over", "input": "in", "keys": ["k"], "frame": {"range_ms": 250},
         "aggregates": [{"function": "count", "name": "rows"}]},)",
     250},
    {R"({"name": "x", "type": "over", "input": "in", "keys": ["k"], "frame": {"range_ms": 250},
         "emit": "at_once", "late_topic": "late",
         "aggregates": [{"function": "sum", "name": "s", "argument": {"column": "n"}}]},)",
     250},
    {R"({"name": "r", "type": "project", "input": "in",
         "columns": [{"name": "k", "expression": {"column": "k"}},
                     {"name": "m", "expression": {"column": "n"}}]},
        {"name": "x", "type": "join", "left": "in", "right": "r", "kind": "interval",
         "keys": [{"left": "k", "right": "k"}], "lower_ms": -120, "upper_ms": 40},)",
     120},
    {R"({"name": "small", "type": "window", "input": "in",
         "window": {"kind": "tumbling", "size_ms": 100}, "keys": ["k"],
         "aggregates": [{"function": "count", "name": "n"}]},
        {"name": "x", "type": "window", "input": "small",
         "window": {"kind": "tumbling", "size_ms": 400},
         "aggregates": [{"function": "max", "name": "n", "argument": {"column": "n"}}]},)",
     500},
};

std::string with_source(const std::string& more = R"("ahead_max_ms": 0,)") {
  return R"("disorder_ms": 100, )" + more;
}

/// Where results are told again, by window and key.
plan::Plan plan_over(const std::string& nodes, const std::string& source = with_source()) {
  auto plan = plan_of(nodes, "", source);
  auto& sink = std::get<plan::Sink>(plan.nodes.back().body);
  if (nodes.find("lateness_ms") != std::string::npos) {
    sink.keys = {"window_start", "window_end", "k"};
  }
  return plan;
}

/// What came of it in any order, as no row depends on how steps were cut: of those that are told
/// again the last.
std::vector<std::string> given(Play& play, const std::string& topic) {
  std::vector<std::string> all;
  std::map<std::string, std::string> last;
  auto found = play.topics.find_topic(topic);
  if (!found) return all;
  for (std::int32_t p = 0; p < found->partitions; ++p) {
    for (const auto& record : play.topics.records(topic, p)) {
      std::ostringstream text;
      text << p << " " << record;
      if (record.key) {
        last[*record.key] = text.str();
      } else {
        all.push_back(text.str());
      }
    }
  }
  for (const auto& [key, text] : last) all.push_back(text);
  std::sort(all.begin(), all.end());
  return all;
}

std::uint64_t replay(Play& play, const plan::Plan& plan, std::uint32_t version,
                     const Positions& from, const Positions& silent_to, bool flush) {
  auto options = play.options(plan);
  options.version = version;
  options.suffix = suffix_of(version);
  options.from = from;
  options.silent_to = silent_to;
  options.to.emplace();
  options.flush = flush;
  play.start(options);
  play.pass(20s);
  CHECK(play.error() == "");
  CHECK(play.status().state == RunState::finished);
  auto rows = play.status().rows_in;
  play.drop();
  return rows;
}

std::string why(const std::string& nodes, const std::string& source = with_source()) {
  Play play;
  MemoryData data(play.topics);
  for (int t : {100, 200, 300}) play.produce(t);
  auto plan = plan_over(nodes, source);
  auto warm_up = plan_warm_up(plan, data, {{"in", PartitionId{0}, Offset{2}}});
  REQUIRE_MESSAGE(warm_up, warm_up.error().what);
  CHECK(warm_up->begin.empty() == (warm_up->text.find("from the start") != std::string::npos));
  return warm_up->text;
}

}  // namespace

TEST_CASE("a short warm-up gives what one from the start gives") {
  std::uint64_t all_rows = 0, read_rows = 0;
  for (std::uint64_t seed = 1; seed <= 140; ++seed) {
    CAPTURE(seed);
    const Bounded& chosen = bounded[seed % std::size(bounded)];
    Random random(seed);
    auto partitions = static_cast<std::int32_t>(random.between(1, 3));
    Play play(seed, partitions);
    std::int64_t now = 1'000'000;
    std::int64_t rows = random.between(150, 500);
    for (std::int64_t i = 0; i < rows; ++i) {
      now += random.between(0, 30);
      // Most within the disorder, some late, and now and then a partition is far ahead.
      std::int64_t time = now - random.between(0, 110);
      if (random.one_in(20)) time -= random.between(0, 1000);
      if (random.one_in(50)) time += random.between(0, 300);
      play.produce(time, std::string(1, "abc"[random.below(3)]), random.between(1, 9),
                   static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(partitions))));
    }
    MemoryData data(play.topics);
    auto plan = plan_over(chosen.nodes);
    auto silent_to = *data.find({"in"}, {LogPosition::Kind::time, random.between(1'000'500, now)});
    auto warm_up = plan_warm_up(plan, data, silent_to);
    REQUIRE_MESSAGE(warm_up, warm_up.error().what);
    CAPTURE(warm_up->text);
    bool flush = random.one_in(2);
    all_rows += replay(play, plan, 2, {}, silent_to, flush);
    read_rows += replay(play, plan, 3, warm_up->begin, silent_to, flush);
    CHECK(given(play, "out.v3") == given(play, "out.v2"));
    CHECK(given(play, "late.v3") == given(play, "late.v2"));
  }
  MESSAGE("read ", read_rows, " of ", all_rows, " rows");
  CHECK(read_rows < all_rows * 3 / 4);
}

TEST_CASE("a warm-up says how far it reaches back, and why") {
  for (const Bounded& chosen : bounded) {
    auto plan = plan_over(chosen.nodes);
    auto bound = plan::bind(plan);
    REQUIRE(bound);
    CHECK(reach_of(*bound).ms == chosen.reach_ms);
  }
  CHECK(why(bounded[0].nodes) ==
        "its warm-up reads from 1969-12-31T23:59:59.799Z of event time on, because nodes[1] 'x' "
        "has windows of 300 ms");
  CHECK(why(bounded[2].nodes)
            .ends_with("nodes[1] 'x' has windows of 400 ms, which take rows for another 200 ms"));
  CHECK(why(bounded[0].nodes, with_source(R"("ahead_max_ms": null,)")) ==
        "its warm-up reads from the start, because event times of in may be ahead of its records' "
        "timestamps by any time, as long as ahead_max_ms of its source is null");
  CHECK(why(R"({"name": "x", "type": "window", "input": "in",
                "window": {"kind": "session", "gap_ms": 10},
                "aggregates": [{"function": "count", "name": "rows"}]},)") ==
        "its warm-up reads from the start, because nodes[1] 'x' has sessions, which may go on for "
        "any time");
  CHECK(why(R"({"name": "x", "type": "dedup", "input": "in", "keys": ["k"], "horizon_ms": 50},)") ==
        "its warm-up reads from the start, because nodes[1] 'x' knows keys from the first row on, "
        "whose place hangs on all before");
}

TEST_CASE("where a partition has nothing before, event time has not begun") {
  Play play(1, 2);
  MemoryData data(play.topics);
  for (int t : {100, 200}) play.produce(t);
  auto plan = plan_of(bounded[0].nodes, "", with_source());
  Positions at{{"in", PartitionId{0}, Offset{2}}, {"in", PartitionId{1}, Offset{0}}};
  auto before = data.time_before(plan, at);
  REQUIRE(before);
  CHECK_FALSE(before->watermark_ms);
  CHECK(before->watermark_at_end_ms == 100);
  CHECK(before->latest_ms == 200);
  CHECK(plan_warm_up(plan, data, at)->begin.empty());
}

TEST_CASE("the largest time before a place is found where it is far back") {
  Play play;
  MemoryData data(play.topics);
  for (int i = 0; i < 10'000; ++i) play.produce(i == 100 ? 50'000 : i);
  auto plan = plan_of("", "", with_source());
  Positions at{{"in", PartitionId{0}, Offset{9000}}};
  CHECK(data.time_before(plan, at)->latest_ms == 50'000);
  CHECK(data.time_before(plan, at)->watermark_ms == 49'900);
  at.front().offset = Offset{100};
  CHECK(data.time_before(plan, at)->latest_ms == 99);
}

TEST_SUITE_END();
