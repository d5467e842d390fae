// Plans whose rows meet by their keys, with more rows in a step than one worker takes.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "base/sim_executor.h"
#include "plan/plan.h"
#include "stream/memory_topics.h"
#include "stream/task.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

constexpr const char* nodes = R"(
  {"name": "a", "type": "source", "topic": "a", "event_time": "t", "disorder_ms": 10, "columns": [
    {"name": "t", "type": "timestamp"}, {"name": "k", "type": "text"},
    {"name": "g", "type": "bigint"}, {"name": "v", "type": "bigint"}]},
  {"name": "b", "type": "source", "topic": "b", "event_time": "bt", "disorder_ms": 10, "columns": [
    {"name": "bt", "type": "timestamp", "path": "$.t"},
    {"name": "bk", "type": "text", "path": "$.k"},
    {"name": "bv", "type": "bigint", "path": "$.v"}]},
  {"name": "sessions", "type": "window", "input": "a", "window": {"kind": "session", "gap_ms": 20},
   "keys": ["k", "g"], "late_topic": "late-sessions", "aggregates": [
     {"name": "n", "function": "count"},
     {"name": "values", "function": "array_agg", "argument": {"column": "v"}}]},
  {"name": "hops", "type": "window", "input": "a",
   "window": {"kind": "hopping", "size_ms": 1000, "slide_ms": 300}, "keys": ["k"], "aggregates": [
     {"name": "last", "function": "last", "argument": {"column": "v"}},
     {"name": "most", "function": "max", "argument": {"column": "k"}}]},
  {"name": "once", "type": "dedup", "input": "a", "keys": ["k", "v"], "keep": "last",
   "horizon_ms": 100, "emit": "watermark", "late_topic": "late-once"},
  {"name": "around", "type": "over", "input": "a", "keys": ["k"], "frame": {"range_ms": 50},
   "emit": "watermark", "aggregates": [
     {"name": "s", "function": "sum", "argument": {"column": "v"}}]},
  {"name": "best", "type": "top", "input": "a", "keys": ["k", "g"], "limit": 3, "rank": "rank",
   "emit": "watermark", "order_by": [{"column": "v", "descending": true}]},
  {"name": "pairs", "type": "join", "kind": "interval", "how": "left", "left": "a", "right": "b",
   "keys": [{"left": "k", "right": "bk"}], "lower_ms": -5, "upper_ms": 5,
   "late_topic": "late-pairs"},
  {"name": "of-pairs", "type": "window", "input": "pairs",
   "window": {"kind": "tumbling", "size_ms": 500}, "keys": ["g"], "aggregates": [
     {"name": "n", "function": "count", "argument": {"column": "bv"}},
     {"name": "firsts", "function": "first", "argument": {"column": "k"}}]})";

constexpr const char* outputs[] = {"sessions", "hops", "once", "around", "best", "of-pairs"};

/// Random events, some of them late, with few keys.
void fill(MemoryTopics& topics, const std::string& name, std::int32_t partitions, int records) {
  Random random(7);
  Topic topic = *topics.create_topic(name, partitions);
  OutputBatches out;
  for (std::int32_t p = 0; p < partitions; ++p) {
    std::int64_t time = 1'000'000;
    for (int i = 0; i < records; ++i) {
      time += random.between(0, 8);
      std::string json = fmt::format(R"({{"t":{},"k":"key{}","g":{},"v":{}}})",
                                     time - random.between(0, random.one_in(50) ? 60 : 10),
                                     random.below(9), random.below(3), random.below(1000));
      out.append({topic.id, PartitionId{p}}, time, {}, as_bytes(json));
    }
  }
  for (auto& batch : out.take()) {
    topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
  }
}

