// Plans that are hostile, or were made by a program that went wrong: refused, with the place.
#include <chrono>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "plan/bound_plan.h"
#include "plan/limits.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

const std::string head = R"({"version": 1, "name": "p", "nodes": [
  {"name": "in", "type": "source", "topic": "t", "columns": [{"name": "n", "type": "bigint"},
    {"name": "s", "type": "text"}]})";
const std::string tail = R"(, {"name": "out", "type": "sink", "input": "x", "topic": "o"}]})";

std::string filter(const std::string& condition) {
  return head + R"(, {"name": "x", "type": "filter", "input": "in", "condition": )" + condition +
         "}" + tail;
}

/// What parse() or bind() says; empty if they are content.
std::string complaint(const std::string& json) {
  auto plan = parse(json);
  if (!plan) return plan.error().what;
  auto bound = bind(*plan);
  return bound ? "" : bound.error().what;
}

/// not(not(... (n > 0)))
std::string nots(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += R"({"call": "not", "arguments": [)";
  text += R"({"boolean": true})";
  for (std::size_t i = 0; i < depth; ++i) text += "]}";
  return text;
}

}  // namespace

TEST_CASE("fault 40: expressions are deep or wide within bounds, and what is beyond has a place") {
  CHECK(complaint(filter(nots(expression_depth_max - 1))) == "");
  CHECK(complaint(filter(nots(expression_depth_max))) ==
        "nodes[1] 'x' condition: nested more than 200 deep");
  CHECK(complaint(filter(nots(100'000))).ends_with("nested too deep"));
  CHECK(complaint(filter(std::string(1'000'000, '['))).ends_with("nested too deep"));
  std::string wide = R"({"call": "or", "arguments": [{"boolean": true})";
  for (std::size_t i = 0; i < expression_parts_max; ++i) wide += R"(,{"boolean": true})";
  CHECK(complaint(filter(wide + "]}")) ==
        "nodes[1] 'x' condition: more than 10000 columns, literals and calls");
}

TEST_CASE("fault 40: literals and patterns have bounds") {
  auto equals = [](const std::string& text) {
    return filter(R"({"call": "=", "arguments": [{"column": "s"}, {"text": ")" + text + "\"}]}");
  };
  CHECK(complaint(equals(std::string(literal_bytes_max, 'x'))) == "");
  CHECK(complaint(equals(std::string(literal_bytes_max + 1, 'x'))) ==
        "nodes[1] 'x' condition: a literal of more than 1048576 bytes");
  auto like = [](const std::string& pattern) {
    return filter(R"({"call": "regexp_like", "arguments": [{"column": "s"}, {"text": ")" + pattern +
                  "\"}]}");
  };
  CHECK(complaint(like("^a+$")) == "");
  // Each is refused where regexp_like() asks for a pattern.
  for (const std::string& pattern : {std::string("("), std::string(regex_bytes_max + 1, 'x'),
                                     std::string("((a{1000}){1000}){9}")}) {
    CHECK(complaint(like(pattern)).starts_with("nodes[1] 'x' condition: "));
  }
  CHECK(complaint(head + std::string(text_bytes_max, ' ') + tail).ends_with("a plan may have"));
}

TEST_CASE("fault 40: numbers that no run could hold are refused") {
  auto window = [](const std::string& rest) {
    return head +
           R"(, {"name": "x", "type": "window", "input": "in", "window":
                {"kind": "tumbling", "size_ms": 1000}, "aggregates": [)" +
           rest + "}" + tail;
  };
  CHECK(complaint(window(R"(], "emit": "every", "every_ms": 9223372036854775807)")) ==
        "nodes[1] 'x' every_ms: must be from 0 to 366 days");
  CHECK(complaint(window(R"({"name": "a", "function": "top_n", "argument": {"column": "n"},
                             "order_by": {"column": "n"}, "limit": 9223372036854775807}])")) ==
        "nodes[1] 'x' aggregates[0].limit: must be from 1 to 1000000000");
  std::string over = R"(, {"name": "x", "type": "over", "input": "in", "aggregates": [],
                           "frame": {"rows": 9223372036854775807}})";
  CHECK(complaint(head + over + tail) == "nodes[1] 'x' frame.rows: must be from 0 to 1000000000");
  std::string top = R"(, {"name": "x", "type": "top", "input": "in", "order_by": [{"column": "n"}],
                          "limit": 9223372036854775807, "emit": "watermark"})";
  CHECK(complaint(head + top + tail) == "nodes[1] 'x' limit: must be from 1 to 1000000000");
  std::string sink =
      R"(, {"name": "x", "type": "sink", "input": "in", "topic": "o", "partitions": 4294967297}]})";
  CHECK(complaint(head + sink) == "nodes[1] 'x' partitions: must be from 0 to 100000");
  std::string slow = head;
  slow.replace(slow.find("\"topic\""), 0, "\"idle_ms\": 9223372036854775807, ");
  CHECK(complaint(slow + R"(, {"name": "x", "type": "filter", "input": "in",
                              "condition": {"boolean": true}})" +
                  tail) == "nodes[0] 'in' idle_ms: must be from 0 to 366 days");
}

TEST_CASE("fault 40: a graph with more ways through it than can be counted is bound all the same") {
  // Each pair of nodes doubles the ways from the first to the last.
  std::string json = head;
  std::string before = "in";
  constexpr int pairs = 400;
  for (int i = 0; i < pairs; ++i) {
    json += fmt::format(R"(, {{"name": "f{0}", "type": "filter", "input": "{1}",
                             "condition": {{"boolean": true}}}},
                             {{"name": "u{0}", "type": "union", "inputs": ["{1}", "f{0}"]}})",
                        i, before);
    before = fmt::format("u{}", i);
  }
  json += R"(, {"name": "names", "type": "source", "topic": "c", "upsert": true, "columns": [
      {"name": "k", "type": "text", "from": "key"}]})";
  json += fmt::format(R"(, {{"name": "x", "type": "join", "kind": "table", "left": "{}",
                           "right": "names", "keys": [{{"left": "s", "right": "k"}}]}})",
                      before);
  CHECK(complaint(json + tail) == "");
  std::string many = head;
  for (std::size_t i = 0; i < nodes_max; ++i) {
    many += fmt::format(R"(, {{"name": "n{}", "type": "rekey", "input": "in", "keys": ["s"]}})", i);
  }
  CHECK(complaint(many + tail) == "nodes: 1002, more than the 1000 a plan may have");
}

TEST_SUITE_END();
