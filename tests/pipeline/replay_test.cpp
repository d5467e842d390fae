// Versions beside the live one: replays, comparisons, promotions and the way back.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/service_world.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// Version 1 is live and has read 100 numbers; version 2 is deployed, if that is wanted.
class Scene : public ServiceWorld {
 public:
  explicit Scene(bool has_second = true, std::uint64_t seed = 1) : ServiceWorld(seed) {
    log.end = 100;
    deploy(plan_text());
    pass(1s);
    if (has_second) deploy(plan_text("p", 7));
  }
  const VersionRun::Options& last_started() { return log.started.back(); }
};

}  // namespace

TEST_CASE("a replay reads history beside the live version, then follows as a shadow") {
  Scene scene;
  scene.log.speed = 1;
  std::string begun = scene.replay();
  CHECK(contains(begun, "version 2 reads anew from start, beside version 1"));
  CHECK(contains(begun, R"("version":2)"));
  CHECK(scene.last_started().suffix == ".v2");
  CHECK(scene.last_started().repeat.empty());
  scene.pass(300ms);
  CHECK(contains(scene.show_replay(), R"("done":false)"));
  scene.pass(3s);
  CHECK(contains(scene.show_replay(), R"("done":true)"));
  CHECK(contains(scene.show_replay(), R"("role":"shadow")"));
  scene.log.end = 150;
  scene.pass(2s);
  CHECK(scene.wrong(150) == "");
  CHECK(scene.wrong(150, "out.v2") == "");
}

TEST_CASE("the same plan from the start repeats what the live version did; all else reads anew") {
  Scene scene(false);
  CHECK(contains(scene.replay(), "version 2 repeats what version 1 did"));
  CHECK(scene.last_started().repeat == "p.1");
  ReplayRequest request;
  request.from = "50";
  CHECK(contains(scene.replay(request), "version 2 reads anew from 50"));
  CHECK(scene.last_started().repeat.empty());
  // A filter needs no warm-up.
  REQUIRE(scene.last_started().from.size() == 1);
  CHECK(scene.last_started().from.front().offset == Offset{50});
  scene.pass(2s);
  CHECK(scene.log.outputs["out.v2"].size() == 50);
}

TEST_CASE("a plan that looks back is read from as far back as it looks, in silence") {
  ServiceWorld world;
  world.log.end = 100;
  std::string window = R"({"version": 1, "name": "p", "nodes": [
      {"name": "in", "type": "source", "topic": "in",
       "columns": [{"name": "n", "type": "bigint"}]},
      {"name": "w", "type": "window", "input": "in", "window": {"kind": "tumbling", "size_ms": 5},
       "aggregates": [{"name": "rows", "function": "count"}]},
      {"name": "out", "type": "sink", "input": "w", "topic": "out"}]})";
  world.deploy(window);
  world.pass(1s);
  ReplayRequest request;
  request.from = "60";
  CHECK(contains(world.replay(request),
                 "its warm-up reads from 1970-01-01T00:00:00.053Z of event time on, because "
                 "nodes[1] 'w' has windows of 5 ms"));
  REQUIRE(world.log.started.back().from.size() == 1);
  CHECK(world.log.started.back().from.front().offset == Offset{53});
  REQUIRE(world.log.started.back().silent_to.size() == 1);
  CHECK(world.log.started.back().silent_to.front().offset == Offset{60});
}

TEST_CASE("a replay with an end finishes there, and stays so across restarts") {
  Scene scene;
  ReplayRequest request;
  request.to = "40";
  request.flush = true;
  CHECK(contains(scene.replay(request), "then it ends at 40"));
  scene.pass(2s);
  CHECK(scene.log.outputs["out.v2"].size() == 40);
  CHECK(contains(scene.show_replay(), R"("state":"finished")"));
  std::size_t started = scene.log.started.size();
  scene.restart();
  scene.pass(2s);
  CHECK(scene.log.started.size() == started + 1);  // the live one
  CHECK(contains(scene.show_replay(), R"("state":"finished")"));
  CHECK(contains(scene.promote(2), "does not follow what arrives"));
}

