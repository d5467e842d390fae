// Which lines of files are rows.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "stream/file_batch.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

const std::string numbers = R"("columns": [{"name": "v", "type": "bigint"}])";

}  // namespace

TEST_CASE("blank lines of files are no records, where a line must say something") {
  const std::string seen = R"({"name": "seen", "type": "sink", "input": "in", "console": true})";
  FileBatch world;
  world.write("\n{\"v\":1}\n \t\r\n{\"v\":2}\n\n");
  REQUIRE(world.run(numbers, seen, 1));
  CHECK(std::exchange(world.console, {}) == "{\"v\":1}\n{\"v\":2}\n");
  // What is wrong is still told by the line's number.
  world.write("\n\n{\"v\":1}\n\nwhat?\n");
  auto ran = world.run(numbers, seen, 1);
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().what.find("line 5 of /f") != std::string::npos);
  world.console.clear();
  const std::string two = R"("format": "csv", "header_line": true, "columns":
    [{"name": "v", "type": "bigint"}, {"name": "w", "type": "text"}])";
  world.write("\nw,v\na,1\n\r\nb,2\n\n");
  REQUIRE(world.run(two, seen, 2));
  CHECK(std::exchange(world.console, {}) == "{\"v\":1,\"w\":\"a\"}\n{\"v\":2,\"w\":\"b\"}\n");
  // A column's text may be empty.
  world.write("a\n\nb\n");
  REQUIRE(world.run(R"("format": "csv", "columns": [{"name": "w", "type": "text"}])", seen, 2));
  CHECK(world.console.find("\"a\"") != std::string::npos);
  CHECK(std::count(world.console.begin(), world.console.end(), '\n') == 3);
}

TEST_CASE("lines of text are rows, and go by no time") {
  const std::string raw = R"("format": "raw", "columns": [{"name": "line", "type": "text"}])";
  FileBatch world;
  world.write("first\n\nlast");
  REQUIRE(world.run(raw, R"({"name": "out", "type": "sink", "input": "in", "topic": "out"})", 2));
  CHECK(world.values("out") ==
        std::vector<std::string>{R"({"line":"first"})", R"({"line":""})", R"({"line":"last"})"});
  CHECK(world.topics.records("out", 0)[0].timestamp_ms == -1);
  auto ran = world.run(raw,
                       R"({"name": "w", "type": "window", "input": "in",
    "window": {"kind": "tumbling", "size_ms": 1000},
    "aggregates": [{"name": "n", "function": "count"}]},
    {"name": "out", "type": "sink", "input": "w", "topic": "out"})",
                       2);
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().what.find("'w': it goes by time, and nodes[0] 'in' has none") !=
        std::string::npos);
}

TEST_SUITE_END();
