#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "interpreter/random_pipeline.h"
#include "operators/filter.h"
#include "operators/harness.h"
#include "operators/operator_story.h"
#include "operators/project.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

std::unique_ptr<Operator> make_node(const plan::BoundPlan& plan, std::size_t node) {
  const auto& bound = plan.nodes[node];
  if (std::holds_alternative<plan::Filter>(bound.node->body)) {
    return std::make_unique<Filter>(bound);
  }
  return std::make_unique<Project>(bound, plan.nodes[bound.inputs[0]].schema);
}

/// Versions of rows of a few keys, and some that take them back.
interpreter::Log random_table(Random& random) {
  interpreter::Log log;
  log.partitions.resize(2);
  for (int i = 0; i < 60; ++i) {
    interpreter::Record record;
    record.key = fmt::format("k{}", random.below(5));
    record.timestamp_ms = 1'000 + i;
    if (!random.one_in(4)) record.value = fmt::format(R"({{"v":{}}})", random.between(-3, 3));
    log.partitions[random.below(2)].push_back(std::move(record));
  }
  return log;
}

/// Runs the last of `nodes` on random rows, and compares.
void try_node(const std::string& nodes, Given given = Given::as_it_comes) {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    Random random(seed);
    Trial trial;
    trial.plan = plan_of(nodes, random.between(0, 30));
    trial.node = trial.plan.nodes[trial.plan.nodes.size() - 2].name;
    trial.given = given;
    trial.logs["a"] = interpreter::random_log(random, 3, 80);
    trial.logs["t"] = random_table(random);
    check(trial, seed, make_node);
  }
}

const std::string table = R"({"name": "t", "type": "source", "topic": "t", "upsert": true,
  "columns": [{"name": "v", "type": "bigint"}, {"name": "k", "type": "text", "from": "key"}]}, )";
// Tables are for joins: the last node that is not one is the one tried.
const std::string looked_up = R"(, {"name": "j", "type": "join", "left": "a", "right": "n",
  "kind": "table", "how": "semi", "keys": [{"left": "k", "right": "k"}]})";

std::string filter(const std::string& input, const std::string& condition) {
  return fmt::format(R"({{"name": "n", "type": "filter", "input": "{}", "condition": {}}})", input,
                     condition);
}

const std::string above_one = R"({"call": ">", "arguments": [{"column": "v"}, {"bigint": 1}]})";
const std::string share = R"({"call": "/", "arguments": [{"bigint": 10}, {"column": "v"}]})";
const std::string share_above_one =
    R"({"call": ">", "arguments": [)" + share + R"(, {"bigint": 1}]})";

std::string project(const std::string& input) {
  return fmt::format(R"({{"name": "n", "type": "project", "input": "{}", "columns": [
    {{"name": "k", "expression": {{"column": "k"}}}},
    {{"name": "v", "expression": {{"column": "v"}}}},
    {{"name": "share", "expression": {}}},
    {{"name": "both", "expression": {{"call": "||", "arguments":
       [{{"column": "k"}}, {{"text": "-with more text than fits into a view"}}]}}}}]}})",
                     input, share);
}

/// The same with the node "n" tried, whatever is behind it.
void try_table(const std::string& nodes) {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    Random random(seed);
    Trial trial;
    trial.plan = plan_of(table + nodes + looked_up, 0);
    trial.node = "n";
    trial.given = Given::as_it_comes;
    trial.logs["a"] = interpreter::random_log(random, 1, 5);
    trial.logs["t"] = random_table(random);
    check(trial, seed, make_node);
  }
}

/// What came out of a node, and what is bad.
class Outcome final : public Context {
 public:
  Result<void> push(const column::Chunk& chunk) override {
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      say(std::array{"", "-", "+", "!"}.at(static_cast<std::size_t>(chunk.context->kinds[row])),
          chunk, row);
    }
    return {};
  }
  Result<void> push_late(const column::Chunk&, std::span<const std::uint32_t>) override {
    return {};
  }
  Result<void> reject(const column::Schema&, const column::Chunk& chunk, std::uint32_t row,
                      const std::string&) override {
    say("bad", chunk, row);
    return {};
  }
  std::int64_t now_ms() const override { return 0; }
  std::string text;

 private:
  void say(const char* mark, const column::Chunk& chunk, std::uint32_t row) {
    text += fmt::format("{}{} ", mark, chunk.columns[0]->integer(row));
  }
};

constexpr auto come = column::RowKind::insert, change = column::RowKind::update_before,
               to = column::RowKind::update_after, go = column::RowKind::erase;

