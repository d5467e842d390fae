// Deployed pipelines as their operator sees them, with runs that are made up.
#include "pipeline/service.h"

#include <string>

#include <doctest/doctest.h>

#include "pipeline/service_world.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

std::string stream_plan(int bound = 0) {
  return plan_text("p", bound);
}
std::string batch_plan(const std::string& schedule = "") {
  std::string at = schedule.empty() ? "" : R"(, "schedule": ")" + schedule + "\"";
  return plan_text("p", 0, R"("mode": {"type": "batch")" + at + "},");
}

}  // namespace

TEST_CASE("a deployed pipeline runs at once, and again after each restart and crash") {
  ServiceWorld world;
  world.log.end = 100;
  std::string deployed = world.deploy(stream_plan());
  CHECK(contains(deployed, "pipeline p is deployed: version 1 is live and writes to out"));
  world.pass(1s);
  CHECK(world.wrong(100) == "");
  for (int life = 2; life < 6; ++life) {
    if (life % 2 == 0) {
      world.restart();
    } else {
      world.crash(true);
      world.open();
    }
    world.log.end = 100 * life;
    world.pass(1s);
    CHECK(world.wrong(world.log.end) == "");
    CHECK(contains(world.show(), R"("state":"running")"));
  }
  CHECK(contains(world.list(), R"("name":"p")"));
}

TEST_CASE("a plan that does not fit is refused with its place, and nothing is deployed") {
  ServiceWorld world;
  CHECK(contains(world.deploy("{"), "error plan_error"));
  CHECK(contains(world.deploy(plan_text("a/b")), "a pipeline is named like a topic"));
  std::string wrong = stream_plan();
  wrong.replace(wrong.find(R"("column": "n")"), 13, R"("column": "m")");
  CHECK(contains(world.deploy(wrong), "column 'm' is not there"));
  std::string console = stream_plan();
  console.replace(console.find(R"("topic": "out")"), 14, R"("console": true)");
  CHECK(contains(world.deploy(console), "nodes[2] 'out': a deployed pipeline has no console"));
  CHECK(world.list() == R"({"pipelines":[]})");
  CHECK(contains(world.deploy(plan_text("a.b")), "is deployed"));
  CHECK(contains(world.deploy(plan_text("a_b")), "differs from 'a.b' only in '.' and '_'"));
}

TEST_CASE("the same plan again is no change; another one is a version that does not run yet") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(stream_plan());
  world.pass(1s);
  CHECK(contains(world.deploy(stream_plan()), "no change: this is version 1 of p, which is live"));
  std::string second = world.deploy(stream_plan(7));
  CHECK(contains(second, "version 2 of p is deployed and not at work: version 1 goes on"));
  CHECK(contains(world.deploy(stream_plan(7)), "no change: this is version 2"));
  world.pass(1s);
  CHECK(world.log.started.size() == 1);
  CHECK(contains(world.show(), R"("role":"deployed")"));
  world.restart();
  CHECK(contains(world.show(), R"("role":"deployed")"));
}

TEST_CASE("a paused pipeline stands still, also across restarts, until it is resumed") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(stream_plan());
  world.pass(1s);
  CHECK(contains(world.pause(), "paused p"));
  world.log.end = 20;
  world.pass(10s);
  CHECK(world.log.outputs["out"].size() == 10);
  CHECK(contains(world.why(), "It is paused. `leat pipeline resume p` lets it go on."));
  world.restart();
  world.pass(10s);
  CHECK(world.log.outputs["out"].size() == 10);
  CHECK(contains(world.show(), R"("state":"paused")"));
  CHECK(contains(world.resume(), "resumed p"));
  world.pass(1s);
  CHECK(world.wrong(20) == "");
  CHECK(contains(world.resume(), "p is not paused"));
}

TEST_CASE("a dropped pipeline is gone with what it had committed; what it wrote stays") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(stream_plan());
  world.pass(1s);
  std::string dropped = world.drop();
  CHECK(contains(dropped, "dropped p; what it wrote stays, in out"));
  CHECK(world.log.outputs["out"].size() == 10);
  CHECK(world.log.committed.empty());
  CHECK(world.list() == R"({"pipelines":[]})");
  CHECK(contains(world.show(), "error not_found: there is no pipeline p"));
  world.log.end = 20;
  world.restart();
  world.pass(1s);
  CHECK(world.log.outputs["out"].size() == 10);
  // Another one of its name begins at the beginning.
  world.deploy(stream_plan());
  world.pass(1s);
  CHECK(world.log.outputs["out"].size() == 30);
}

