// What makes sense: columns, types and what belongs together, and how complaints are worded.
#include <initializer_list>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "plan/bound_plan.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

const std::string source =
    R"j("type": "source", "topic": "t", "event_time": "time", "columns": [
       {"name": "time", "type": "timestamp"}, {"name": "channel", "type": "text"},
       {"name": "added", "type": "bigint"}, {"name": "price", "type": "decimal(8,2)"},
       {"name": "tags", "type": "text[]"}])j";
const std::string table =
    R"("type": "source", "topic": "c", "upsert": true, "columns": [
       {"name": "channel", "type": "text", "from": "key"}, {"name": "owner", "type": "text"}])";

/// What bind() says of a plan with the source "in", the table "names", the node "x" made of `body`
/// and a sink for each; empty if it is content.
std::string complaint(const std::string& body, const std::string& sink = R"("topic": "o")") {
  std::string json = fmt::format(
      R"({{"version": 1, "name": "p", "nodes": [{{"name": "in", {}}}, {{"name": "names", {}}},
         {{"name": "x", {}}}, {{"name": "out", "type": "sink", "input": "x", {}}},
         {{"name": "all", "type": "sink", "input": "in", "console": true}},
         {{"name": "j", "type": "join", "kind": "table", "left": "in",
                        "right": "names",
           "keys": [{{"left": "channel", "right": "channel"}}]}},
         {{"name": "joined", "type": "sink", "input": "j", "console": true}}]}})",
      source, table, body, sink);
  auto plan = parse(json);
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  auto bound = bind(*plan);
  if (bound) return "";
  CHECK(bound.error().code == Errc::plan_error);
  return bound.error().what;
}

/// The columns that "x" gives.
std::string columns(const std::string& body) {
  auto plan = parse(R"({"version": 1, "name": "p", "nodes": [{"name": "in", )" + source +
                    R"(}, {"name": "names", )" + table + R"(}, {"name": "x", )" + body +
                    R"(}, {"name": "out", "type": "sink", "console": true, "input": "x"}, 
                       {"name": "j", "type": "join", "kind": "table", "left": "in",
                        "right": "names",
                        "keys": [{"left": "channel", "right": "channel"}]},
                       {"name": "joined", "type": "sink", "input": "j", "console": true}]})");
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  auto bound = bind(*plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  std::string text;
  for (const auto& field : bound->nodes[2].schema) {
    text += (text.empty() ? "" : ", ") + field.name + " " + name(field.type);
  }
  return text;
}

struct Row {
  const char* body;
  const char* complaint;
};

}  // namespace

TEST_CASE("each node says what columns it gives") {
  CHECK(columns(R"("type": "window", "input": "in", "window": {"kind": "tumbling", "size_ms": 1000},
                   "keys": ["channel"], "aggregates": [{"name": "n", "function": "count"},
                   {"name": "revenue", "function": "sum", "argument": {"column": "price"}}])") ==
        "window_start timestamp, window_end timestamp, channel text, n bigint, revenue "
        "decimal(38,2)");
  CHECK(
      columns(
          R"("type": "unnest", "input": "in", "column": "tags", "as": "tag", "ordinality": "i")") ==
      "time timestamp, channel text, added bigint, price decimal(8,2), tags text[], tag text, i "
      "bigint");
  CHECK(columns(R"("type": "join", "kind": "table", "left": "in", "right": "names",
                   "keys": [{"left": "channel", "right": "channel"}])") ==
        "time timestamp, channel text, added bigint, price decimal(8,2), tags text[], owner text");
  CHECK(columns(R"("type": "join", "kind": "table", "how": "anti", "left": "in", "right": "names",
                   "keys": [{"left": "channel", "right": "channel"}])") ==
        "time timestamp, channel text, added bigint, price decimal(8,2), tags text[]");
  CHECK(columns(R"("type": "project", "input": "in", "columns": [{"name": "twice", "expression":
                   {"call": "*", "arguments": [{"column": "price"}, {"bigint": 2}]}}])") ==
        "twice decimal(27,2)");
}

