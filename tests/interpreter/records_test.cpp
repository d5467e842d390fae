// What comes in as records and what goes out as records.
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "interpreter/interpreter.h"
#include "interpreter/records.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

namespace {

/// One partition through a source and a sink: each record that comes out as `key=value@time`, then
/// those that are bad.
std::string through(const std::string& source, const std::vector<Record>& in,
                    const std::string& sink = R"("topic": "out")",
                    const std::string& between = "") {
  bool file = source.find("\"file\"") != source.npos;
  auto plan = plan::parse(fmt::format(
      R"({{"version": 1, "name": "p", "nodes": [{{"name": "in", "type": "source", {}
         "bad_records": {{"policy": "skip"}}, {}}}, {}{{"name": "out", "type": "sink",
         "input": "{}", {}}}]}})",
      file ? "" : "\"topic\": \"in\",", source, between, between.empty() ? "in" : "between", sink));
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  auto bound = plan::bind(*plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  Run run;
  run.logs["in"] = {"in", {in}, {}};
  auto outcome = interpret(*bound, run);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
  std::string text;
  for (const auto& record : records_of(bound->nodes.back(), outcome->sinks.at("out"))) {
    text += fmt::format("{}{}{}={}@{}", text.empty() ? "" : " ", record.kind,
                        record.key.value_or("-"), record.value.value_or("-"), record.timestamp_ms);
  }
  for (const auto& bad : outcome->bad_records) {
    text += fmt::format(" | bad {}: {}", bad.offset, bad.reason);
  }
  return text;
}

std::string columns(const std::string& names_and_types) {
  return R"("columns": [)" + names_and_types + "]";
}

}  // namespace

TEST_CASE("a JSON value becomes what its column's type says, or the record is a bad one") {
  std::string all = columns(R"j({"name": "b", "type": "boolean"}, {"name": "i", "type": "bigint"},
    {"name": "r", "type": "double"}, {"name": "d", "type": "decimal(6,2)"},
    {"name": "t", "type": "timestamp"}, {"name": "day", "type": "date"}, 
    {"name": "tags", "type": "text[]"}, {"name": "city", "type": "text", "path": "$.at.city"})j");
  CHECK(through(all, {{{},
                       R"({"b":true,"i":-5,"r":1e2,"d":3.145,"t":"2024-01-01T00:00:00Z",
      "day":"2024-02-29","tags":["x",null],"at":{"city":"Køge"}})",
                       7,
                       {}}}) ==
        R"(-={"b":true,"i":-5,"r":100,"d":3.15,"t":"2024-01-01T00:00:00Z","day":"2024-02-29",)"
        R"("tags":["x",null],"city":"Køge"}@7)");
  CHECK(through(all, {{{}, R"({"t":1000,"r":-0.0})", 7, {}}}) ==
        R"(-={"b":null,"i":null,"r":0,"d":null,"t":"1970-01-01T00:00:01Z","day":null,"tags":null,)"
        R"("city":null}@7)");
  for (const char* bad :
       {R"({"b":"true"})", R"({"i":1.0})", R"({"i":"1"})", R"({"i":1e400})", R"({"r":1e400})",
        R"({"r":"NaN"})", R"({"d":12345.67})", R"({"tags":["x",1]})", R"({"t":"soon"})",
        R"({"day":"2023-02-29"})", R"([1])", R"({"b":true)", ""}) {
    CAPTURE(bad);
    CHECK(through(all, {{{}, bad, 7, {}}}).starts_with(" | bad 0: "));
  }
  CHECK(through(all, {{{}, {}, 7, {}}}) == " | bad 0: a record without value");
}

TEST_CASE("a record's value is a line of CSV where the sink says so") {
  std::string all = columns(R"j({"name": "n", "type": "bigint"}, {"name": "t", "type": "text"},
    {"name": "at", "type": "timestamp"}, {"name": "tags", "type": "text[]"})j");
  auto line = [&](const char* value) {
    return through(all, {{{}, value, 7, {}}}, R"("topic": "out", "keys": ["n"], "format": "csv")");
  };
  CHECK(line(R"({"n":1,"t":"x","at":"2024-02-29T12:00:00Z","tags":["a"]})") ==
        "1=1,x,2024-02-29T12:00:00Z,\"[\"\"a\"\"]\"@7");
  CHECK(line(R"({"n":null,"t":"","at":null})") == "-=,\"\",,@7");
  CHECK(line(R"({"n":2,"t":"a \"b\", c"})") == "2=2,\"a \"\"b\"\", c\",,@7");
}

TEST_CASE("the record itself has columns") {
  CHECK(through(columns(R"({"name": "id", "type": "bigint", "from": "key"},
      {"name": "o", "type": "bigint", "from": "offset"},
      {"name": "p", "type": "bigint", "from": "partition"},
      {"name": "topic", "type": "text", "from": "topic"},
      {"name": "at", "type": "timestamp", "from": "timestamp"},
      {"name": "trace", "type": "text", "from": "header", "header": "trace"})"),
                {{"12", "{}", 1000, {{"trace", "a"}, {"trace", "b"}}}, {"x", "{}", 1000, {}}}) ==
        R"(-={"id":12,"o":0,"p":0,"topic":"in","at":"1970-01-01T00:00:01Z","trace":"b"}@1000)"
        R"( | bad 1: invalid input syntax for bigint: "x")");
  CHECK(through(columns(R"({"name": "at", "type": "timestamp", "from": "timestamp"})"),
                {{{}, "{}", std::int64_t{1} << 60, {}}}) == " | bad 0: at is no timestamp");
}

