// Time, order, windows, joins: what design.md says of them, on rows that can be counted by hand.
#include "interpreter/story.h"
#include "interpreter/windows.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

namespace {

std::string window(const std::string& shape, const std::string& more = "",
                   const std::string& aggregates =
                       R"({"name": "n", "function": "count"},
                          {"name": "s", "function": "sum", "argument": {"column": "v"}})") {
  return fmt::format(
      R"("type": "window", "input": "a", "window": {{{}}}, "keys": ["k"], "aggregates": [{}]{})",
      shape, aggregates, more);
}

const std::string tumbling = R"("kind": "tumbling", "size_ms": 10)";
const std::string session = R"("kind": "session", "gap_ms": 10)";

}  // namespace

TEST_CASE("a row counts in its window, from the start to before the end") {
  Story story({window(tumbling)});
  CHECK(story.tell({"100 x 1; 109 x 2; 110 x 4; 110 y -"}) ==
        "100 110 x 2 3; 110 120 x 1 4; 110 120 y 1 -");
}

TEST_CASE("windows before 1970 begin where others do, and an offset moves all") {
  plan::WindowShape shape;
  shape.size_ms = 10;
  CHECK(windows_of(shape, -1) == std::vector<Span>{{-10, 0}});
  CHECK(windows_of(shape, -10) == std::vector<Span>{{-10, 0}});
  shape.offset_ms = 3;
  CHECK(windows_of(shape, 2) == std::vector<Span>{{-7, 3}});
  CHECK(windows_of(shape, 3) == std::vector<Span>{{3, 13}});
}

TEST_CASE("a row is late when its window's end is at most its partition's watermark") {
  Story story({window(tumbling)});
  CHECK(story.tell({"100 x 1; 110 x 1; 109 x 1"}) == "100 110 x 1 1; 110 120 x 1 1 | late 109");
  CHECK(story.tell({"100 x 1; 109 x 1; 101 x 1"}) == "100 110 x 3 3");
  Story patient({window(tumbling)}, R"(, "disorder_ms": 5)");
  CHECK(patient.tell({"100 x 1; 114 x 1; 109 x 1; 115 x 1; 109 x 1"}) ==
        "100 110 x 2 2; 110 120 x 2 2 | late 109");
}

TEST_CASE("one partition's watermark does not make another one's rows late") {
  Story story({window(tumbling)});
  CHECK(story.tell({"200 x 1; 201 x 1", "100 x 1; 109 x 1"}) == "100 110 x 2 2; 200 210 x 2 2");
}

TEST_CASE("a hopping window's row counts in those windows alone that end after its watermark") {
  Story story({window(R"("kind": "hopping", "size_ms": 10, "slide_ms": 5)")});
  CHECK(story.tell({"100 x 1"}) == "95 105 x 1 1; 100 110 x 1 1");
  for (const char* rows : {"100 x 1; 106 x 1; 102 x 4", "100 x 1; 105 x 1; 102 x 4"})
    CHECK(story.tell({rows}) == "95 105 x 1 1; 100 110 x 3 6; 105 115 x 1 1");
}

TEST_CASE("cumulating windows grow by steps") {
  Story story({window(R"("kind": "cumulate", "size_ms": 10, "step_ms": 5)")});
  for (const char* rows : {"100 x 1; 106 x 2", "100 x 1; 105 x 2"})
    CHECK(story.tell({rows}) == "100 105 x 1 1; 100 110 x 2 3");
}

TEST_CASE("a session goes on while the next row comes less than the gap after the last one") {
  Story story({window(session)});
  CHECK(story.tell({"100 x 1; 109 x 1; 119 x 1; 105 y 1"}, {}) ==
        "100 119 x 2 2; 119 129 x 1 1 | late 105");
  CHECK(story.tell({"100 x 1; 109 x 1; 119 x 1"}) == "100 119 x 2 2; 119 129 x 1 1");
}

