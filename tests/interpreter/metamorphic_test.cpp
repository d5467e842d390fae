// What must hold between two plans, or two logs, whatever the answer is: checks of the judge that
// need no second judge.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "interpreter/random_pipeline.h"
#include "interpreter/records.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

namespace {

constexpr std::uint64_t seeds = 150;

using Lines = std::vector<std::string>;

std::string line_of(const Row& row, const plan::Schema& schema) {
  std::string line = fmt::format("{} {}", static_cast<int>(row.kind), row.time);
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    line += " " + json_text(row.values[i], schema[i].type);
  }
  return line;
}

Outcome outcome_of(const plan::Plan& plan, const Run& run, std::vector<plan::Schema>& schemas) {
  auto bound = plan::bind(plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what, " in ", plan::print(plan));
  for (const auto& node : bound->nodes) schemas.push_back(node.schema);
  auto outcome = interpret(*bound, run);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
  return *outcome;
}

/// All that comes out: rows of each sink, rows that are late, records and rows that are bad.
Lines all_of(const plan::Plan& plan, const Run& run) {
  std::vector<plan::Schema> schemas;
  Outcome outcome = outcome_of(plan, run, schemas);
  Lines lines;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const std::string& name = plan.nodes[i].name;
    if (!outcome.sinks.contains(name)) continue;
    for (const auto& row : outcome.sinks.at(name)) lines.push_back(name + line_of(row, schemas[i]));
  }
  for (const auto& [node, rows] : outcome.late) {
    for (const auto& row : rows) lines.push_back(fmt::format("late {} {}", node, row.time));
  }
  for (const auto& bad : outcome.bad_rows) {
    lines.push_back(fmt::format("bad {} {} {}", bad.node, bad.row.time, bad.reason));
  }
  for (const auto& bad : outcome.bad_records) lines.push_back("bad " + bad.node + bad.reason);
  std::sort(lines.begin(), lines.end());
  return lines;
}

/// The rows of the node `last` of `nodes`, which read the source "a", without kinds and times.
Lines rows_of(const std::string& last, const std::string& nodes, const Run& run,
              std::int64_t disorder_ms) {
  auto plan = plan::parse(fmt::format(
      R"({{"version": 1, "name": "p", "nodes": [{{"name": "a", "type": "source", "topic": "a",
         "event_time": "t", "disorder_ms": {}, "bad_records": {{"policy": "skip"}}, "columns": [
         {{"name": "t", "type": "timestamp"}}, {{"name": "k", "type": "text"}},
         {{"name": "g", "type": "bigint"}}, {{"name": "r", "type": "double"}}]}}, {},
         {{"name": "out", "type": "sink", "input": "{}", "console": true}}]}})",
      disorder_ms, nodes, last));
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  std::vector<plan::Schema> schemas;
  plan->bad_rows.policy = plan::BadRows::Policy::skip;
  Outcome outcome = outcome_of(*plan, run, schemas);
  Lines lines;
  for (const auto& row : outcome.sinks.at("out")) {
    std::string line = line_of(row, schemas.back());
    lines.push_back(line.substr(line.find(' ', 2) + 1));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

constexpr std::int64_t nothing_late = 1'000'000;

/// Runs `check` over random logs of "a" and disorders.
void for_logs(const std::function<void(const Run&, std::int64_t)>& check) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Run run{{{"a", random_log(random, 1 + random.below(3), 60)}}, 0};
    check(run, std::vector<std::int64_t>{0, 5, 30}[random.below(3)]);
  }
}

/// A window over "a" or what reads it, called "w".
std::string window(const std::string& shape, const std::string& input = "a") {
  return fmt::format(
      R"({{"name": "w", "type": "window", "input": "{}", "keys": ["k"], "window": {{{}}},
          "aggregates": [{{"name": "n", "function": "count"}}, {{"name": "s", "function": "sum",
          "argument": {{"column": "r"}}}}, {{"name": "all", "function": "array_agg", "argument":
          {{"column": "g"}}}}]}})",
      input, shape);
}

}  // namespace

