#include <memory>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/dedup.h"
#include "operators/harness.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

std::unique_ptr<Operator> make_dedup(const plan::BoundPlan& plan, std::size_t node) {
  return std::make_unique<Dedup>(plan.nodes[node]);
}

/// Holds random dedups with these options to the judge.
void try_dedups(const std::string& options, Given given) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    Trial trial;
    std::string before = random.one_in(3) ? R"({"name": "u", "type": "unnest", "input": "a",
      "column": "tags", "as": "tag"}, )"
                                          : "";
    trial.plan = plan_of(before + fmt::format(R"({{"name": "n", "type": "dedup", "input": "{}",
      "keys": [{}]{}}})",
                                              before.empty() ? "a" : "u",
                                              random.one_in(2) ? R"("k")" : R"("g", "k")", options),
                         random.one_in(2) ? 30 : 5);
    trial.node = "n";
    trial.given = given;
    trial.logs["a"] = interpreter::random_log(random, 3, random.one_in(4) ? 300 : 60);
    check(trial, seed, make_dedup);
  }
}

}  // namespace

TEST_CASE("the first row of a key by event time is what the judge says") {
  try_dedups("", Given::in_order);
  try_dedups(R"(, "horizon_ms": 1)", Given::in_order);
  try_dedups(R"(, "horizon_ms": 40)", Given::in_order);
}

TEST_CASE("the first row of a key that comes is what the judge says") {
  try_dedups(R"(, "emit": "at_once")", Given::at_once);
  try_dedups(R"(, "emit": "at_once", "horizon_ms": 1)", Given::at_once);
  try_dedups(R"(, "emit": "at_once", "horizon_ms": 40)", Given::at_once);
}

TEST_CASE("the last row of a key within the horizon is what the judge says") {
  try_dedups(R"(, "keep": "last", "horizon_ms": 1)", Given::in_order);
  try_dedups(R"(, "keep": "last", "horizon_ms": 40)", Given::in_order);
}

TEST_SUITE_END();