/// What becomes of one chunk with the column `v`: in front `-`, `+` or `!` for what is changed or
/// gone. The filter is for 10 / v > 0 and v > 1, the projection v and 10 / v.
std::string given_of(const std::string& type,
                     const std::vector<std::pair<column::RowKind, std::int64_t>>& versions) {
  using plan::call, plan::col;
  auto number = [](std::int64_t value) { return plan::literal(column::Type::bigint, value); };
  plan::Expression quotient = call("/", {number(10), col("v")});
  plan::BoundNode node;
  node.schema = {{"v", column::Type::bigint}};
  auto bind = [&](const plan::Expression& expression) {
    node.expressions.push_back(*plan::bind_expression(expression, node.schema));
  };
  std::unique_ptr<Operator> made;
  if (type == "filter") {
    bind(call("and", {call(">", {quotient, number(0)}), call(">", {col("v"), number(1)})}));
    made = std::make_unique<Filter>(node);
  } else {
    bind(col("v"));
    bind(quotient);
    made = std::make_unique<Project>(node, node.schema);
  }
  auto column = std::make_shared<column::Vector>(column::Type(column::Type::Kind::bigint));
  auto context = std::make_shared<column::RowContext>();
  column->resize(versions.size());
  for (const auto& [kind, v] : versions) {
    column->set_integer(context->kinds.size(), v);
    context->kinds.push_back(kind);
  }
  column::Chunk chunk;
  chunk.columns = {column};
  chunk.rows = versions.size();
  chunk.selection = column::Selection::all(chunk.rows);
  chunk.context = context;
  Outcome outcome;
  auto state = made->make_state();
  REQUIRE(made->process(*state, 0, chunk, outcome).has_value());
  return outcome.text;
}

}  // namespace

TEST_CASE("a filter gives the rows for which its condition is true, and rejects those without") {
  try_node(filter("a", above_one));
  try_node(filter("a", share_above_one));
}

TEST_CASE("a projection gives every row that has valid columns") {
  try_node(project("a"));
}

TEST_CASE("rows that are changed or taken back are filtered and projected like others") {
  for (const char* aggregate : {R"("count")", R"("count", "argument": {"column": "v"})"}) {
    std::string window =
        fmt::format(R"({{"name": "s", "type": "window", "input": "a", "keys": ["k"],
      "window": {{"kind": "session", "gap_ms": 10}}, "lateness_ms": 30,
      "aggregates": [{{"name": "v", "function": {}}}]}}, )",
                    aggregate);
    try_node(window + filter("s", above_one));
    try_node(window + filter("s", share_above_one));
    // Which changes go and come apart depends on the chunks.
    try_node(window + project("s"), Given::changes);
  }
}

TEST_CASE("a table's version that does not pass takes back the one that did") {
  try_table(filter("t", above_one));
  try_table(filter("t", share_above_one));
}

TEST_CASE("of a table's row that is taken back there are the columns that are passed on") {
  try_table(project("t"));
}

TEST_CASE(
    "of a row that changes a filter lets go the old version and gives the new one, if it passes") {
  CHECK(given_of("filter", {{change, 5}, {to, 1}, {change, 1}, {to, 5}, {change, 5}, {to, 6}}) ==
        "!5 5 !5 6 ");
}

TEST_CASE("a version without a valid result is rejected when it comes, and not when it goes") {
  for (const char* node : {"filter", "project"}) {
    CAPTURE(node);
    CHECK(given_of(node, {{come, 0}, {go, 0}, {come, 5}, {go, 5}}) == "bad0 5 !5 ");
    CHECK(given_of(node, {{change, 0}, {to, 4}, {change, 4}, {to, 0}}) == "bad0 4 !4 ");
    CHECK(given_of(node, {{change, 0}, {to, 0}}) == "bad0 ");
  }
  CHECK(given_of("project", {{change, 3}, {to, 4}}) == "-3 +4 ");
}

TEST_CASE("a change that two chunks share goes in one and comes in the other") {
  CHECK(given_of("project", {{to, 3}, {change, 4}, {to, 5}, {change, 6}}) == "3 -4 +5 !6 ");
}

TEST_CASE("a filter passes on whole chunks as they are") {
  OperatorStory story(R"("type": "filter", "input": "a", "condition": )" + above_one, make_node);
  CHECK(story.tell("a 1 x 1; a 2 x 2; a 3 x -; a 1 x 3 2") == "x 2; x 3");
}

TEST_SUITE_END();