TEST_CASE("a drop that a crash cut short is finished by the next start") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(stream_plan());
  world.pass(1s);
  bool answered = false;
  world.service().drop("p", false, [&](const Result<plan::Json>&) { answered = true; });
  // It is durable that it is to go, and no more.
  while (!answered && !world.log.committed.empty()) REQUIRE(world.sim.run_one());
  REQUIRE_FALSE(answered);
  world.crash(false);
  world.open();
  world.pass(1s);
  CHECK(world.list() == R"({"pipelines":[]})");
}

TEST_CASE(
    "a failing version is tried again after pauses, says why and when, and gives all in the end") {
  ServiceWorld world;
  world.log.end = 100;
  world.log.fails_at[1] = {40, {Errc::no_space, "the disk is full"}};
  world.log.failures_left = 5;
  world.deploy(stream_plan());
  world.pass(100ms);
  CHECK(contains(world.why(), "It fails, once in a row: the disk is full. It is tried again in"));
  CHECK(contains(world.show(), R"("state":"failing")"));
  world.pass(4s);  // 1 s, and 2 s behind that
  CHECK(world.log.started.size() == 3);
  CHECK(contains(world.show(), R"("failures":3)"));
  CHECK(contains(world.why(), "It fails, 3 times in a row"));
  world.pass(60s);
  CHECK(world.wrong(100) == "");
  CHECK(contains(world.show(), R"("state":"running")"));
  CHECK(contains(world.show(), R"("last_error":"the disk is full")"));
  CHECK(contains(world.show(), R"("restarts":5)"));
}

TEST_CASE(
    "a record that fails twice at the same place is not tried any more until somebody says so") {
  ServiceWorld world;
  world.log.end = 100;
  world.log.fails_at[1] = {40, {Errc::bad_record, "in/0 offset 40: no number"}};
  world.deploy(stream_plan());
  world.pass(3600s);
  CHECK(world.log.started.size() == 2);
  CHECK(contains(world.show(), R"("state":"failed")"));
  CHECK(contains(world.why(),
                 "It has failed twice in the same way, and is not tried any more: "
                 "in/0 offset 40: no number."));
  CHECK(contains(world.why(), "`leat pipeline resume p` tries again"));
  world.log.fails_at.clear();
  CHECK(contains(world.resume(), "p tries again"));
  world.pass(1s);
  CHECK(world.wrong(100) == "");
  CHECK(contains(world.show(), R"("state":"running")"));
}

TEST_CASE("a batch runs when it is told to, over what there is then, and each time anew") {
  ServiceWorld world;
  world.log.end = 10;
  CHECK(contains(world.deploy(batch_plan()),
                 "a batch that writes to out, when `leat pipeline run p` says so"));
  world.pass(60s);
  CHECK(world.log.started.empty());
  CHECK(contains(world.why(), "It is a batch and has not run yet; it has no schedule."));
  CHECK(contains(world.run_now(), "p runs"));
  world.pass(1s);
  CHECK(world.log.outputs["out"].size() == 10);
  CHECK(contains(world.show(), R"("state":"waiting")"));
  CHECK(contains(world.show(), R"("runs":1)"));
  world.log.end = 15;
  world.restart();
  world.pass(60s);
  CHECK(world.log.outputs["out"].size() == 10);
  world.run_now();
  world.pass(1s);
  CHECK(world.log.outputs["out"].size() == 25);
  CHECK(contains(world.deploy(stream_plan(3)), "version 2"));
  CHECK(contains(world.run_now(), "p runs"));
}

TEST_CASE("a batch that is told to run while it runs, or that is none, says so") {
  ServiceWorld world;
  world.log.end = 1000;
  world.log.speed = 1;
  world.deploy(batch_plan());
  world.run_now();
  world.pass(100ms);
  CHECK(contains(world.run_now(), "error invalid_request: p is running since"));
  world.deploy(plan_text("q"));
  CHECK(contains(world.run_now("q"), "q is no batch: it runs all the time"));
}

TEST_CASE("a batch with a schedule runs at its times, and shows the next one") {
  ServiceWorld world;  // which begins at 2023-11-14T22:13:20Z
  world.log.end = 10;
  world.deploy(batch_plan("0 2 * * *"));
  CHECK(contains(world.show(), R"("next_run":"2023-11-15T02:00:00Z")"));
  CHECK(contains(world.why(), "it runs next at 2023-11-15T02:00:00Z"));
  world.pass(3h);
  CHECK(world.log.started.empty());
  world.pass(1h);
  CHECK(world.log.started.size() == 1);
  CHECK(world.wrong(10) == "");
  CHECK(contains(world.show(), R"("next_run":"2023-11-16T02:00:00Z")"));
  SUBCASE("what a paused pipeline has missed, it makes up for once") {
    world.pause();
    world.pass(72h);
    CHECK(world.log.started.size() == 1);
    world.resume();
    world.pass(1h);
    CHECK(world.log.started.size() == 2);
  }
  SUBCASE("what a run did not leave time for, it does not") {
    world.log.end = 10'000;
    world.log.speed = 0;
    world.pass(71h);
    CHECK(world.log.started.size() == 2);
    world.log.speed = 1'000'000;
    world.pass(30min);
    CHECK(world.log.started.size() == 2);
    CHECK(contains(world.show(), R"("state":"waiting")"));
  }
}

