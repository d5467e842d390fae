// Ways on where the live version cannot go on: its input was deleted, its topic was made anew, it
// fails, it stands still.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/service_world.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

ReplayRequest promoting() {
  ReplayRequest request;
  request.promote = true;
  return request;
}

/// Version 1 has read 100 numbers and is paused; 150 to 199 are what is left of the topic.
class Deleted : public ServiceWorld {
 public:
  explicit Deleted(const std::string& plan = plan_text()) {
    log.end = 100;
    deploy(plan);
    pass(1s);
    pause();
    log.start = 150;
    log.end = 200;
  }
};

}  // namespace

TEST_CASE("where input was deleted, a replay of the same plan reads anew and says why") {
  Deleted world;
  world.resume();
  world.pass(60s);
  CHECK(contains(world.show(), R"("state":"failed")"));
  std::string begun = world.replay(promoting());
  CHECK(contains(begun, "version 2 reads anew from start"));
  CHECK(contains(begun, "what version 1 did cannot be repeated"));
  CHECK(contains(begun, "in begins at 150"));
  CHECK(world.log.started.back().repeat.empty());
  world.pass(5s);
  CHECK(contains(world.show(), R"("version":2,"versions")"));
  CHECK(contains(world.show_replay(), R"("anew_because":"in begins at 150")"));
  world.log.end = 230;
  world.pass(5s);
  CHECK(world.log.outputs["out"].size() == 100 + 80);
  CHECK(world.log.outputs["out"].at(100) == 150);
}

TEST_CASE("where a topic was made anew, a replay of the same plan reads anew and takes over") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(plan_text());
  world.pass(1s);
  world.pause();
  world.log.made = 2;
  world.log.end = 30;
  world.resume();
  world.pass(60s);
  CHECK(contains(world.show(), R"("state":"failed")"));
  CHECK(contains(world.replay(promoting()), "version 2 reads anew from start"));
  world.pass(5s);
  CHECK(contains(world.show(), R"("version":2,"versions")"));
  world.log.end = 50;
  world.pass(5s);
  CHECK(world.log.outputs["out"].size() == 100 + 50);
}

TEST_CASE("what cannot be repeated is what is not there: else a replay is an exact one") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(plan_text());
  world.pass(1s);
  CHECK(contains(world.replay(), "version 2 repeats what version 1 did"));
  CHECK(contains(world.show_replay(), R"("exact":true)"));
}

TEST_CASE("a promotion beside a live version that cannot recover says which records nobody read") {
  Deleted world;
  world.deploy(plan_text("p", 7));
  SUBCASE("paused") {}
  SUBCASE("failed") {
    world.resume();
    world.pass(60s);
    CHECK(contains(world.show(), R"("state":"failed")"));
  }
  SUBCASE("backing off") {
    world.resume();
    world.pass(10ms);
    CHECK(contains(world.show(), R"("state":"failing")"));
  }
  std::string promoted = world.promote(2);
  CHECK(contains(promoted, "version 2 of p is live"));
  CHECK(contains(promoted, "records 100 to 149 of partition 0 of in"));
  world.resume();
  world.log.end = 230;
  world.pass(5s);
  CHECK(world.log.outputs["out"].size() == 100 + 80);
}

TEST_CASE("a version that takes over in its warm-up does so where the first one stood") {
  Deleted world(looking_back());
  world.log.start = 50;
  world.deploy(looking_back("p", 7));
  CHECK(contains(world.promote(2), "version 2 of p is live"));
  world.resume();
  world.log.end = 230;
  world.pass(5s);
  CHECK(world.wrong(230) == "");
}

TEST_CASE("who waits to become live takes over from a live version that has halted") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(plan_text());
  world.pass(1s);
  world.deploy(plan_text("p", 7));
  world.log.fails_at[1] = {110, {Errc::bad_record, "in/0 offset 110: no number"}};
  world.log.speed = 1;
  world.replay(promoting());
  SUBCASE("it fails in the same way again") {}
  SUBCASE("it fails for some other reason, again and again") {
    world.log.fails_at[1].second.code = Errc::no_space;
  }
  world.log.end = 130;
  world.pass(60s);
  CHECK(contains(world.show(), R"("version":2,"versions")"));
  CHECK(world.wrong(130) == "");
}

TEST_CASE("a live version that fails once and works again hands over where both are") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(plan_text());
  world.pass(1s);
  world.deploy(plan_text("p", 7));
  world.replay();
  world.pass(2s);
  world.log.fails_at[1] = {110, {Errc::no_space, "the disk is full"}};
  world.log.failures_left = 1;
  world.log.end = 130;
  world.pass(300ms);
  REQUIRE(contains(world.why(), "It fails, once in a row"));
  std::size_t started = world.log.started.size();
  world.pass(3s);
  REQUIRE(contains(world.show(), R"("state":"running")"));
  CHECK(contains(world.promote(2), "version 2 of p becomes live"));
  world.pass(2s);
  CHECK(contains(world.show(), R"("version":2,"versions")"));
  CHECK(world.wrong(130) == "");
  // Nobody has begun anew: one run that was tried again, and two in their new roles.
  CHECK(world.log.started.size() == started + 3);
}

TEST_CASE("a promotion that is asked for behind a pause takes over where all stands still") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(plan_text());
  world.pass(1s);
  world.deploy(plan_text("p", 7));
  world.replay();
  world.pass(2s);
  world.service().pause("p", [](const Result<plan::Json>&) {});
  CHECK(contains(world.promote(2), "version 2 of p is live"));
  world.log.end = 130;
  world.resume();
  world.pass(2s);
  CHECK(world.wrong(130) == "");
}

TEST_CASE("a version that has failed cannot take over from one that works, and says why") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(plan_text());
  world.pass(1s);
  world.deploy(plan_text("p", 7));
  world.log.fails_at[2] = {120, {Errc::bad_record, "in/0 offset 120: no number"}};
  world.replay();
  world.pass(2s);
  world.log.end = 130;
  world.pass(60s);
  std::string refused = world.promote(2);
  CHECK(contains(refused, "error invalid_request"));
  CHECK(contains(refused, "in/0 offset 120: no number"));
  SUBCASE("one that becomes live when it has caught up says so too") {
    world.log.fails_at[2].second.code = Errc::no_space;
    world.resume();
    world.pass(1s);
    CHECK(contains(world.promote(2), "it fails: in/0 offset 120"));
    CHECK(contains(world.why(), "Version 2 is to become live, but fails"));
  }
}

TEST_CASE("cuts that come to nothing are tried again after pauses that grow, and say why") {
  ServiceWorld world;
  world.log.end = 100;
  world.deploy(plan_text());
  world.pass(1s);
  world.deploy(plan_text("p", 7));
  world.replay();
  world.pass(2s);
  world.log.cannot_meet = true;
  world.promote(2);
  world.pass(500ms);
  CHECK(contains(world.why(),
                 "Version 2 could not become live, once in a row: they cannot meet. "
                 "It is tried again in"));
  CHECK(contains(world.show(), R"("cut":{"error":"they cannot meet","failures":1)"));
  world.pass(5s);  // 1 s behind that, and 2 s
  CHECK(contains(world.why(), "could not become live, 3 times in a row"));
  world.log.cannot_meet = false;
  world.pass(10s);
  CHECK(contains(world.show(), R"("version":2,"versions")"));
  CHECK(contains(world.show(), R"("cut":null)"));
  world.log.end = 130;
  world.pass(1s);
  CHECK(world.wrong(130) == "");
}

TEST_SUITE_END();