TEST_CASE("a replay that is begun again leaves nothing of the first one") {
  Scene scene;
  scene.replay();
  scene.pass(2s);
  CHECK(scene.log.outputs["out.v2"].size() == 100);
  scene.replay();
  scene.pass(2s);
  CHECK(scene.wrong(100, "out.v2") == "");
}

TEST_CASE("a replay that has come to its end is begun again from there as any other") {
  Scene scene;
  ReplayRequest request;
  request.to = "40";
  scene.replay(request);
  scene.pass(2s);
  CHECK(contains(scene.show_replay(), R"("state":"finished")"));
  CHECK(scene.log.outputs["out.v2"].size() == 40);
  scene.replay();
  scene.pass(2s);
  CHECK(contains(scene.show_replay(), R"("role":"shadow")"));
  CHECK(scene.wrong(100, "out.v2") == "");
}

TEST_CASE("a comparison is of both versions at the same place, and finds what differs") {
  Scene scene;
  ReplayRequest request;
  request.diff = true;
  scene.replay(request);
  for (int i = 0; i < 30; ++i) {
    scene.log.end += 10;
    scene.pass(100ms);
  }
  scene.pass(1s);
  CHECK(contains(scene.show_replay(), R"("diff":{"changed_groups":0)"));
  CHECK(contains(scene.show_replay(), R"("same":true)"));
  REQUIRE(scene.compare.asked.size() == 1);
  auto& topic = scene.compare.asked.front().topics.front();
  CHECK(topic.live.front().end == topic.other.front().end);
  CHECK(scene.wrong(400) == "");
}

TEST_CASE("a comparison is of what both gave, where one did not begin at the start or has an end") {
  Scene scene;
  ReplayRequest request;
  request.diff = true;
  request.from = "50";
  scene.replay(request);
  scene.pass(2s);
  REQUIRE(scene.compare.asked.size() == 1);
  CHECK(scene.compare.asked.back().from_ms == 50);
  CHECK_FALSE(scene.compare.asked.back().is_from_first);
  CHECK(scene.compare.asked.back().to_ms == Comparison().to_ms);
  // Closed at its end: what the live version has gone on to fill is not compared.
  request.to = "80";
  request.flush = true;
  scene.replay(request);
  scene.pass(2s);
  REQUIRE(scene.compare.asked.size() == 2);
  CHECK(scene.compare.asked.back().from_ms == 50);
  CHECK(scene.compare.asked.back().to_ms == 79);
}

TEST_CASE("a stream beside a batch at rest is compared up to where both have read") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(plan_text("p", 0, R"("mode": {"type": "batch"},)"));
  world.run_now();
  world.pass(1s);
  std::int64_t to_ms = Comparison().to_ms;
  SUBCASE("which is the same place") {}
  SUBCASE("which the batch has come to") {
    world.log.end = 15;
    to_ms = 9;
  }
  world.deploy(plan_text());
  ReplayRequest request;
  request.diff = true;
  world.replay(request);
  world.pass(2s);
  REQUIRE(world.compare.asked.size() == 1);
  CHECK(world.compare.asked.front().to_ms == to_ms);
}

TEST_CASE("what was compared for an earlier replay says nothing of a later one") {
  Scene scene;
  scene.compare.is_slow = true;
  ReplayRequest request;
  request.diff = true;
  scene.replay(request);
  scene.pass(2s);
  REQUIRE(scene.compare.held.size() == 1);
  request.version = 2;
  scene.replay(request);
  std::exchange(scene.compare.held, {}).front()();
  scene.pass(2s);
  CHECK(contains(scene.show_replay(), R"("diff":null)"));
  REQUIRE(scene.compare.held.size() == 1);
  std::exchange(scene.compare.held, {}).front()();
  scene.pass(100ms);
  CHECK(contains(scene.show_replay(), R"("same":true)"));
}