TEST_CASE("a session's row is judged by itself, and may then join what is there") {
  Story story({window(session)}, R"(, "disorder_ms": 0)");
  CHECK(story.tell({"100 x 1; 112 x 1; 105 x 1"}) == "100 122 x 3 3");
  CHECK(story.tell({"100 x 1; 115 x 1; 105 x 1"}) == "100 110 x 1 1; 115 125 x 1 1 | late 105");
}

TEST_CASE("a window that has no valid result on time is bad once, unless late rows give it one") {
  Story story({window(tumbling, R"(, "lateness_ms": 10)")});
  const std::string much = "100 x 9223372036854775807; 101 x 1";
  CHECK(story.tell({much}) == " | bad s: bigint out of range");
  CHECK(story.tell({much + "; 112 y 1; 102 x -1"}) ==
        "110 120 y 1 1; 100 110 x 3 9223372036854775807");
}

TEST_CASE("a window with lateness gives what it has in time, and then what becomes of it") {
  Story story({window(tumbling, R"(, "lateness_ms": 10)")});
  CHECK(story.tell({"100 x 1; 112 x 1; 105 x 1; 106 y 1; 120 x 1; 107 x 1"}) ==
        "100 110 x 1 1; 110 120 x 1 1; 120 130 x 1 1; - 100 110 x 1 1; + 100 110 x 2 2; "
        "100 110 y 1 1 | late 107");
  Story sessions({window(session, R"(, "lateness_ms": 10)")});
  CHECK(sessions.tell({"100 x 1; 116 x 1; 106 x 1"}) ==
        "100 110 x 1 1; 116 126 x 1 1; ! 100 110 x 1 1; 100 116 x 2 2");
}

TEST_CASE("a partition that was lifted when it woke has its rows judged by that") {
  Story story({window(tumbling)});
  Partitions rows{"100 x 1; 105 x 1; 106 x 1"};
  CHECK(story.tell(rows) == "100 110 x 3 3");
  CHECK(story.tell(rows, {}, {{{0, 1}, 109}}) == "100 110 x 3 3");
  CHECK(story.tell(rows, {}, {{{0, 1}, 110}}) == "100 110 x 1 1 | late 105,106");
}