TEST_CASE("CSV and raw values are read") {
  std::string two = R"("format": "csv", )" +
                    columns(R"({"name": "a", "type": "text"}, {"name": "n", "type": "bigint"})");
  CHECK(through(two, {{{}, R"("x, ""y""",5)", 1, {}}, {{}, R"("",)", 1, {}}, {{}, ",", 1, {}}}) ==
        R"(-={"a":"x, \"y\"","n":5}@1 -={"a":"","n":null}@1 -={"a":null,"n":null}@1)");
  CHECK(through(two, {{{}, "a", 1, {}}, {{}, "a,b", 1, {}}, {{}, "\"a", 1, {}}}).find("@") ==
        std::string::npos);
  CHECK(through(two, {{{}, "\xff,5", 1, {}}}) == " | bad 0: not UTF-8");
  std::string raw = R"("format": "raw", )" + columns(R"({"name": "line", "type": "text"})");
  CHECK(through(raw, {{{}, "a\"b", 1, {}}, {{}, "\xff", 1, {}}}) ==
        R"(-={"line":"a\"b"}@1 | bad 1: not UTF-8)");
}

TEST_CASE("the first line of a file may say which column is where") {
  std::string source =
      R"("file": "f.csv", "format": "csv", "header_line": true, "event_time": "at", )" +
      columns(R"({"name": "n", "type": "bigint", "path": "the number"},
                                  {"name": "at", "type": "timestamp"},
                                  {"name": "none", "type": "text"})");
  CHECK(through(source, {{{}, R"(at,"the number",other)", -1, {}},
                         {{}, "2024-01-01T00:00:00Z,7,x", -1, {}},
                         {{}, "2024-01-01T00:00:00Z,7", -1, {}}}) ==
        R"(-={"n":7,"at":"2024-01-01T00:00:00Z","none":null}@1704067200000)"
        R"( | bad 2: 2 fields, where 3 are wanted)");
}

TEST_CASE("a time too far ahead of its record is a bad record, and moves no watermark") {
  std::string source = R"("event_time": "t", "ahead_max_ms": 10, )" +
                       columns(R"({"name": "t", "type": "timestamp"})");
  CHECK(through(source, {{{}, R"({"t":110})", 100, {}},
                         {{}, R"({"t":111})", 100, {}},
                         {{}, R"({"t":999})", -1, {}},
                         {{}, R"({"t":998})", 0, {}},
                         {{}, R"({})", 100, {}}}) ==
        R"(-={"t":"1970-01-01T00:00:00.110Z"}@110 -={"t":"1970-01-01T00:00:00.999Z"}@999)"
        R"( -={"t":"1970-01-01T00:00:00.998Z"}@998)"
        R"( | bad 1: the event time is more than 10 ms ahead of the record's timestamp: )"
        R"(ahead_max_ms of the source | bad 4: no event time)");
}

TEST_CASE("a record's key is one column's text, or an object") {
  std::string source = columns(R"({"name": "a", "type": "text"}, {"name": "n", "type": "bigint"})");
  std::vector<Record> in{{{}, R"({"a":"x\"y","n":5})", 1, {}}, {{}, R"({})", 1, {}}};
  CHECK(through(source, in, R"("topic": "out", "keys": ["a"])") ==
        R"(x"y={"a":"x\"y","n":5}@1 -={"a":null,"n":null}@1)");
  CHECK(through(source, in, R"("topic": "out", "keys": ["n", "a"])") ==
        R"({"n":5,"a":"x\"y"}={"a":"x\"y","n":5}@1 {"n":null,"a":null}={"a":null,"n":null}@1)");
}

TEST_CASE("a key of bytes is their text as it is, not as JSON escapes it") {
  std::string source = columns(R"({"name": "k", "type": "bytes", "from": "key"})");
  CHECK(through(source, {{"a", "{}", 1, {}}}, R"("topic": "out", "keys": ["k"])") ==
        R"(\x61={"k":"\\x61"}@1)");
}

TEST_CASE("rows that change are versions under their key, or all that happens") {
  std::string source = columns(R"({"name": "n", "type": "bigint"})");
  std::string window =
      R"({"name": "between", "type": "window", "input": "in", "lateness_ms": 100,
          "window": {"kind": "session", "gap_ms": 10},
          "aggregates": [{"name": "s", "function": "sum", "argument": {"column": "n"}}]}, )";
  std::vector<Record> in;
  for (std::int64_t time : {100, 120, 105}) in.push_back({{}, R"({"n":1})", time, {}});
  CHECK(through(source, in, R"("topic": "out", "keys": ["window_start"])", window) ==
        R"(1970-01-01T00:00:00.100Z={"window_start":"1970-01-01T00:00:00.100Z","window_end":)"
        R"("1970-01-01T00:00:00.110Z","s":1}@109 1970-01-01T00:00:00.120Z={"window_start":)"
        R"("1970-01-01T00:00:00.120Z","window_end":"1970-01-01T00:00:00.130Z","s":1}@129 )"
        R"(1970-01-01T00:00:00.100Z=-@109 1970-01-01T00:00:00.100Z={"window_start":)"
        R"("1970-01-01T00:00:00.100Z","window_end":"1970-01-01T00:00:00.115Z","s":2}@114)");
  CHECK(through(source, in, R"("topic": "out", "changes": "all")", window).find("delete-=") !=
        std::string::npos);
}

TEST_SUITE_END();