TEST_CASE("a promotion hands over at one place: nobody reads a record twice, and none is missing") {
  Scene scene;
  scene.replay();
  scene.pass(2s);
  CHECK(contains(scene.promote(2), "version 2 of p becomes live"));
  for (int i = 0; i < 20; ++i) {
    scene.log.end += 7;
    scene.pass(100ms);
  }
  scene.pass(1s);
  CHECK(contains(scene.show(), R"("version":2)"));
  CHECK(contains(scene.show(), R"("role":"retired")"));
  CHECK(scene.wrong(240) == "");
  // The one that was live goes on as a shadow, from where it stood.
  CHECK(scene.log.outputs["out.v1"].back() == 239);
  SUBCASE("and back") {
    CHECK(contains(scene.promote(1), "version 1 of p becomes live"));
    for (int i = 0; i < 20; ++i) {
      scene.log.end += 7;
      scene.pass(100ms);
    }
    scene.pass(1s);
    CHECK(contains(scene.show(), R"("version":1)"));
    CHECK(scene.wrong(380) == "");
  }
  SUBCASE("and after a day the old one ends, and nothing is kept of it but what it wrote") {
    scene.pass(23h);
    CHECK(scene.log.committed.contains("p.1"));
    scene.pass(2h);
    CHECK_FALSE(scene.log.committed.contains("p.1"));
    CHECK(contains(scene.show(), R"("role":"ended")"));
    CHECK_FALSE(scene.log.outputs["out.v1"].empty());
    CHECK(contains(scene.promote(1), "leat pipeline replay p --version 1 --promote"));
  }
}

TEST_CASE(
    "a replay that promotes becomes live by itself, if it gave the same where that is asked") {
  Scene scene;
  ReplayRequest request;
  request.promote = true;
  request.diff = true;
  SUBCASE("the same") {
    scene.replay(request);
    scene.pass(3s);
    CHECK(contains(scene.show(), R"("version":2)"));
    CHECK(scene.wrong(100) == "");
  }
  SUBCASE("something else") {
    scene.replay(request);
    scene.log.outputs["out.v2"] = {};
    scene.pass(1ms);
    scene.log.outputs["out.v2"].push_back(7777);
    scene.pass(3s);
    CHECK_FALSE(contains(scene.show(), R"("role":"retired")"));
    CHECK(contains(scene.show_replay(), R"("same":false)"));
    CHECK(contains(scene.show_replay(), R"("promotes":false)"));
    // Somebody looked at the difference, and wants it.
    CHECK(contains(scene.promote(2), "version 2 of p becomes live"));
    scene.pass(3s);
    CHECK(contains(scene.show(), R"("version":2)"));
  }
}

TEST_CASE("a replay that is stopped leaves what it wrote, and the live version alone") {
  Scene scene;
  scene.replay();
  scene.pass(2s);
  CHECK(contains(scene.stop_replay(), "version 2 of p has ended; what it wrote stays"));
  CHECK_FALSE(scene.log.committed.contains("p.2"));
  scene.log.end = 120;
  scene.pass(2s);
  CHECK(scene.wrong(120) == "");
  CHECK(scene.log.outputs["out.v2"].size() == 100);
  CHECK(contains(scene.stop_replay(), "p has no replay"));
}

TEST_CASE("requests that make no sense say what does") {
  Scene scene;
  ReplayRequest request;
  request.flush = true;
  CHECK(contains(scene.replay(request), "--to says which"));
  request = {};
  request.to = "50";
  request.promote = true;
  CHECK(contains(scene.replay(request), "--promote and --to exclude each other"));
  request = {};
  request.from = "tomorrow";
  CHECK(contains(scene.replay(request), "'tomorrow' is no position"));
  request = {};
  request.version = 9;
  CHECK(contains(scene.replay(request), "p has no version 9"));
  CHECK(contains(scene.promote(9), "p has no version 9"));
  CHECK(contains(scene.promote(2), "leat pipeline replay p --version 2 --promote"));
  CHECK(contains(scene.promote(1), "version 1 of p is live"));
  ReplayRequest backwards;
  backwards.from = "50";
  backwards.to = "40";
  CHECK(contains(scene.replay(backwards), "--to 40 lies before --from 50"));
}

