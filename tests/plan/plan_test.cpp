// Plans as JSON: the one spelling, and what is said of JSON that is no plan.
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "plan/difference.h"
#include "plan/plan.h"
#include "plan/random_plan.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

const std::string small = R"({"version": 1, "name": "p", "nodes": [
  {"name": "edits", "type": "source", "topic": "edits", "disorder_ms": 0,
   "columns": [{"type": "bigint", "name": "added"}]},
  {"name": "large", "type": "filter", "input": "edits",
   "condition": {"call": ">", "arguments": [{"column": "added"}, {"bigint": 100}]}},
  {"name": "out", "type": "sink", "input": "large", "topic": "large-edits"}]})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

std::string complaint(const std::string& json) {
  auto parsed = parse(json);
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().code == Errc::plan_error);
  return parsed.error().what;
}

}  // namespace

TEST_CASE("a plan has one spelling: names sorted, no blanks, defaults left out") {
  auto parsed = parse(small);
  REQUIRE(parsed.has_value());
  CHECK(print(*parsed) ==
        R"({"name":"p","nodes":[{"columns":[{"name":"added","type":"bigint"}],"name":"edits",)"
        R"("topic":"edits","type":"source"},{"condition":{"arguments":[{"column":"added"},)"
        R"({"bigint":100}],"call":">"},"input":"edits","name":"large","type":"filter"},)"
        R"({"input":"large","name":"out","topic":"large-edits","type":"sink"}],"version":1})");
}

TEST_CASE("a plan's hash is that of its meaning, and stays what it is") {
  auto plan = parse(small);
  REQUIRE(plan.has_value());
  CHECK(hash(*plan) == "c215e99d74efff5cc93dad882f19cfd3");
  CHECK(hash(*parse(replaced(small, "\"disorder_ms\": 0,", ""))) == hash(*plan));
  CHECK(hash(*parse(replaced(small, "100", "101"))) != hash(*plan));
}

TEST_CASE("a plan says when it consumes what has arrived, and its state does not hang on that") {
  auto with_mode = [](const std::string& mode) {
    return replaced(small, "\"name\": \"p\"", "\"name\": \"p\", \"mode\": " + mode);
  };
  auto plan = parse(small);
  REQUIRE(plan.has_value());
  CHECK(plan->mode.type == Mode::Type::stream);
  CHECK(print(*parse(with_mode(R"({"type": "stream"})"))) == print(*plan));
  auto batches = parse(with_mode(R"({"trigger_ms": 30000, "type": "micro_batch"})"));
  REQUIRE(batches.has_value());
  CHECK(batches->mode.type == Mode::Type::micro_batch);
  CHECK(batches->mode.trigger_ms == 30'000);
  CHECK(print(*batches).starts_with(
      R"({"mode":{"trigger_ms":30000,"type":"micro_batch"},"name":"p",)"));
  auto nightly = parse(with_mode(R"({"type": "batch", "schedule": "0 2 * * *"})"));
  REQUIRE(nightly.has_value());
  CHECK(nightly->mode.schedule == "0 2 * * *");
  CHECK(print(*parse(print(*nightly))) == print(*nightly));
  CHECK(hash(*nightly) != hash(*plan));
  CHECK(state_text(*nightly) == state_text(*plan));
  CHECK(complaint(with_mode("{}")) == "mode: 'type' is missing");
  CHECK(complaint(with_mode(R"({"type": "batches"})")) ==
        "mode.type: 'batches' is none of stream, micro_batch, batch");
  CHECK(complaint(with_mode(R"({"type": "batch", "cron": "0 2 * * *"})")) ==
        "mode: no field 'cron' is known here; there are: type, trigger_ms, schedule");
}

TEST_CASE("what is no JSON is told by line and column") {
  CHECK(complaint("{\n  \"version\": 1,\n  \"name\": \"ä\" x\n}") ==
        "not JSON: line 3, column 15: expected ',' or '}'");
  CHECK(complaint("{\n") == "not JSON: line 2, column 1: expected a string");
}

TEST_CASE("what is printed reads back as the same plan, whatever it is") {
  std::set<std::string> hashes;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Plan plan = random_plan(random);
    std::string text = print(plan);
    auto again = parse(text);
    REQUIRE_MESSAGE(again.has_value(), again.error().what);
    REQUIRE(print(*again) == text);
    hashes.insert(hash(plan));
  }
  CHECK(hashes.size() > 1500);
}

TEST_CASE("a message says where in the plan something does not fit") {
  struct Row {
    const char* from;
    const char* to;
    const char* message;
  };
  for (const auto& row : std::initializer_list<Row>{
           {"\"version\": 1,", "", "'version' is missing"},
           {"\"version\": 1,", "\"version\": 2,", "version 2 is not known, 1 is"},
           {"\"nodes\"", "\"node\"",
            "no field 'node' is known here; there are: nodes, version, name, mode, bad_rows"},
           {"\"type\": \"sink\"", "\"type\": \"sing\"",
            "nodes[2] 'out': no node is a 'sing'; there are: source, filter, project, unnest, "
            "union, rekey, "
            "window, over, top, dedup, join, sink"},
           {"\"disorder_ms\": 0", "\"disorder_ms\": 1.5",
            "nodes[0] 'edits' disorder_ms: must be a whole number"},
           {"\"disorder_ms\"", "\"disorder\"",
            "nodes[0] 'edits': no field 'disorder' is known here; there are: name, type, topic, "
            "file, format, header_line, columns, event_time, disorder_ms, ahead_max_ms, idle_ms, "
            "bad_records, upsert"},
           {"\"type\": \"bigint\"", "\"type\": \"int\"",
            "nodes[0] 'edits' columns[0].type: no type 'int'; there are: boolean, bigint, double, "
            "decimal(P,S) with P up to 38, text, bytes, timestamp, date, interval, and each with "
            "[] behind it"},
           {"{\"column\": \"added\"}", "{\"column\": 1}",
            "nodes[1] 'large' condition.arguments[0].column: must be a string"},
           {"{\"bigint\": 100}", "{\"bigint\": 1e2}",
            "nodes[1] 'large' condition.arguments[1]: this is no bigint"},
           {"{\"bigint\": 100}", "{\"integer\": 100}",
            "nodes[1] 'large' condition.arguments[1]: 'integer' is neither column, null, call nor "
            "cast, "
            "nor a type"},
           {"{\"bigint\": 100}", "{\"bigint\": 100, \"text\": \"\"}",
            "nodes[1] 'large' condition.arguments[1]: an expression is a column, a literal, call "
            "or cast"},
           {"\"topic\": \"edits\"", "\"topic\": \"edits\", \"format\": \"xml\"",
            "nodes[0] 'edits' format: 'xml' is none of json, csv, raw"},
           {"\"name\": \"p\"", "\"name\": \"p\", \"name\": \"q\"",
            "not JSON: line 1, column 36: the name 'name' is here twice"},
       }) {
    CHECK(complaint(replaced(small, row.from, row.to)) == row.message);
  }
}

TEST_SUITE_END();
