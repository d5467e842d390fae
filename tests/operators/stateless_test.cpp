#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/harness.h"
#include "operators/union_all.h"
#include "operators/unnest.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

/// Runs the last of `nodes` on random rows, and compares.
void try_node(const std::string& nodes, const Make& make) {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    Random random(seed);
    Trial trial;
    trial.plan = plan_of(nodes, random.between(0, 30));
    trial.node = trial.plan.nodes[trial.plan.nodes.size() - 2].name;
    trial.given = Given::as_it_comes;
    for (const char* topic : {"a", "b"}) {
      trial.logs[topic] = interpreter::random_log(random, 3, 80);
    }
    check(trial, seed, make);
  }
}

}  // namespace

TEST_CASE("each item of an array makes a row, numbered if wished") {
  Make make = [](const plan::BoundPlan& plan, std::size_t node) {
    return std::make_unique<Unnest>(plan.nodes[node]);
  };
  std::string tags = R"({"name": "n", "type": "unnest", "input": "a", "column": "tags", "as": "x")";
  try_node(tags + "}", make);
  try_node(tags + R"(, "ordinality": "i"})", make);
  // A row of a row.
  try_node(tags + R"(}, {"name": "m", "type": "unnest", "input": "n", "column": "tags",
    "as": "y", "ordinality": "i"})",
           make);
  // One that changes.
  try_node(R"({"name": "w", "type": "window", "input": "a", "keys": ["k"],
    "window": {"kind": "session", "gap_ms": 10}, "lateness_ms": 30, "aggregates":
    [{"name": "all", "function": "array_agg", "argument": {"column": "v"}}]},
    {"name": "n", "type": "unnest", "input": "w", "column": "all", "as": "x"})",
           make);
}

TEST_CASE("a union gives the rows of all its inputs, and knows by which one each came") {
  Make make = [](const plan::BoundPlan&, std::size_t) { return std::make_unique<UnionAll>(); };
  try_node(R"({"name": "n", "type": "union", "inputs": ["a", "b"]})", make);
  try_node(R"({"name": "x", "type": "unnest", "input": "a", "column": "tags", "as": "x"},
    {"name": "y", "type": "unnest", "input": "b", "column": "tags", "as": "x"},
    {"name": "n", "type": "union", "inputs": ["x", "y"]})",
           make);
}

TEST_SUITE_END();
