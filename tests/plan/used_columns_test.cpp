#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "plan/used_columns.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

/// The columns of the source that are used if `nodes`, the last one "n", read it.
std::string used(const std::string& nodes, const std::string& more = "") {
  auto source = [](const char* name) {
    return fmt::format(
        R"({{"name": "{0}", "type": "source", "topic": "{0}", "event_time": "{0}t", "columns": [
        {{"name": "{0}t", "type": "timestamp"}}, {{"name": "{0}k", "type": "text"}},
        {{"name": "{0}v", "type": "bigint"}}, {{"name": "{0}w", "type": "bigint"}}]}})",
        name);
  };
  bool reads_b = nodes.find("\"b\"") != std::string::npos;
  auto plan = parse(fmt::format(
      R"({{"version": 1, "name": "p", {} "nodes": [{}, {}{}{},
         {{"name": "out", "type": "sink", "console": true, "input": "n"}}]}})",
      more, source("a"), reads_b ? source("b") : "", reads_b ? ", " : "", nodes));
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  auto bound = bind(*plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  auto columns = used_columns(*bound);
  std::string text;
  for (std::size_t source_node = 0; source_node < (reads_b ? 2 : 1); ++source_node) {
    const auto& schema = bound->nodes[source_node].schema;
    for (std::size_t i = 0; i < schema.size(); ++i) {
      if (columns[source_node][i]) text += (text.empty() ? "" : " ") + schema[i].name;
    }
  }
  return text;
}

}  // namespace

TEST_CASE("a column is used by sinks, expressions, keys, orderings, and as the event time") {
  const std::string filter =
      R"({"name": "n", "type": "filter", "input": "a", "condition": {"boolean": true}})";
  CHECK(used(filter) == "at ak av aw");
  CHECK(used(R"({"name": "n", "type": "project", "input": "a", "columns": [
                {"name": "x", "expression": {"column": "av"}}]})") == "at av");
  CHECK(used(R"({"name": "n", "type": "window", "input": "a", "keys": ["ak"],
                "window": {"kind": "tumbling", "size_ms": 5}, "aggregates": [
                {"name": "c", "function": "count", "filter": {"call": ">", "arguments":
                [{"column": "aw"}, {"bigint": 1}]}}]})") == "at ak aw");
}

TEST_CASE("what nobody behind a node uses, it need not be given") {
  const std::string top = R"({"name": "m", "type": "top", "input": "a", "keys": ["ak"], "limit": 1,
                             "order_by": [{"column": "aw"}]}, )";
  const std::string key = R"({"name": "n", "type": "project", "input": "m", "columns": [
                             {"name": "x", "expression": {"column": "ak"}}]})";
  CHECK(used(top + key) == "at ak aw");
}

TEST_CASE("a join's columns are those of its sides") {
  auto join = [](const char* how) {
    return fmt::format(R"({{"name": "m", "type": "join", "kind": "interval", "how": "{}", "left":
                          "a", "right": "b", "lower_ms": 0, "upper_ms": 5,
                          "keys": [{{"left": "ak", "right": "bk"}}]}}, )",
                       how);
  };
  auto only = [](const char* column) {
    return fmt::format(R"({{"name": "n", "type": "project", "input": "m", "columns": [
                          {{"name": "x", "expression": {{"column": "{}"}}}}]}})",
                       column);
  };
  CHECK(used(join("inner") + only("bw")) == "at ak bt bk bw");
  CHECK(used(join("left") + only("av")) == "at ak av bt bk");
  CHECK(used(join("semi") + only("av")) == "at ak av bt bk");
}

TEST_CASE("dead letters have all columns") {
  const std::string project = R"({"name": "n", "type": "project", "input": "a", "columns": [
                                 {"name": "x", "expression": {"column": "av"}}]})";
  CHECK(used(project, R"("bad_rows": {"policy": "dead_letter", "topic": "dead"},)") ==
        "at ak av aw");
}

TEST_SUITE_END();