TEST_CASE("aggregates leave NULLs and filtered rows out") {
  Story story({window(tumbling, "",
                      R"({"name": "n", "function": "count", "argument": {"column": "v"}},
    {"name": "big", "function": "count", "filter": {"call": ">", "arguments": [{"column": "v"},
     {"bigint": 2}]}},
    {"name": "d", "function": "count_distinct", "argument": {"column": "v"}},
    {"name": "avg", "function": "avg", "argument": {"column": "v"}},
    {"name": "min", "function": "min", "argument": {"column": "v"}},
    {"name": "first", "function": "first", "argument": {"column": "v"}},
    {"name": "last", "function": "last", "argument": {"column": "v"}},
    {"name": "all", "function": "array_agg", "argument": {"column": "v"}},
    {"name": "top", "function": "top_n", "argument": {"column": "k"}, "order_by": {"column": "v"},
     "descending": true, "limit": 2},
    {"name": "names", "function": "string_agg", "argument": {"column": "k"}, "separator": "+"})")});
  CHECK(story.tell({"103 x 3; 101 x 1; 102 x -; 104 x 3"}) ==
        "100 110 x 3 2 2 2.3333333333333335 1 1 3 [1,-,3,3] [x,x] x+x+x+x");
  CHECK(story.tell({"103 x -"}) == "100 110 x 0 0 0 - - - - [-] - x");
}

TEST_CASE("ties of time are decided by partition and offset") {
  Story story({window(tumbling, "", R"({"name": "all", "function": "array_agg",
                                         "argument": {"column": "v"}})")});
  CHECK(story.tell({"101 x 1; 100 x 2; 100 x 3", "100 x 4; 101 x 5"}) == "100 110 x [2,3,4,1,5]");
}

TEST_CASE("a sum beyond its type is a bad row, not a wrong one") {
  Story story({window(tumbling)});
  CHECK(story.tell({"100 x 9223372036854775807; 101 x 1; 102 y 1"}) ==
        "100 110 y 1 1 | bad s: bigint out of range");
  CHECK(story.tell({"100 x 9223372036854775807; 101 x 1; 102 x -1"}) ==
        "100 110 x 3 9223372036854775807");
}

TEST_CASE("windows of windows take what closes, and none of it is late") {
  Story story({window(tumbling), R"("type": "window", "input": "n0", "keys": [],
    "window": {"kind": "tumbling", "size_ms": 20},
    "aggregates": [{"name": "most", "function": "max", "argument": {"column": "s"}}])"});
  CHECK(story.tell({"100 x 1; 111 x 5; 112 y 3; 125 x 1"}) == "100 120 5; 120 140 1");
}

TEST_CASE("OVER counts the rows of the same key up to a row, both ends included") {
  auto over = [](const std::string& frame, const std::string& emit) {
    return Story({fmt::format(
                     R"("type": "over", "input": "a", "keys": ["k"], "frame": {{{}}}, "emit": "{}",
           "aggregates": [{{"name": "all", "function": "array_agg",
                            "argument": {{"column": "v"}}}}])",
                     frame, emit)},
                 R"(, "disorder_ms": 10)");
  };
  Partitions rows{"100 x 1; 105 x 2; 102 x 3; 105 x 4"};
  CHECK(over(R"("range_ms": 3)", "watermark").tell(rows) ==
        "x 1 [1]; x 3 [1,3]; x 2 [3,2,4]; x 4 [3,2,4]");
  CHECK(over(R"("rows": 1)", "watermark").tell(rows) == "x 1 [1]; x 3 [1,3]; x 2 [3,2]; x 4 [2,4]");
  CHECK(over("", "watermark").tell(rows) == "x 1 [1]; x 3 [1,3]; x 2 [1,3,2]; x 4 [1,3,2,4]");
  CHECK(over(R"("range_ms": 3)", "at_once").tell(rows) ==
        "x 1 [1]; x 2 [2]; x 3 [1,3]; x 4 [3,2,4]");
}

TEST_CASE("OVER, dedup and joins take no row behind its watermark") {
  Story story({R"("type": "dedup", "input": "a", "keys": ["k"])"});
  CHECK(story.tell({"100 x 1; 99 y 1; 100 z 1"}) == "x 1; z 1 | late 99");
}

TEST_CASE("dedup keeps the first or the last row of a key until its horizon") {
  auto dedup = [](const std::string& more) {
    return Story({R"("type": "dedup", "input": "a", "keys": ["k"])" + more},
                 R"(, "disorder_ms": 10)");
  };
  Partitions rows{"102 x 1; 100 x 2; 105 x 3; 110 x 4; 112 x 5; 103 y 6"};
  CHECK(dedup("").tell(rows) == "x 2; y 6");
  CHECK(dedup(R"(, "emit": "at_once")").tell(rows) == "x 1; y 6");
  CHECK(dedup(R"(, "horizon_ms": 10)").tell(rows) == "x 2; y 6; x 4");
  CHECK(dedup(R"(, "horizon_ms": 10, "keep": "last")").tell(rows) == "y 6; x 3; x 5");
  CHECK(dedup(R"(, "keep": "last", "emit": "update")").tell(rows) == "y 6; x 5");
}

TEST_CASE("top keeps the first rows of an order, NULL being the largest") {
  auto top = [](const std::string& more) {
    return Story({R"("type": "top", "input": "a", "keys": ["k"], "limit": 2, "rank": "r",
                     "order_by": [{"column": "v", "descending": true}])" +
                  more});
  };
  Partitions rows{"100 x 1; 101 x 3; 102 x 2; 103 x 3; 104 x -"};
  CHECK(top("").tell(rows) == "x - 1; x 3 2");
  CHECK(top(R"(, "emit": "watermark")").tell(rows) == "x 1 1; x 3 1; x 2 2; x 3 2; x - 1");
}

TEST_CASE("top with ties keeps all rows that have a rank up to the limit") {
  auto top = [](const std::string& more) {
    return Story({R"("type": "top", "input": "a", "keys": ["k"], "limit": 2, "ties": true,
                     "rank": "r", "order_by": [{"column": "v", "descending": true}])" +
                  more});
  };
  Partitions rows{"100 x 1; 101 x 3; 102 x 2; 103 x 2; 104 x 2; 105 x 1"};
  CHECK(top("").tell(rows) == "x 3 1; x 2 2; x 2 2; x 2 2");
  CHECK(top(R"(, "emit": "watermark")").tell(rows) == "x 1 1; x 3 1; x 2 2; x 2 2; x 2 2");
  CHECK(top("").tell({"100 x 3; 101 x 3; 102 x 3; 103 x 2"}) == "x 3 1; x 3 1; x 3 1");
}

namespace {

/// A join of "a" and "b", whose columns are called kb and vb.
Story join(const std::string& kind, const std::string& how) {
  return Story({R"("type": "project", "input": "b", "columns": [
      {"name": "kb", "expression": {"column": "k"}},
      {"name": "vb", "expression": {"column": "v"}}])",
                fmt::format(R"("type": "join", "left": "a", "right": "n0", "how": "{}", {},
      "keys": [{{"left": "k", "right": "kb"}}])",
                            how, kind)});
}

}  // namespace

