// Plans as commands read them: what is wrong is told with the path, and with what to do.
#include <string>

#include <doctest/doctest.h>

#include "tools/plan_files.h"

TEST_SUITE_BEGIN("tools");

using namespace leat;
using namespace leat::tools;

namespace {

const std::string text = R"({"version": 1, "name": "p", "nodes": [
  {"name": "in", "type": "source", "topic": "t", "columns": [{"name": "d", "type": "date"}]},
  {"name": "x", "type": "filter", "input": "in",
   "condition": {"call": "=", "arguments": [{"column": "d"}, {"date": "${date}"}]}},
  {"name": "out", "type": "sink", "input": "x", "console": true}]})";

std::string complaint(const std::vector<std::string>& assignments) {
  auto values = parse_parameters(assignments);
  if (!values) return values.error().what;
  PlanFiles files(*values, 1'772'409'600'000);
  auto plan = files.parse("p.plan.json", text);
  if (!plan) return plan.error().what;
  auto used = files.check_all_used();
  return used ? "" : used.error().what;
}

}  // namespace

TEST_CASE("a plan is given values by name") {
  CHECK(complaint({"date=2026-03-02"}) == "");
  CHECK(complaint({}) == "p.plan.json: ${date} without a value: say --set NAME=VALUE");
  CHECK(complaint({"date=2026-02-30"}).starts_with("p.plan.json: nodes[1] 'x'"));
  CHECK(complaint({"date"}).starts_with("--set: 'date' gives no value"));
  CHECK(complaint({"date=2026-03-02", "day=1"}) == "--set day=1: no plan has ${day}");
  CHECK(complaint({"date=2026-03-02", "today=1"}) == "--set today=1: no plan has ${today}");
}

TEST_CASE("a file that cannot be read is named") {
  CHECK(read_plan_text("/no/such/file").error().what ==
        "cannot read /no/such/file: No such file or directory");
}

TEST_SUITE_END();