TEST_CASE("a complaint names the node, the field, and what there is") {
  for (const auto& row : std::initializer_list<Row>{
           {R"("type": "filter", "input": "im", "condition": {"boolean": true})",
            "nodes[2] 'x': input 'im' is no node before this one; there are: in, names"},
           {R"("type": "filter", "input": "in", "condition": {"column": "added"})",
            "nodes[2] 'x' condition: must be a boolean, not bigint"},
           {R"("type": "window", "input": "in", "window": {"kind": "tumbling", "size_ms": 1000},
               "aggregates": [{"name": "n", "function": "count"},
               {"name": "s", "function": "sum", "argument": {"column": "addded"}}])",
            "nodes[2] 'x' aggregates[1].argument: column 'addded' is not there; there are: time, "
            "channel, added, price, tags"},
           {R"("type": "window", "input": "in", "window": {"kind": "session", "size_ms": 1000},
               "aggregates": [])",
            "nodes[2] 'x' window.size_ms: is none of this kind of window"},
           {R"("type": "window", "input": "in", "window": {"kind": "cumulate", "size_ms": 1000,
               "step_ms": 300}, "aggregates": [])",
            "nodes[2] 'x' window.step_ms: must divide the window's size"},
           {R"("type": "window", "input": "in", "window": {"kind": "hopping", "size_ms": 1000,
               "slide_ms": 3000}, "aggregates": [])",
            "nodes[2] 'x' window.slide_ms: is larger than the window: rows between would count "
            "nowhere"},
           {R"("type": "window", "input": "in", "window": {"kind": "tumbling", "size_ms": 1000},
               "keys": ["tags"], "aggregates": [])",
            "nodes[2] 'x' keys[0]: an array cannot be a key"},
           {R"("type": "window", "input": "in", "window": {"kind": "tumbling", "size_ms": 1000},
               "aggregates": [{"name": "p", "function": "percentile",
               "argument": {"column": "added"}}])",
            "nodes[2] 'x' aggregates[0].fraction: is missing; percentiles have one"},
           {R"("type": "window", "input": "in", "window": {"kind": "tumbling", "size_ms": 1000},
               "aggregates": [{"name": "s", "function": "sum", "fraction": 0.5,
               "argument": {"column": "added"}}])",
            "nodes[2] 'x' aggregates[0].fraction: only percentiles have one"},
           {R"("type": "project", "input": "in", "columns": [
               {"name": "a", "expression": {"bigint": 1}},
               {"name": "a", "expression": {"bigint": 2}}])",
            "nodes[2] 'x' columns[1].name: there is a column 'a' already"},
           {R"("type": "dedup", "input": "in", "keys": ["channel"], "keep": "last")",
            "nodes[2] 'x' horizon_ms: without one the last row is never known: name one, or emit "
            "updates"},
           {R"("type": "union", "inputs": ["in", "in"])", "nodes[2] 'x' inputs[1]: is there twice"},
           {R"("type": "union", "inputs": ["in", "names"])",
            "nodes[2] 'x': input 'names' is a table (upsert), which is for the right side of table "
            "and as_of joins"},
           {R"("type": "filter", "input": "names", "condition": {"boolean": true})",
            "nodes[3] 'out': input 'x' is a table (upsert), which is for the right side of table "
            "and as_of joins"},
           {R"("type": "join", "kind": "table", "left": "in", "right": "names", "keys": [])",
            "nodes[2] 'x' keys: there must be one"},
           {R"("type": "join", "kind": "table", "left": "in", "right": "names",
               "keys": [{"left": "channel", "right": "owner"}])",
            "nodes[2] 'x' keys: 'names' is looked up by its record key: one column from = key"},
           {R"("type": "join", "kind": "table", "left": "in", "right": "names",
               "keys": [{"left": "added", "right": "channel"}])",
            "nodes[2] 'x' keys[0]: bigint and text cannot be joined by; cast one"},
           {R"("type": "join", "kind": "table", "left": "in", "right": "in",
               "keys": [{"left": "channel", "right": "channel"}])",
            "nodes[2] 'x' right: 'in' has rows of 'in', and so has 'in': give the table a source "
            "of "
            "its own"},
       }) {
    CHECK(complaint(row.body) == row.complaint);
  }
}

TEST_CASE("rows that are changed later go to no node that counts them, and need a key in a topic") {
  std::string updating =
      R"("type": "top", "input": "in", "order_by": [{"column": "price"}], "limit": 3)";
  CHECK(complaint(updating) ==
        "nodes[3] 'out' keys: the input changes its rows later: they need a key, or changes = all");
  CHECK(complaint(updating, R"("topic": "o", "keys": ["channel"])") == "");
  CHECK(complaint(updating, R"("topic": "o", "changes": "all")") == "");
  CHECK(complaint(updating, R"("files": "f")") ==
        "nodes[3] 'out': files take only rows that stay as they are");
}

TEST_CASE("a topic has one use in a plan") {
  std::string window = R"("type": "window", "input": "in", "late_topic": "{}",
    "window": {"kind": "tumbling", "size_ms": 1000}, "aggregates": [])";
  auto late = [&](const std::string& topic) {
    std::string body = window;
    body.replace(body.find("{}"), 2, topic);
    return complaint(body);
  };
  CHECK(late("late") == "");
  CHECK(late("t") == "the topic 't' is read and written");
  CHECK(late("o") == "the topic 'o' would get results and what is late or bad");
}

