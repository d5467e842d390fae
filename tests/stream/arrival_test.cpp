// Rows come to nodes that judge them at once in an order that follows from the log, however they
// are read: as if each row went all its ways, and event time behind it, before the next one.
#include <chrono>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/clock.h"
#include "plan/bound_plan.h"
#include "stream/arrival_needs.h"
#include "stream/memory_topics.h"
#include "stream/task.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

struct StandingClock final : Clock {
  std::int64_t wall_ms() const override { return 1'000; }
  std::chrono::nanoseconds monotonic() const override { return {}; }
};

/// A record for each of these numbers, which are event time and value.
std::vector<std::pair<int, int>> records(std::initializer_list<std::pair<int, int>> some) {
  return some;
}

const std::string source =
    R"({"name":"in","type":"source","topic":"in","event_time":"t","columns":[)"
    R"({"name":"t","type":"timestamp"},{"name":"v","type":"bigint"}]})";
const std::string sink = R"({"name":"sink","type":"sink","input":"last","topic":"out"})";

plan::Plan plan_of(const std::string& nodes) {
  auto plan = plan::parse(R"({"version":1,"name":"p","nodes":[)" + source + "," + nodes + "," +
                          sink + "]}");
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  return *plan;
}

/// The values of what comes out, in its order, if blocks have so many rows.
std::string run(const plan::Plan& plan, const std::vector<std::pair<int, int>>& rows,
                std::size_t block_rows) {
  MemoryTopics topics;
  auto topic = topics.create_topic("in", 1);
  REQUIRE(topic.has_value());
  OutputBatches batches;
  for (auto [time, value] : rows) {
    std::string json = fmt::format(R"({{"t":{},"v":{}}})", time, value);
    batches.append({topic->id, PartitionId{0}}, time, {}, as_bytes(json));
  }
  for (auto& batch : batches.take()) {
    topics.append(batch.partition, std::move(batch.bytes), [](Result<Offset>) {});
  }
  StandingClock clock;
  Task::Options options;
  options.block_rows = block_rows;
  auto task = Task::open(plan, topics, nullptr, clock, options);
  REQUIRE_MESSAGE(task.has_value(), task.error().what);
  OutputBatches out;
  while (true) {
    auto stepped = (*task)->step(out);
    REQUIRE_MESSAGE(stepped.has_value(), stepped.error().what);
    if (!*stepped) break;
  }
  REQUIRE((*task)->flush(out).has_value());
  for (auto& batch : out.take()) {
    topics.append(batch.partition, std::move(batch.bytes), [](Result<Offset>) {});
  }
  std::string text;
  for (const auto& record : topics.records("out", 0)) {
    const std::string& value = *record.value;
    text += (text.empty() ? "" : " ") + value.substr(value.find("\"v\":") + 4);
    text.pop_back();
  }
  return text;
}

void check(const std::string& nodes, const std::vector<std::pair<int, int>>& rows,
           const std::string& expected) {
  plan::Plan plan = plan_of(nodes);
  for (std::size_t block_rows : {1, 2, 3, 64}) {
    CAPTURE(block_rows);
    CHECK(run(plan, rows, block_rows) == expected);
  }
}

ArrivalNeeds needs_of(const std::string& nodes) {
  plan::Plan plan = plan_of(nodes);
  auto bound = plan::bind(plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  return arrival_needs(*bound);
}

// Rows with even values and with odd ones, together again.
const std::string two_ways =
    R"({"name":"even","type":"filter","input":"in","condition":{"call":"=","arguments":[)"
    R"({"call":"%","arguments":[{"column":"v"},{"bigint":2}]},{"bigint":0}]}},)"
    R"({"name":"odd","type":"filter","input":"in","condition":{"call":"<>","arguments":[)"
    R"({"call":"%","arguments":[{"column":"v"},{"bigint":2}]},{"bigint":0}]}},)"
    R"({"name":"both","type":"union","inputs":["even","odd"]})";
const std::string waits =
    R"({"name":"waits","type":"dedup","input":"in","keys":["v"],"emit":"watermark"})";

const std::string in_and_waits = R"({"name":"all","type":"union","inputs":["in","waits"]})";

/// Each row that is the least so far, or equal to that.
std::string least_so_far(const std::string& input) {
  return R"({"name":"last","type":"top","input":")" + input +
         R"(","order_by":[{"column":"v"}],"limit":1,"ties":true,"emit":"at_once"})";
}

}  // namespace

TEST_CASE("rows that part and join again are judged at once in the order in which they came") {
  check(two_ways + "," + least_so_far("both"), records({{1, 9}, {2, 8}, {3, 7}, {4, 5}, {5, 6}}),
        "9 8 7 5");
}

TEST_CASE("rows that waited come behind the row that moved event time, and before the next one") {
  // The second 5 has event time pass the first one, which comes again then; the 4 has it pass 3.
  check(waits + "," + in_and_waits + "," + least_so_far("all"),
        records({{1, 5}, {2, 5}, {3, 4}, {4, 6}, {5, 4}}), "5 5 5 4 4 4");
}

TEST_CASE("a lookup in windows finds those that closed before the row came") {
  const std::string nodes =
      R"({"name":"other","type":"source","topic":"in","event_time":"t","columns":[)"
      R"({"name":"t","type":"timestamp"},{"name":"v","type":"bigint"}]},)"
      R"({"name":"counts","type":"window","input":"other",)"
      R"("window":{"kind":"tumbling","size_ms":2},)"
      R"("keys":["v"],"aggregates":[{"name":"n","function":"count"}]},)"
      R"({"name":"known","type":"join","kind":"table","left":"in","right":"counts","how":"semi",)"
      R"("keys":[{"left":"v","right":"v"}]},)"
      R"({"name":"last","type":"project","input":"known","columns":[{"name":"v","expression":)"
      R"({"column":"v"}}]})";
  // The window of the first two is closed when both sources have come to 2.
  check(nodes, records({{0, 7}, {1, 7}, {2, 7}, {3, 7}, {4, 8}}), "7");
}

TEST_CASE("whole chunks go where nobody can tell the order of arrival") {
  ArrivalNeeds alone = needs_of(least_so_far("in"));
  CHECK_FALSE(alone.row_by_row);
  CHECK(alone.gathers == std::vector<bool>(3, false));
  CHECK_FALSE(needs_of(waits + "," + least_so_far("waits")).row_by_row);
  ArrivalNeeds joined = needs_of(two_ways + "," + least_so_far("both"));
  CHECK_FALSE(joined.row_by_row);
  CHECK(joined.gathers == std::vector<bool>{false, false, false, false, true, false});
  ArrivalNeeds mixed = needs_of(waits + "," + in_and_waits + "," + least_so_far("all"));
  CHECK(mixed.row_by_row);
  CHECK(mixed.gathers == std::vector<bool>(5, false));
}

TEST_SUITE_END();
