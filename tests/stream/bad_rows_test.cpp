// What is seen of a run that a row without a valid result ends.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "stream/file_batch.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

const std::string quotient = R"({"name": "q", "type": "project", "input": "in", "columns": [
  {"name": "r", "expression": {"call": "/", "arguments": [{"bigint": 4}, {"column": "v"}]}}]})";

const std::string numbers = R"("columns": [{"name": "v", "type": "bigint"}])";

}  // namespace

TEST_CASE("of a row that ends a run nothing comes out, nor of what is behind it, in any branch") {
  const std::string nodes = quotient +
                            R"(, {"name": "seen", "type": "sink", "input": "q", "console": true},
                                 {"name": "out", "type": "sink", "input": "q", "topic": "out"},
                                 {"name": "raw", "type": "sink", "input": "in", "topic": "raw"})";
  for (std::size_t block_rows : {1, 2, 100}) {
    CAPTURE(block_rows);
    FileBatch world;
    world.write("{\"v\":1}\n{\"v\":0}\n{\"v\":2}\n{\"v\":1}\n");
    auto ran = world.run(numbers, nodes, block_rows);
    REQUIRE_FALSE(ran.has_value());
    CHECK(ran.error().what.find("division by zero in {\"v\":0}") != std::string::npos);
    CHECK(world.console == "{\"r\":4}\n");
    CHECK(world.values("out") == std::vector<std::string>{R"({"r":4})"});
    CHECK(world.values("raw") == std::vector<std::string>{R"({"v":1})"});
  }
}

TEST_CASE("of a bad row and a bad record the first is told") {
  const std::string nodes =
      quotient + R"(, {"name": "seen", "type": "sink", "input": "q", "console": true})";
  for (std::size_t block_rows : {1, 2, 100}) {
    CAPTURE(block_rows);
    FileBatch world;
    world.write("{\"v\":1}\n{\"v\":0}\nwhat?\n{\"v\":1}\n");
    auto ran = world.run(numbers, nodes, block_rows);
    REQUIRE_FALSE(ran.has_value());
    CHECK(ran.error().what.find("division by zero") != std::string::npos);
    world.write("{\"v\":1}\nwhat?\n{\"v\":0}\n{\"v\":1}\n");
    ran = world.run(numbers, nodes, block_rows);
    REQUIRE_FALSE(ran.has_value());
    CHECK(ran.error().what.find("line 2 of /f") != std::string::npos);
    CHECK(world.console == "{\"r\":4}\n{\"r\":4}\n");
  }
}

TEST_CASE("of a bad row and a bad record the first is told, also before windows") {
  const std::string source = R"("event_time": "at",
    "columns": [{"name": "at", "type": "timestamp"}, {"name": "v", "type": "bigint"}])";
  const std::string nodes = R"({"name": "w", "type": "window", "input": "q",
    "window": {"kind": "tumbling", "size_ms": 1000},
    "aggregates": [{"name": "n", "function": "count"}]},
    {"name": "seen", "type": "sink", "input": "w", "console": true})";
  for (bool row_first : {true, false}) {
    FileBatch world;
    std::string row = "{\"at\":1000,\"v\":0}\n", record = "what?\n";
    world.write("{\"at\":1000,\"v\":1}\n" + (row_first ? row + record : record + row));
    auto ran = world.run(source, quotient + ", " + nodes, 100);
    REQUIRE_FALSE(ran.has_value());
    CHECK((ran.error().what.find("division by zero") != std::string::npos) == row_first);
    CHECK(world.console.empty());
  }
}

TEST_SUITE_END();
