// Asking a server to give a pipeline its dead letters again. Runs are made up: what they read are
// numbers, which are the offsets of letters here.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/service_world.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

std::string plan_with_letters(int bound = 0) {
  return plan_text("p", bound, R"("bad_rows": {"policy": "dead_letter", "topic": "letters"},)");
}

/// Version 1 is live, has read 10 numbers and rejected some more.
class Scene : public ServiceWorld {
 public:
  explicit Scene(std::uint64_t seed = 1) : ServiceWorld(seed) {
    log.end = 10;
    deploy(plan_with_letters());
    pass(1s);
  }
  void reject(std::size_t letters) {
    auto& all = log.outputs["letters"];
    all.resize(all.size() + letters);
  }
  std::string replay_letters() {
    ReplayRequest request;
    request.dead_letters = true;
    return replay(request);
  }
  /// How often each of the letters came out, behind the ten.
  std::string given() {
    std::string text;
    const auto& out = log.outputs["out"];
    for (std::size_t i = 10; i < out.size(); ++i) text += fmt::format("{} ", out[i]);
    return text;
  }
};

}  // namespace

TEST_CASE("dead letters are given again once: what comes later is taken the next time") {
  Scene scene;
  CHECK(contains(scene.replay_letters(), "there is nothing new in letters"));
  scene.reject(3);
  std::string begun = scene.replay_letters();
  CHECK(contains(begun, "version 2 gives what letters holds of p to the plan of version 1 again"));
  CHECK(scene.log.started.back().dead_letters == "letters");
  CHECK(scene.log.started.back().suffix.empty());
  scene.pass(1s);
  CHECK(scene.given() == "0 1 2 ");
  CHECK(contains(scene.show_replay(), R"("done":true)"));
  CHECK(contains(scene.show_replay(), R"("dead_letters":"letters")"));
  CHECK(contains(scene.replay_letters(), "there is nothing new in letters"));
  scene.restart();
  scene.reject(2);
  CHECK(contains(scene.replay_letters(), R"("version":3)"));
  scene.pass(1s);
  CHECK(scene.given() == "0 1 2 3 4 ");
  CHECK_FALSE(contains(scene.show(), R"("version":2)"));
  CHECK(scene.log.committed.count("p.2") == 0);
}

TEST_CASE("a replay of dead letters that is stopped, or whose server is, goes on where it was") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Scene scene(seed);
    Random random(seed);
    scene.reject(30);
    scene.log.speed = 1;
    scene.replay_letters();
    scene.pass(std::chrono::milliseconds(random.between(0, 200)));
    switch (seed % 3) {
      case 0:
        scene.stop_replay();
        scene.pass(1s);
        CHECK(scene.log.outputs["out"].size() < 40);
        scene.restart();
        scene.replay_letters();
        break;
      case 1:
        scene.crash(random.one_in(2));
        scene.open();
        break;
      default:
        scene.stop_replay();
        scene.replay_letters();
        break;
    }
    scene.pass(5s);
    std::string all;
    for (int i = 0; i < 30; ++i) all += fmt::format("{} ", i);
    CHECK(scene.given() == all);
  }
}

TEST_CASE("a replay of dead letters that was stopped cannot be dropped: it knows how far it came") {
  Scene scene;
  scene.reject(30);
  scene.log.speed = 1;
  scene.replay_letters();
  scene.pass(5ms);
  CHECK(contains(scene.drop_version(2), "has given part of its dead letters again"));
  scene.stop_replay();
  CHECK(contains(scene.drop_version(2), "has given part of its dead letters again"));
  scene.replay_letters();
  scene.pass(5s);
  std::string all;
  for (int i = 0; i < 30; ++i) all += fmt::format("{} ", i);
  CHECK(scene.given() == all);
  CHECK(contains(scene.drop_version(3), "dropped version 3"));
  CHECK(contains(scene.replay_letters(), "there is nothing new in letters"));
}

TEST_CASE("dead letters go to the plan that is live, and do not stand in the way of versions") {
  Scene scene;
  scene.reject(2);
  scene.deploy(plan_with_letters(7));
  scene.replay_letters();
  scene.pass(1s);
  CHECK(
      contains(scene.promote(3), "version 3 of p has given dead letters again, and nothing else"));
  CHECK(contains(scene.deploy(plan_with_letters(7)), "no change: this is version 2 of p"));
  ReplayRequest request;
  request.promote = true;
  CHECK(contains(scene.replay(request), "version 2 reads anew from start"));
  scene.pass(2s);
  CHECK(contains(scene.show(), R"("version":2)"));
  CHECK(contains(scene.replay_letters(), "there is nothing new in letters"));
  scene.reject(1);
  CHECK(contains(scene.replay_letters(),
                 "version 4 gives what letters holds of p to the plan of "
                 "version 2 again"));
  CHECK(scene.log.started.back().plan.nodes.size() == 3);
}

TEST_CASE("what cannot be asked of dead letters is said, with what can") {
  Scene scene;
  ReplayRequest request;
  request.dead_letters = true;
  request.diff = true;
  CHECK(contains(scene.replay(request), "nothing but a rate, and which topic, can be said"));
  request.diff = false;
  request.topic = "others";
  CHECK(contains(scene.replay(request), "others: the topics of dead letters of p are letters"));
  scene.deploy(plan_text("q"));
  request.topic.clear();
  CHECK(contains(scene.replay(request, "q"), "q has no dead letters"));
  scene.reject(5);
  scene.log.speed = 1;
  scene.replay_letters();
  CHECK(contains(scene.replay_letters(), "version 2 is giving dead letters of p again"));
  scene.pause();
  CHECK(contains(scene.replay_letters(), "p is paused"));
}

TEST_CASE("rows that were late count in a version that waits longer for them") {
  Scene scene;
  ReplayRequest request;
  request.late = "soon";
  CHECK(contains(scene.replay(request), "'soon' says not how late: 90s, 2h and 1d12h do"));
  request.late = "90s";
  CHECK(contains(scene.replay(request), "version 2 reads anew from start"));
  const auto& source = std::get<plan::Source>(scene.log.started.back().plan.nodes.front().body);
  CHECK(source.disorder_ms == 90'000);
  CHECK(scene.log.started.back().suffix == ".v2");
  scene.pass(1s);
  CHECK(contains(scene.replay(request), "up to 90s late count in it"));
  CHECK(scene.log.started.back().version == 2);
  request.late = "2m";
  CHECK(contains(scene.replay(request), R"("version":3)"));
}

TEST_SUITE_END();