TEST_CASE(
    "where the live version cannot go on, another one takes over at the place where it stands") {
  ServiceWorld world;
  world.log.end = 100;
  world.log.fails_at[1] = {40, {Errc::bad_record, "in/0 offset 40: no number"}};
  world.deploy(plan_text());
  world.pass(60s);
  CHECK(world.log.outputs["out"].size() == 40);
  world.deploy(plan_text("p", 7));
  SUBCASE("though it has not read a record before") {}
  SUBCASE("though it is beyond that place, as a shadow") {
    world.replay();
    world.pass(2s);
    CHECK(world.log.outputs["out.v2"].size() == 100);
  }
  CHECK(contains(world.promote(2), "version 2 of p is live"));
  world.log.end = 130;
  world.pass(2s);
  CHECK(world.wrong(130) == "");
}

TEST_CASE("a paused pipeline is promoted where it stands, and goes on when it is resumed") {
  Scene scene;
  scene.replay();
  scene.pass(2s);
  scene.pause();
  scene.log.end = 150;
  CHECK(contains(scene.promote(2), "version 2 of p is live"));
  scene.pass(2s);
  CHECK(scene.log.outputs["out"].size() == 100);
  scene.resume();
  scene.pass(2s);
  CHECK(scene.wrong(150) == "");
  CHECK(contains(scene.show(), R"("version":2)"));
}

TEST_CASE("a paused pipeline is promoted back before it has read anything: no record comes twice") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(looking_back());
  world.pass(2s);
  world.deploy(looking_back("p", 7));
  world.pause();
  CHECK(contains(world.promote(2), "version 2 of p is live"));
  CHECK(contains(world.promote(1), "version 1 of p is live"));
  world.log.end = 150;
  world.resume();
  world.pass(2s);
  CHECK(world.wrong(150) == "");
}

TEST_CASE("who takes over from a version in its warm-up waits for the end of that") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(looking_back());
  world.pass(2s);
  world.deploy(looking_back("p", 7));
  world.pause();
  world.promote(2);
  world.log.speed = 1;
  world.log.end = 150;
  world.resume();
  world.pass(300ms);
  world.promote(1);
  world.pass(300ms);
  CHECK(world.log.outputs["out"].size() == 100);
  world.log.speed = 1'000'000;
  world.pass(120s);
  CHECK(world.wrong(150) == "");
  CHECK(contains(world.promote(1), "version 1 of p is live"));
}

TEST_CASE("a batch is promoted without a cut: its next run is the other version's") {
  ServiceWorld world;
  world.log.end = 10;
  std::string batch = R"("mode": {"type": "batch"},)";
  world.deploy(plan_text("p", 0, batch));
  world.run_now();
  world.pass(1s);
  world.deploy(plan_text("p", 7, batch));
  ReplayRequest request;
  request.promote = true;
  world.replay(request);
  world.pass(2s);
  CHECK(contains(world.show(), R"("version":2)"));
  CHECK(world.wrong(10, "out.v2") == "");
  world.log.outputs["out"].clear();
  world.run_now();
  world.pass(1s);
  CHECK(world.wrong(10) == "");
}

TEST_CASE("a stream takes over from a batch where its last run has ended") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(plan_text("p", 0, R"("mode": {"type": "batch"},)"));
  SUBCASE("by replaying") {
    world.run_now();
    world.pass(1s);
    world.deploy(plan_text());
    ReplayRequest request;
    request.promote = true;
    SUBCASE("of more than it has read") {
      world.log.end = 15;
    }
    SUBCASE("compared before") {
      request.diff = true;
    }
    world.replay(request);
  }
  SUBCASE("by hand") {
    world.run_now();
    world.pass(1s);
    world.log.end = 15;
    world.deploy(plan_text());
    CHECK(contains(world.promote(2), "version 2 of p is live; version 1 is kept for 24 hours"));
  }
  SUBCASE("which never was") {
    world.deploy(plan_text());
    world.promote(2);
  }
  SUBCASE("which is under way") {
    world.log.speed = 1;
    world.run_now();
    world.pass(20ms);
    world.deploy(plan_text());
    world.replay();
    REQUIRE(contains(world.show(), R"("state":"running")"));
    CHECK(contains(world.promote(2), "version 2 of p becomes live when the run of version 1 has"));
    CHECK(contains(world.why(), "Version 2 becomes live when the run of version 1 has ended."));
  }
  world.pass(5s);
  CHECK(contains(world.show(), R"("version":2,"versions")"));
  world.log.end = 20;
  world.pass(5s);
  CHECK(world.wrong(20) == "");
  CHECK(contains(world.promote(1), "version 1 of p is live"));
  CHECK(contains(world.run_now(), "p runs"));
}