TEST_CASE("an interval join pairs rows whose times are as far apart as it says") {
  std::string kind = R"("kind": "interval", "lower_ms": 0, "upper_ms": 5)";
  Partitions a{"100 x 1; 110 x 2; 120 - 3"}, b{"99 x 10; 100 x 11; 105 x 12; 106 x 13; 120 - 14"};
  CHECK(join(kind, "inner").tell(a, b) == "x 1 x 11; x 1 x 12");
  CHECK(join(kind, "left").tell(a, b) == "x 1 x 11; x 1 x 12; x 2 - -; - 3 - -");
  CHECK(join(kind, "semi").tell(a, b) == "x 1");
  CHECK(join(kind, "anti").tell(a, b) == "x 2; - 3");
}

TEST_CASE("a window join pairs rows of the same window") {
  std::string kind = R"("kind": "window", "window": {"kind": "tumbling", "size_ms": 10})";
  Partitions a{"100 x 1; 109 x 2; 110 x 3; 101 x 4"}, b{"100 x 10; 105 y 11"};
  CHECK(join(kind, "inner").tell(a, b) == "100 110 x 1 x 10; 100 110 x 2 x 10 | late 101");
  CHECK(join(kind, "anti").tell(a, b) == "110 120 x 3 | late 101");
}

TEST_CASE("a table join gives the last row of a key, an as-of join the last before") {
  Partitions a{"100 x 1; 110 x 2; 120 y 3"}, b{"100 x 10; 105 x 11; 111 x 12"};
  CHECK(join(R"("kind": "table")", "left").tell(a, b) == "x 1 x 12; x 2 x 12; y 3 - -");
  CHECK(join(R"("kind": "as_of")", "left").tell(a, b) == "x 1 x 10; x 2 x 11; y 3 - -");
  CHECK(join(R"("kind": "as_of")", "inner").tell(a, b) == "x 1 x 10; x 2 x 11");
}

namespace {

/// "a" joined with the table "b", whose records are `time key value`, `-` for none, and of which
/// a filter takes those with v > 0.
std::string with_table(const std::string& kind, const std::string& a, const std::string& b) {
  auto plan = plan::parse(R"({"version": 1, "name": "p", "nodes": [
    {"name": "a", "type": "source", "topic": "a", "columns": [{"name": "k", "type": "text"},
     {"name": "v", "type": "bigint"}]},
    {"name": "b", "type": "source", "topic": "b", "upsert": true, "columns": [
     {"name": "kb", "type": "text", "from": "key"},
     {"name": "w", "type": "bigint", "path": "$.v"}]},
    {"name": "some", "type": "filter", "input": "b", "condition": {"call": ">", "arguments":
     [{"column": "w"}, {"bigint": 0}]}},
    {"name": "twice", "type": "project", "input": "some", "columns": [
     {"name": "double", "expression": {"call": "*", "arguments": [{"column": "w"}, {"bigint": 2}]}},
     {"name": "id", "expression": {"column": "kb"}}]},
    {"name": "j", "type": "join", "kind": ")" +
                          kind + R"(", "how": "left", "left": "a",
     "right": "twice", "keys": [{"left": "k", "right": "id"}]},
    {"name": "out", "type": "sink", "input": "j", "console": true}]})");
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  auto bound = plan::bind(*plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  Run run{{{"a", {"a", {records(a)}, {}}}, {"b", {"b", {records(b)}, {}}}}, 0};
  for (auto& record : run.logs["b"].partitions[0]) {
    if (record.value->find("null") != std::string::npos) record.value.reset();
  }
  auto outcome = interpret(*bound, run);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
  return text_of(outcome->sinks.at("out"), bound->nodes.back().schema);
}

}  // namespace