/// The lines of each topic, by its name and partition.
std::vector<std::vector<std::string>> run(std::size_t workers) {
  MemoryTopics topics;
  fill(topics, "a", 4, 10'000);
  fill(topics, "b", 2, 5'000);
  std::string text = nodes;
  for (const char* output : outputs) {
    text += fmt::format(R"(, {{"name": "to-{0}", "type": "sink", "input": "{0}", "topic": "{0}"}})",
                        output);
  }
  auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [)" + text + "]}");
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  SimExecutor clock;
  auto task = Task::open(std::move(*plan), topics, nullptr, clock, {.workers = workers});
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
  std::vector<std::vector<std::string>> all;
  // Late rows of two inputs are in one topic, of each in its order.
  auto add = [&](const std::string& name) {
    for (std::int32_t p = 0; p < topics.find_topic(name)->partitions; ++p) {
      std::map<std::string, std::vector<std::string>> by_source;
      for (const auto& record : topics.records(name, p)) {
        std::string source = record.headers.empty() ? "" : record.headers[0].second;
        by_source[source].push_back(
            fmt::format("{} {}", record.timestamp_ms, record.value.value_or("-")));
      }
      for (auto& [source, lines] : by_source) all.push_back(std::move(lines));
    }
  };
  for (const char* output : outputs) add(output);
  for (const char* late : {"late-sessions", "late-once", "late-pairs"}) add(late);
  return all;
}

}  // namespace

TEST_CASE("rows that meet by their keys give the same by any number of workers") {
  auto alone = run(1);
  std::size_t lines = 0;
  for (const auto& some : alone) lines += some.size();
  CHECK(lines > 100'000);
  for (std::size_t workers : {2, 5}) {
    CAPTURE(workers);
    auto shared = run(workers);
    REQUIRE(shared.size() == alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      CAPTURE(i);
      CHECK(shared[i].size() == alone[i].size());
      auto differ =
          std::mismatch(alone[i].begin(), alone[i].end(), shared[i].begin(), shared[i].end());
      if (differ.first == alone[i].end()) continue;
      CHECK(*differ.first == (differ.second == shared[i].end() ? "nothing" : *differ.second));
    }
  }
}

TEST_CASE("of rows that change a key's last version is the same by any number of workers") {
  for (std::size_t workers : {1, 3}) {
    CAPTURE(workers);
    MemoryTopics topics;
    Topic in = *topics.create_topic("in", 3);
    auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [
      {"name": "in", "type": "source", "topic": "in", "event_time": "t", "disorder_ms": 1000,
       "columns": [{"name": "t", "type": "timestamp"}, {"name": "k", "type": "text"}]},
      {"name": "w", "type": "window", "input": "in", "window": {"kind": "session", "gap_ms": 15},
       "keys": ["k"], "emit": "update", "aggregates": [{"name": "n", "function": "count"}]},
      {"name": "out", "type": "sink", "input": "w", "topic": "out", "keys": ["k"]}]})");
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    SimExecutor clock;
    auto task = Task::open(std::move(*plan), topics, nullptr, clock, {.workers = workers});
    REQUIRE_MESSAGE(task.has_value(), task.error().what);
    // The last row makes two sessions one, which begins before the second of them.
    for (int t : {1000, 1020, 1010}) {
      OutputBatches batches;
      for (int k = 0; k < 9; ++k) {
        std::string json = fmt::format(R"({{"t":{},"k":"{}"}})", t, k);
        batches.append({in.id, PartitionId{k % 3}}, t, {}, as_bytes(json));
      }
      for (Result<bool> more = true; more && *more;) {
        for (auto& batch : batches.take()) {
          topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
        }
        more = (*task)->step(batches);
        REQUIRE_MESSAGE(more.has_value(), more.error().what);
      }
    }
    std::map<std::string, std::string> last;
    for (std::int32_t p = 0; p < topics.find_topic("out")->partitions; ++p) {
      for (const auto& record : topics.records("out", p)) {
        last[*record.key] = record.value.value_or("gone");
      }
    }
    CHECK(last.size() == 9);
    for (const auto& [key, value] : last) {
      CHECK(value == R"({"window_start":"1970-01-01T00:00:01Z",)"
                     R"("window_end":"1970-01-01T00:00:01.035Z","k":")" +
                         key + R"(","n":3})");
    }
  }
}

TEST_SUITE_END();