TEST_CASE("what is looked up goes nowhere else, since it is read before everything") {
  auto with = [](const std::string& more) {
    auto plan = parse(R"({"version": 1, "name": "p", "nodes": [{"name": "in", )" + source +
                      R"(}, {"name": "rows", )" + source +
                      R"(}, {"name": "some", "type": "project", "input": "rows", "columns": [
             {"name": "channel2", "expression": {"column": "channel"}}]},
           {"name": "j", "type": "join", "kind": "table", "left": "in", "right": "some",
            "keys": [{"left": "channel", "right": "channel2"}]},
           {"name": "joined", "type": "sink", "input": "j", "topic": "o"})" +
                      more + "]}");
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    auto bound = bind(*plan);
    return bound ? std::string() : bound.error().what;
  };
  CHECK(with("") == "");
  std::string sink = R"(, {"name": "all", "type": "sink", "console": true, "input": )";
  CHECK(with(sink + "\"in\"}") == "");
  CHECK(with(sink + "\"some\"}") ==
        "nodes[3] 'j' right: 'rows' is looked up here and goes to 'all' too, but a table is read "
        "before anything else; give it another source of the same topic");
}

TEST_CASE("a view has a plain name and a key, and nothing that only topics and files have") {
  auto of = [](const std::string& sink) {
    auto plan = parse(R"({"version": 1, "name": "p", "nodes": [{"name": "in", )" + source +
                      R"(}, {"name": "out", "type": "sink", "input": "in", )" + sink + "}]}");
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    auto bound = bind(*plan);
    return bound ? "" : bound.error().what;
  };
  std::string at = "nodes[1] 'out'";
  CHECK(of(R"("view": "by.channel_1-x", "keys": ["channel"], "keep_ms": 0)") == "");
  CHECK(of(R"("view": "v")") == at + " keys: a view needs some: it keeps the last row of each key");
  CHECK(of(R"("view": "a/b", "keys": ["channel"])") ==
        at + " view: must be up to 200 letters, digits, '.', '_' and '-'");
  CHECK(of(R"("view": "v", "topic": "o", "keys": ["channel"])") ==
        at + ": writes to a topic, to the console, to files, or to a view");
  CHECK(of(R"("view": "v", "keys": ["channel"], "keep_ms": -1)") ==
        at + " keep_ms: must not be negative");
  CHECK(of(R"("topic": "o", "keep_ms": 1)") == at + " keep_ms: only a view has it");
  CHECK(of(R"("view": "v", "keys": ["channel"], "changes": "all")") ==
        at + " changes: a view keeps the last row of each key");
  CHECK(of(R"("view": "v", "keys": ["channel"], "format": "csv")") ==
        at + " format: a view has none but JSON");
}

TEST_CASE("a node that nobody reads is a mistake") {
  auto plan = parse(R"({"version": 1, "name": "p", "nodes": [{"name": "in", )" + source + "}]}");
  REQUIRE(plan.has_value());
  CHECK(bind(*plan).error().what == "nodes[0] 'in': no node takes what it gives");
}

TEST_CASE("a name that is written wrong is told where it stands") {
  auto plan = parse(R"({"version": 1, "name": "p", "nodes": [{"name": "in", )" + source +
                    R"(}, {"name": "out", "type": "sink", "input": "inn", "topic": "o"}]})");
  REQUIRE(plan.has_value());
  CHECK(bind(*plan).error().what ==
        "nodes[1] 'out': input 'inn' is no node before this one; there are: in");
}

TEST_CASE("an expression gets the casts that its functions need") {
  Schema schema{{"a", {Type::Kind::bigint}}, {"d", {Type::Kind::date}}};
  auto bound =
      bind_expression(call("+", {col("a"), literal({Type::Kind::double_precision}, 0.5)}), schema);
  REQUIRE(bound.has_value());
  CHECK(bound->arguments[0].kind == Expression::Kind::cast);
  CHECK(bound->arguments[1].kind == Expression::Kind::literal);
  CHECK(bind_expression(cast(col("d"), {Type::Kind::bigint}), schema).error().what ==
        "date cannot be cast to bigint");
}