TEST_CASE("a table's row goes with a record without value, and with one that no longer passes") {
  std::string a = "100 x 1; 101 y 2; 102 z 3";
  CHECK(with_table("table", a, "90 x 5; 91 y 6; 92 z 7; 93 x -; 94 y -1; 95 z 8") ==
        "x 1 - -; y 2 - -; z 3 16 z");
  CHECK(with_table("as_of", a, "90 x 5; 91 y 6; 92 z 7; 100 x -; 102 y -1; 103 z 8") ==
        "x 1 - -; y 2 12 y; z 3 14 z");
}

TEST_CASE("rows without a valid result go aside, alone") {
  Story story({R"("type": "filter", "input": "a", "condition": {"call": "=", "arguments": [
    {"bigint": 1}, {"call": "/", "arguments": [{"bigint": 2}, {"column": "v"}]}]})"});
  CHECK(story.tell({"100 x 0; 101 x 2; 102 x -; 103 x 1"}) == "x 2 | bad division by zero");
}

TEST_CASE("a union is all rows of its inputs") {
  Story story({R"("type": "union", "inputs": ["a", "b"])",
               R"("type": "window", "input": "n0", "window": {"kind": "tumbling", "size_ms": 10},
                  "aggregates": [{"name": "all", "function": "array_agg", "argument":
                  {"column": "v"}}])"});
  CHECK(story.tell({"100 x 2; 101 x 3"}, {"100 y 1"}) == "100 110 [2,1,3]");
}

TEST_CASE("intervals of one length are one key, shown in months, then days") {
  auto with = [](const char* name, const char* input, const char* interval) {
    return fmt::format(R"("type": "project", "input": "{}", "columns": [
      {{"name": "v", "expression": {{"column": "v"}}}},
      {{"name": "{}", "expression": {{"interval": {}}}}}])",
                       input, name, interval);
  };
  Story story({with("span", "a", R"({"days": 30})"), with("span", "a", R"({"months": 1})"),
               R"("type": "union", "inputs": ["n0", "n1"])",
               R"("type": "window", "input": "n2", "keys": ["span"],
                  "window": {"kind": "tumbling", "size_ms": 10},
                  "aggregates": [{"name": "n", "function": "count"}])"});
  CHECK(story.tell({"1 x 1; 2 x 2"}) == "0 10 1 mon 4");
}

TEST_CASE("what waited for event time comes to the next node in its order") {
  Story story({R"("type": "over", "input": "a", "aggregates": [])",
               R"("type": "dedup", "input": "n0", "keys": ["k"], "emit": "at_once")"},
              R"(, "disorder_ms": 10)");
  CHECK(story.tell({"5 x 1; 3 x 2"}) == "x 2");
}

TEST_CASE("of a row that a window takes back a filter and a projection pass on all that came") {
  Story story({window(session, R"(, "lateness_ms": 10)"),
               R"("type": "filter", "input": "n0", "condition":
                  {"call": "=", "arguments": [{"column": "n"}, {"bigint": 1}]})",
               R"("type": "project", "input": "n1", "columns": [{"name": "more", "expression":
                  {"call": "+", "arguments": [{"column": "n"}, {"bigint": 1}]}}])"});
  CHECK(story.tell({"100 x 1; 116 x 1; 106 x 1"}) == "2; 2; ! 2");
}

TEST_SUITE_END();