TEST_CASE("the same log gives the same, also by a plan that was printed and read") {
  std::map<std::string_view, int> nodes;
  std::size_t rows = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    plan::Plan plan = random_pipeline(random, static_cast<int>(random.between(1, 4)));
    Run run{{{"a", random_log(random, 3, 60)}, {"b", random_log(random, 2, 30)}},
            1'700'000'000'000};
    Lines lines = all_of(plan, run);
    auto again = plan::parse(plan::print(plan));
    REQUIRE(again.has_value());
    REQUIRE(all_of(*again, run) == lines);
    rows += lines.size();
    for (const auto& node : plan.nodes) ++nodes[plan::type_of(node)];
  }
  CHECK(rows > 20 * seeds);
  CHECK(nodes.size() == plan::node_types);
}

TEST_CASE("no result hangs on the numbers of partitions where no times are the same") {
  std::size_t compared = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    plan::Plan plan = random_pipeline(random, static_cast<int>(random.between(1, 3)));
    // What a join pairs has one time for several rows, whose order is by partition.
    bool joins = std::any_of(plan.nodes.begin(), plan.nodes.end(), [](const plan::Node& node) {
      return std::holds_alternative<plan::Join>(node.body);
    });
    if (joins) continue;
    ++compared;
    Run run{{{"a", random_log(random, 4, 40, Ties::none)}, {"b", random_log(random, 1, 20)}}, 0};
    Lines lines = all_of(plan, run);
    auto& partitions = run.logs["a"].partitions;
    std::reverse(partitions.begin(), partitions.end());
    REQUIRE(all_of(plan, run) == lines);
  }
  CHECK(compared > seeds / 3);
}

TEST_CASE("partitions without records change nothing") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    plan::Plan plan = random_pipeline(random, 2);
    Run run{{{"a", random_log(random, 2, 40)}, {"b", random_log(random, 1, 20)}}, 0};
    Lines lines = all_of(plan, run);
    run.logs["a"].partitions.emplace_back();
    run.logs["b"].partitions.emplace_back();
    REQUIRE(all_of(plan, run) == lines);
  }
}

TEST_CASE("tumbling is hopping by the size") {
  for_logs([](const Run& run, std::int64_t disorder) {
    Lines tumbling = rows_of("w", window(R"("kind": "tumbling", "size_ms": 20)"), run, disorder);
    std::string hopping = R"("kind": "hopping", "size_ms": 20, "slide_ms": 20)";
    CHECK(rows_of("w", window(hopping), run, disorder) == tumbling);
  });
}

TEST_CASE("the last of cumulating windows is the tumbling one") {
  std::string last = R"({"name": "last", "type": "filter", "input": "w", "condition": {"call": "=",
    "arguments": [{"call": "-", "arguments": [{"column": "window_end"},
                                             {"column": "window_start"}]},
    {"interval": {"ms": 20}}]}})";
  for_logs([&](const Run& run, std::int64_t disorder) {
    Lines tumbling = rows_of("w", window(R"("kind": "tumbling", "size_ms": 20)"), run, disorder);
    std::string cumulate = R"("kind": "cumulate", "size_ms": 20, "step_ms": 5)";
    CHECK(rows_of("last", window(cumulate) + ", " + last, run, disorder) == tumbling);
  });
}

TEST_CASE("a session with a gap beyond everything is one window") {
  std::string counts = R"({"name": "counts", "type": "project", "input": "w", "columns": [
    {"name": "k", "expression": {"column": "k"}}, {"name": "n", "expression": {"column": "n"}},
    {"name": "s", "expression": {"column": "s"}},
    {"name": "all", "expression": {"column": "all"}}]})";
  for_logs([&](const Run& run, std::int64_t disorder) {
    Lines session =
        rows_of("counts", window(R"("kind": "session", "gap_ms": 100000000)") + ", " + counts, run,
                disorder);
    std::string whole = R"("kind": "tumbling", "size_ms": 100000000)";
    CHECK(rows_of("counts", window(whole) + ", " + counts, run, disorder) == session);
  });
}