TEST_CASE("a batch that a crash interrupts goes on where it was, once") {
  for (std::int64_t crash_at : {0, 1, 5, 9, 10}) {
    CAPTURE(crash_at);
    ServiceWorld world;
    world.log.end = 10;
    world.deploy(batch_plan());
    world.run_now();
    world.pass(1s);
    CHECK(world.log.outputs["out"].size() == 10);
    world.log.outputs.clear();
    world.log.speed = crash_at == 0 ? 0 : 1;
    world.run_now();
    auto written = [&] { return static_cast<std::int64_t>(world.log.outputs["out"].size()); };
    while (written() < crash_at) REQUIRE(world.sim.run_one());
    world.crash(true);
    world.log.speed = 1;
    world.open();
    world.pass(10s);
    CHECK(world.wrong(10) == "");
    CHECK(contains(world.show(), R"("state":"waiting")"));
  }
}

TEST_CASE("a batch under way that is paused over a restart goes on where it was") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(batch_plan());
  world.run_now();
  world.pass(1s);
  world.log.outputs.clear();
  world.log.speed = 1;
  world.run_now();
  while (world.log.outputs["out"].size() < 5) REQUIRE(world.sim.run_one());
  world.pause();
  world.restart();
  world.resume();
  world.pass(10s);
  CHECK(world.wrong(10) == "");
}

TEST_CASE("what is deployed under the name of a dropped pipeline has nothing of it") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(batch_plan());
  world.run_now();
  world.pass(1s);
  world.drop();
  world.log.outputs.clear();
  world.deploy(stream_plan());
  world.pass(1s);
  CHECK(contains(world.show(), R"("state":"running")"));
  CHECK(world.wrong(10) == "");
  world.drop();
  world.log.outputs.clear();
  world.deploy(batch_plan());
  world.pass(1s);
  CHECK(world.log.outputs["out"].empty());
}

TEST_CASE("what is deployed while the pipeline of its name is being dropped has nothing of it") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(batch_plan());
  world.run_now();
  world.pass(1s);
  world.log.outputs.clear();
  int answers = 0;
  auto count = [&](const Result<plan::Json>& answer) {
    REQUIRE_MESSAGE(answer, answer.error().what);
    ++answers;
  };
  world.service().drop("p", false, count);
  world.service().deploy(stream_plan(), {}, count);
  world.run_until([&] { return answers == 2; });
  world.pass(1s);
  CHECK(contains(world.show(), R"("state":"running")"));
  CHECK(contains(world.show(), R"("mode":"stream")"));
  CHECK(world.wrong(10) == "");
}

TEST_CASE("a promotion that was asked for twice while all stood still happens once") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(stream_plan());
  world.pass(1s);
  world.deploy(stream_plan(2));
  world.pause();
  int answers = 0;
  for (int i = 0; i < 2; ++i) {
    world.service().promote("p", 2, [&](const Result<plan::Json>&) { ++answers; });
  }
  world.run_until([&] { return answers == 2; });
  world.resume();
  world.log.end = 20;
  world.pass(3s);
  CHECK(contains(world.show(), R"("version":2,"versions":)"));
  CHECK(world.wrong(20) == "");
}

TEST_CASE("metrics show each version, and what it does") {
  ServiceWorld world;
  Metrics metrics;
  world.service().register_metrics(metrics);
  world.log.end = 10;
  world.deploy(stream_plan());
  world.pass(3s);
  std::string text = metrics.expose();
  CHECK(contains(text, "leat_pipeline_rows_in_total{pipeline=\"p\",version=\"1\"} 10\n"));
  CHECK(contains(text, "leat_pipeline_state{pipeline=\"p\",version=\"1\",state=\"running\"} 1\n"));
  CHECK(contains(text, "leat_pipeline_lag_records{pipeline=\"p\",version=\"1\"} 0\n"));
  world.log.fails_at[1] = {10, {Errc::no_space, "full"}};
  world.log.end = 20;
  world.pass(2s);
  text = metrics.expose();
  CHECK(contains(text, "leat_pipeline_state{pipeline=\"p\",version=\"1\",state=\"failing\"} 1\n"));
  CHECK(contains(text, "leat_pipeline_restarts_total{pipeline=\"p\",version=\"1\"} 1\n"));
}

TEST_SUITE_END();
