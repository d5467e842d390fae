// Plans that leave something open: each run of a batch has its own day, as it is deployed or told.
#include "pipeline/open_plan.h"

#include <string>

#include <doctest/doctest.h>

#include "pipeline/service_world.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// From the topic "in" to one that is named as what is open.
std::string open_plan(const std::string& open, const std::string& mode) {
  return R"({"version": 1, "name": "p", "mode": )" + mode + R"(, "nodes": [
    {"name": "in", "type": "source", "topic": "in", "columns": [{"name": "n", "type": "bigint"}]},
    {"name": "out", "type": "sink", "input": "in", "topic": "of-)" +
         open + R"("}]})";
}
const std::string nightly =
    open_plan("${date:-${yesterday}}", R"({"type": "batch", "schedule": "0 2 * * *"})");

/// Where the last run that was started writes to.
std::string written_to(const ServiceWorld& world) {
  REQUIRE_FALSE(world.log.started.empty());
  return std::get<plan::Sink>(world.log.started.back().plan.nodes.back().body).topic;
}

}  // namespace

TEST_CASE("a batch on a schedule is of another day each time") {
  ServiceWorld world;  // which begins at 2023-11-14T22:13:20Z
  world.log.end = 10;
  CHECK(contains(world.deploy(nightly), "version 1 is live, a batch"));
  world.pass(4h);
  CHECK(written_to(world) == "of-2023-11-14");
  world.pass(24h);
  CHECK(written_to(world) == "of-2023-11-15");
  world.restart();
  world.pass(24h);
  CHECK(written_to(world) == "of-2023-11-16");
  CHECK(world.log.started.size() == 3);
  CHECK(contains(world.deploy(nightly), "no change"));
}

TEST_CASE("a batch is run by hand for any day, once") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(nightly);
  CHECK(contains(world.run_now("p", {{"date", "2023-02-28"}}), "p runs"));
  world.pass(1s);
  CHECK(written_to(world) == "of-2023-02-28");
  CHECK(contains(world.show(), R"("set":{"date":"2023-02-28"})"));
  world.run_now();
  world.pass(1s);
  CHECK(written_to(world) == "of-2023-11-13");
  CHECK(contains(world.show(), R"("set":{})"));
  CHECK(contains(world.run_now("p", {{"day", "2023-02-28"}}), "the plan has no ${day}"));
  CHECK(world.log.started.size() == 2);
}

TEST_CASE("a run that a crash interrupts is of its own day still") {
  ServiceWorld world;
  world.log.end = 10;
  world.log.speed = 1;
  world.deploy(nightly);
  world.run_now("p", {{"date", "2023-02-28"}});
  while (world.log.outputs["out"].size() < 5) REQUIRE(world.sim.run_one());
  world.crash(true);
  world.pass(72h);
  world.open();
  world.pass(1s);
  CHECK(world.log.started.size() == 2);
  CHECK(written_to(world) == "of-2023-02-28");
}

TEST_CASE(
    "a value is given when the plan is deployed, and what runs all the time is filled in once") {
  ServiceWorld world;
  world.log.end = 10;
  std::string stream = open_plan("${where}-${today}", R"({"type": "stream"})");
  CHECK(contains(world.deploy(stream), "${where} without a value"));
  CHECK(contains(world.deploy(stream, {{"where", "here"}, {"when", "now"}}),
                 "the plan has no ${when}"));
  CHECK(contains(world.deploy(stream, {{"where", "here"}}), "version 1 is live"));
  world.pass(1s);
  CHECK(written_to(world) == "of-here-2023-11-14");
  world.restart();
  world.pass(48h);
  CHECK(written_to(world) == "of-here-2023-11-14");
  CHECK(contains(world.run_now("p"), "it runs all the time"));
}

TEST_CASE("another value, or another text, is another version") {
  ServiceWorld world;
  std::string batch = open_plan("${where}-${today}", R"({"type": "batch"})");
  world.deploy(batch, {{"where", "here"}});
  CHECK(contains(world.deploy(batch, {{"where", "here"}}), "no change"));
  CHECK(contains(world.deploy(batch, {{"where", "there"}}), "version 2"));
  world.deploy(open_plan("b", R"({"type": "batch"})"));
  CHECK(contains(world.run_now("p", {{"where", "else"}}), "p runs"));
}

TEST_SUITE_END();