TEST_CASE("a batch that was only asked where it stands reads in its first run all that is there") {
  ServiceWorld world;
  world.log.end = 10;
  world.deploy(plan_text("p", 0, R"("mode": {"type": "batch"},)"));
  world.deploy(plan_text());
  CHECK(contains(world.promote(2), "version 2 of p is live"));
  CHECK(contains(world.promote(1), "version 1 of p is live"));
  world.pass(1s);
  std::size_t given = world.log.outputs["out"].size();
  world.log.end = 20;
  CHECK(contains(world.run_now(), "p runs"));
  world.pass(1s);
  CHECK(world.log.outputs["out"].size() - given == 20);
}

TEST_CASE("a version that is not live is dropped alone, before its day is over") {
  Scene scene;
  scene.replay();
  scene.pass(2s);
  SUBCASE("one that was live") {
    scene.promote(2);
    scene.pass(2s);
    CHECK(
        contains(scene.drop_version(1), "dropped version 1 of p; what it wrote stays, in out.v1"));
    CHECK_FALSE(scene.log.committed.contains("p.1"));
    CHECK_FALSE(contains(scene.show(), R"("role":"retired")"));
    CHECK(contains(scene.drop_version(1), "error not_found: p has no version 1"));
  }
  SUBCASE("a shadow, with its topics") {
    CHECK(contains(scene.drop_version(2, true), "dropped version 2 of p, and out.v2"));
    CHECK_FALSE(scene.log.outputs.contains("out.v2"));
    CHECK_FALSE(scene.log.committed.contains("p.2"));
    // Its number is not used again.
    CHECK(contains(scene.deploy(plan_text("p", 7)), "version 3 of p"));
  }
  SUBCASE("one that was never at work") {
    scene.deploy(plan_text("p", 8));
    std::string dropped = scene.drop_version(3);
    CHECK(contains(dropped, R"("message":"dropped version 3 of p")"));
    CHECK_FALSE(contains(dropped, R"("version":3)"));
  }
  SUBCASE("but not the live one") {
    CHECK(contains(scene.drop_version(1), "error invalid_request: version 1 of p is live"));
  }
  scene.log.end = 150;
  scene.restart();
  scene.pass(2s);
  CHECK(scene.wrong(150) == "");
}

TEST_CASE("a drop of a version that a crash cut short can be asked for again") {
  for (int steps = 0; steps < 60; ++steps) {
    CAPTURE(steps);
    Scene scene;
    scene.replay();
    scene.pass(2s);
    scene.service().drop_version("p", 2, true, [](const Result<plan::Json>&) {});
    for (int i = 0; i < steps; ++i) scene.sim.run_one();
    scene.crash(true);
    scene.open();
    scene.pass(1s);
    std::string again = scene.drop_version(2, true);
    bool is_gone = contains(again, "dropped version 2") || contains(again, "has no version 2");
    CHECK_MESSAGE(is_gone, again);
    CHECK_FALSE(scene.log.committed.contains("p.2"));
    CHECK_FALSE(scene.log.outputs.contains("out.v2"));
  }
}

TEST_CASE("a version whose epochs another one repeats stays until that is through") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(plan_text());
  world.pass(1s);
  world.deploy(plan_text("p", 7));
  world.log.speed = 1;
  ReplayRequest request;
  request.version = 1;
  CHECK(contains(world.replay(request), "version 3 repeats what version 1 did"));
  world.pause();
  CHECK(contains(world.promote(2), "version 2 of p is live"));
  CHECK(contains(world.drop_version(1), "version 3 of p repeats what version 1 did"));
  world.log.speed = 1'000'000;
  world.resume();
  world.pass(3s);
  CHECK(contains(world.drop_version(1), "dropped version 1 of p"));
}

TEST_SUITE_END();