TEST_CASE("rows without their duplicates are as many as there are distinct ones") {
  std::string known = R"({"name": "known", "type": "filter", "input": "a", "condition":
    {"call": "not", "arguments": [{"call": "is_null", "arguments": [{"column": "g"}]}]}})";
  std::string once = R"({"name": "once", "type": "dedup", "input": "known", "keys": ["k", "g"]})";
  auto count = [](const std::string& input, const std::string& what) {
    return fmt::format(R"({{"name": "w", "type": "window", "input": "{}", "keys": ["k"],
      "window": {{"kind": "tumbling", "size_ms": 100000000}},
      "aggregates": [{{"name": "n", "function": {}}}]}})",
                       input, what);
  };
  for_logs([&](const Run& run, std::int64_t) {
    CHECK(
        rows_of("w", known + ", " + once + ", " + count("once", R"("count")"), run, nothing_late) ==
        rows_of("w",
                known + ", " + count("known", R"("count_distinct", "argument": {"column": "g"})"),
                run, nothing_late));
  });
}

TEST_CASE("a condition, its opposite and neither are all rows") {
  std::string condition = R"({"call": ">", "arguments": [{"column": "g"}, {"bigint": 1}]})";
  auto filter = [&](const char* name, const std::string& what) {
    return fmt::format(R"({{"name": "{}", "type": "filter", "input": "a", "condition": {}}}, )",
                       name, what);
  };
  std::string parts =
      filter("yes", condition) +
      filter("no", R"({"call": "not", "arguments": [)" + condition + "]}") +
      filter("neither", R"({"call": "is_null", "arguments": [)" + condition + "]}") +
      R"({"name": "u", "type": "union", "inputs": ["yes", "no", "neither"]})";
  std::string all = R"({"name": "all", "type": "rekey", "input": "a", "keys": ["k"]})";
  for_logs([&](const Run& run, std::int64_t disorder) {
    CHECK(rows_of("u", parts, run, disorder) == rows_of("all", all, run, disorder));
  });
}

TEST_CASE("what a join keeps of the left side and what it does not are all of it") {
  std::string right = R"({"name": "b", "type": "project", "input": "a", "columns": [
    {"name": "kb", "expression": {"column": "k"}},
    {"name": "gb", "expression": {"column": "g"}}]}, )";
  auto join = [&](const std::string& how) {
    return right + fmt::format(R"({{"name": "j", "type": "join", "left": "a", "right": "b",
      "kind": "interval", "lower_ms": 1, "upper_ms": 9, "how": "{}",
      "keys": [{{"left": "k", "right": "kb"}}]}})",
                               how);
  };
  std::string in_time = R"({"name": "all", "type": "over", "input": "a", "aggregates": []})";
  for_logs([&](const Run& run, std::int64_t disorder) {
    Lines semi = rows_of("j", join("semi"), run, disorder),
          anti = rows_of("j", join("anti"), run, disorder);
    Lines inner = rows_of("j", join("inner"), run, disorder),
          left = rows_of("j", join("left"), run, disorder);
    CHECK(left.size() == inner.size() + anti.size());
    Lines both = semi;
    both.insert(both.end(), anti.begin(), anti.end());
    std::sort(both.begin(), both.end());
    CHECK(both == rows_of("all", in_time, run, disorder));
    for (auto& line : anti) line += " null null";
    inner.insert(inner.end(), anti.begin(), anti.end());
    std::sort(inner.begin(), inner.end());
    CHECK(inner == left);
  });
}

TEST_CASE("the frame of a key's last row is the whole key") {
  std::string over = R"({"name": "o", "type": "over", "input": "a", "keys": ["k"],
    "aggregates": [{"name": "c", "function": "count"}]}, )";
  auto window = [](const std::string& input, const std::string& what) {
    return fmt::format(R"({{"name": "w", "type": "window", "input": "{}", "keys": ["k"],
      "window": {{"kind": "tumbling", "size_ms": 100000000}},
      "aggregates": [{{"name": "n", "function": {}}}]}})",
                       input, what);
  };
  for_logs([&](const Run& run, std::int64_t) {
    CHECK(rows_of("w", over + window("o", R"("max", "argument": {"column": "c"})"), run,
                  nothing_late) == rows_of("w", window("a", R"("count")"), run, nothing_late));
  });
}

TEST_SUITE_END();