TEST_CASE("a union and a join say which columns are in the way, and what to do") {
  auto why = [](const std::string& nodes) {
    auto plan = parse(R"({"version": 1, "name": "p", "nodes": [{"name": "a", )" + source +
                      R"(}, {"name": "b", "type": "source", "topic": "u", "event_time": "time",
               "columns": [{"name": "time", "type": "timestamp"},
                 {"name": "channel", "type": "bigint"}]}, )" +
                      nodes + R"(, {"name": "out", "type": "sink", "input": "x", "topic": "o"}]})");
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    auto bound = bind(*plan);
    return bound ? "" : bound.error().what;
  };
  CHECK(why(R"({"name": "x", "type": "union", "inputs": ["a", "b"]})") ==
        "nodes[2] 'x' inputs[1]: 'b' has other columns than 'a': column 2 is channel bigint, and "
        "channel text there; a project node brings them together");
  CHECK(why(R"({"name": "y", "type": "project", "input": "b", "columns": [
              {"name": "time", "expression": {"column": "time"}}]},
            {"name": "x", "type": "union", "inputs": ["y", "a"]})") ==
        "nodes[3] 'x' inputs[1]: 'a' has other columns than 'y': column 2 is channel text, and "
        "none there; a project node brings them together");
  CHECK(why(R"({"name": "x", "type": "join", "kind": "interval", "left": "a", "right": "b",
              "lower_ms": 0, "upper_ms": 1000,
              "keys": [{"left": "added", "right": "channel"}]})") ==
        "nodes[2] 'x' right: there is a column 'time' already: give it another name by a project "
        "node between 'b' and this join");
  std::string window = R"("type": "window", "window": {"kind": "tumbling", "size_ms": 1000}, )";
  CHECK(why(R"({"name": "w", "input": "a", "keys": ["channel"], "aggregates": [], )" + window +
            R"("lateness_ms": 0}, {"name": "x", "input": "w", "keys": ["window_start"],
               "aggregates": [], )" +
            window + R"("lateness_ms": 0})") ==
        "nodes[3] 'x' keys[0]: there is a column 'window_start' already, the window's own: give "
        "the input's another name by a project node behind 'w'");
}

TEST_CASE("a complaint about a part of an expression names the way to it") {
  Schema schema{{"a", {Type::Kind::bigint}}, {"price", decimal(10, 2)}};
  auto why = [&](const Expression& expression) {
    auto bound = bind_expression(expression, schema);
    return bound ? "" : bound.error().what;
  };
  auto text = [](const char* words) { return literal({}, std::string(words)); };
  Expression wrong = call("concat", {text("x"), col("price")});
  CHECK(why(wrong) == "no concat(text, decimal(10,2)); there are: concat(text, text*)");
  Expression nested =
      call("case", {call("=", {col("a"), literal({Type::Kind::bigint}, std::int64_t{1})}),
                    call("concat", {text("y"), wrong}), text("")});
  CHECK(why(nested) ==
        "arguments[1].arguments[1]: no concat(text, decimal(10,2)); there are: concat(text, "
        "text*)");
  CHECK(why(cast(call("lower", {col("b")}), {})) ==
        "cast.arguments[0]: column 'b' is not there; there are: a, price");
  CHECK(complaint(R"("type": "project", "input": "in", "columns": [{"name": "a", "expression":
          {"call": "case", "arguments": [{"boolean": true}, {"cast": {"column": "adde"},
           "to": "text"}]}}])") ==
        "nodes[2] 'x' columns[0].expression.arguments[1].cast: column 'adde' is not there; there "
        "are: time, channel, added, price, tags");
}

TEST_CASE("a mode has what belongs to it, within bounds") {
  auto said = [](const std::string& mode) {
    auto plan = parse(R"({"version": 1, "name": "p", "mode": )" + mode +
                      R"(, "nodes": [{"name": "in", "type": "source", "topic": "t",
                         "columns": [{"name": "a", "type": "text"}]},
                         {"name": "out", "type": "sink", "input": "in", "console": true}]})");
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    auto bound = bind(*plan);
    return bound ? "" : bound.error().what;
  };
  for (const char* fine :
       {R"({"type": "stream"})", R"({"type": "micro_batch", "trigger_ms": 1})",
        R"({"type": "batch"})", R"({"type": "batch", "schedule": "0 2 * * *"})"}) {
    CHECK(said(fine) == "");
  }
  std::string trigger =
      "mode.trigger_ms: {}; the type micro_batch, and no other, has from 1 to "
      "86400000 milliseconds between triggers";
  CHECK(said(R"({"type": "micro_batch"})") == fmt::format(fmt::runtime(trigger), 0));
  CHECK(said(R"({"type": "micro_batch", "trigger_ms": 86400001})") ==
        fmt::format(fmt::runtime(trigger), 86'400'001));
  CHECK(said(R"({"type": "batch", "trigger_ms": 5})") == fmt::format(fmt::runtime(trigger), 5));
  CHECK(said(R"({"type": "stream", "schedule": "0 2 * * *"})") ==
        "mode.schedule: belongs to the type batch, and to it alone");
  CHECK(said(R"({"type": "batch", "schedule": "0 2 31 2 *"})") ==
        "mode.schedule: no year has a day of '0 2 31 2 *'");
  CHECK(said(R"({"type": "batch", "schedule": ")" + std::string(201, ' ') + "\"}") ==
        "mode.schedule: longer than the 200 bytes it may be");
}

TEST_SUITE_END();
