// Deployed pipelines whose catalog cannot be written for a while.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/service_world.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// So large that each record of the catalog needs pages of its own.
std::string large(std::string plan) {
  std::string column = R"({"name": "n", "type": "bigint"})";
  std::string more = column;
  for (int i = 0; i < 40; ++i) {
    more += fmt::format(R"(, {{"name": "{}{}", "type": "bigint"}})", std::string(200, 'x'), i);
  }
  return plan.replace(plan.find(column), column.size(), more);
}

std::string batch_plan(const std::string& schedule = "") {
  std::string at = schedule.empty() ? "" : R"(, "schedule": ")" + schedule + "\"";
  return large(plan_text("p", 0, R"("mode": {"type": "batch")" + at + "},"));
}

void fill_disk(ServiceWorld& world) {
  world.files().set_free_bytes(0);
}
void empty_disk(ServiceWorld& world) {
  world.files().set_free_bytes({});
}

}  // namespace

TEST_CASE("a batch whose end cannot be written down ends when there is room, as it ended") {
  ServiceWorld world;
  world.log.end = 10;
  world.log.speed = 1;
  world.deploy(batch_plan("* * * * *"));
  // The first minute comes, and the run takes a tenth of a second.
  while (world.log.started.empty()) REQUIRE(world.sim.run_one());
  fill_disk(world);
  world.pass(1s);
  CHECK(world.log.outputs["out"].size() == 10);
  CHECK(contains(world.why(),
                 "It was to note the end of its run, and could not, once in a row: it "
                 "cannot be remembered: "));
  CHECK(contains(world.why(), "It is tried again in"));
  CHECK(
      contains(world.show(), R"("held_up":[{"duty":"note the end of its run","error":"it cannot)"));
  world.pass(100s);
  CHECK(world.log.started.size() == 1);
  empty_disk(world);
  world.pass(60s);
  // The minutes that have passed since its end are made up for, once.
  CHECK(world.log.started.size() == 2);
  CHECK(contains(world.show(), R"("held_up":[])"));
  CHECK_FALSE(contains(world.why(), "could not"));
  world.pass(60s);
  CHECK(world.log.started.size() == 3);
}

TEST_CASE("a batch whose end could not be written down may be told to run again") {
  ServiceWorld world;
  world.log.end = 10;
  world.log.speed = 1;
  world.deploy(batch_plan());
  world.run_now();
  fill_disk(world);
  world.pass(30s);
  CHECK(contains(world.run_now(), "it cannot be remembered"));
  empty_disk(world);
  CHECK(contains(world.run_now(), "p runs"));
  world.pass(1s);
  CHECK(world.log.started.size() == 2);
  CHECK(world.log.outputs["out"].size() == 20);
  CHECK(contains(world.show(), R"("runs":2)"));
}

TEST_CASE("an end that could not be written down is noted at once where somebody says resume") {
  ServiceWorld world;
  world.log.end = 10;
  world.log.speed = 1;
  world.deploy(batch_plan());
  world.run_now();
  fill_disk(world);
  world.pass(50s);
  empty_disk(world);
  CHECK(contains(world.show(), R"("duty":"note the end of its run")"));
  CHECK(contains(world.resume(), "p tries again"));
  world.pass(100ms);
  CHECK(contains(world.show(), R"("held_up":[])"));
}

TEST_CASE("a replay's end that cannot be written down is noted when there is room") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(large(plan_text()));
  world.pass(1s);
  world.deploy(large(plan_text("p", 7)));
  world.log.speed = 1;
  ReplayRequest request;
  request.to = "40";
  world.replay(request);
  fill_disk(world);
  world.pass(10s);
  CHECK(world.log.outputs["out.v2"].size() == 40);
  CHECK(contains(world.show_replay(), R"("done":false)"));
  CHECK(contains(world.why(), "It was to note how far the replay of version 2 is, and could not"));
  empty_disk(world);
  world.pass(60s);
  CHECK(contains(world.show_replay(), R"("done":true)"));
  CHECK(contains(world.show(), R"("held_up":[])"));
}

TEST_CASE("a scheduled run that cannot begin is tried again after pauses that grow") {
  ServiceWorld world;  // which begins at 2023-11-14T22:13:20Z
  world.log.end = 10;
  world.deploy(batch_plan("0 2 * * *"));
  world.pass(1h);
  fill_disk(world);
  int writes = 0;
  world.files().watch_changes([&](const file::DiskChange& change) {
    if (change.kind == file::DiskChange::Kind::write) ++writes;
  });
  world.pass(2h + 50min);
  CHECK(writes < 10);
  writes = 0;
  world.pass(10min);
  // 1 s, 2 s, ... up to a minute, and what the disk itself tries.
  CHECK(writes > 5);
  CHECK(writes < 60);
  CHECK(world.log.started.empty());
  CHECK(contains(world.why(), "It was to begin its next run, and could not, "));
  world.files().watch_changes(nullptr);
  empty_disk(world);
  world.pass(61s);
  CHECK(world.log.started.size() == 1);
  CHECK(world.wrong(10) == "");
  CHECK(contains(world.show(), R"("held_up":[])"));
}

TEST_CASE("what is held up is forgotten when nobody needs it any more") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(batch_plan("0 2 * * *"));
  world.pass(3h);
  fill_disk(world);
  world.pass(1h + 1min);
  CHECK(contains(world.why(), "It was to begin its next run"));
  empty_disk(world);
  world.pause();
  world.pass(2min);
  CHECK(contains(world.show(), R"("held_up":[])"));
}

TEST_SUITE_END();
