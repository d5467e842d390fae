// Servers that stop, or go, in the middle of something: whatever it is, nothing of it is left.
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "pipeline/service_world.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// What is under way when the server stops.
struct Command {
  const char* what;
  std::function<void(ServiceWorld&)> prepare;
  std::function<void(Service&, Service::Answer)> ask;
};

void replay_to_the_end(ServiceWorld& world) {
  world.replay();
  world.pass(2s);
}

void promote(Service& service, Service::Answer answer) {
  service.promote("p", 2, std::move(answer));
}

const Command commands[] = {
    {"a promotion where all stands still", [](ServiceWorld& world) { world.pause(); }, promote},
    {"one of a shadow, where all stands still",
     [](ServiceWorld& world) {
       replay_to_the_end(world);
       world.pause();
     },
     promote},
    {"one beside a version that has failed",
     [](ServiceWorld& world) {
       replay_to_the_end(world);
       world.log.fails_at[1] = {110, {Errc::bad_record, "in/0 offset 110: no number"}};
       world.log.end = 120;
       world.pass(10s);
     },
     promote},
    {"one at a cut", replay_to_the_end, promote},
    {"a replay that is compared", [](ServiceWorld&) {},
     [](Service& service, Service::Answer answer) {
       ReplayRequest request;
       request.diff = request.promote = true;
       service.replay("p", request, std::move(answer));
     }},
    {"several things, one after the other", replay_to_the_end,
     [](Service& service, Service::Answer answer) {
       service.pause("p", [](const Result<plan::Json>&) {});
       service.promote("p", 2, [](const Result<plan::Json>&) {});
       service.resume("p", std::move(answer));
     }},
};

/// Version 1 is live and has read 100 numbers; version 2 is another rule.
std::unique_ptr<ServiceWorld> make_world(const Command& command) {
  auto world = std::make_unique<ServiceWorld>();
  world->log.end = 100;
  world->deploy(plan_text());
  world->pass(1s);
  world->deploy(plan_text("p", 7));
  command.prepare(*world);
  return world;
}

/// In the end each number has been given once, whoever is live.
void check_end(ServiceWorld& world) {
  world.open();
  world.log.fails_at.clear();
  world.resume();
  world.log.end = 200;
  world.pass(10s);
  CHECK(world.wrong(200) == "");
}

}  // namespace

TEST_CASE("a server stops in order in the middle of anything, and everybody is answered") {
  for (const Command& command : commands) {
    CAPTURE(command.what);
    bool is_over = false;
    for (int steps = 0; !is_over; ++steps) {
      CAPTURE(steps);
      auto world = make_world(command);
      int answers = 0;
      bool is_refused = false;
      command.ask(world->service(), [&](const Result<plan::Json>& answer) {
        ++answers;
        is_refused = !answer;
        if (is_refused) CHECK(contains(answer.error().what, "the server is stopping"));
      });
      // Time is not to pass: what is looked at now and then is no step.
      auto end = world->sim.monotonic() + 400ms;
      for (int i = 0; i < steps && world->sim.monotonic() < end; ++i) world->sim.run_one();
      is_over = world->sim.monotonic() >= end;
      world->close();
      CHECK(answers == 1);
      CHECK(world->log.runs == 0);
      check_end(*world);
    }
  }
}

TEST_CASE("a server that goes in the middle of anything takes all runs with it") {
  for (const Command& command : commands) {
    CAPTURE(command.what);
    bool is_over = false;
    for (int steps = 0; !is_over; ++steps) {
      CAPTURE(steps);
      auto world = make_world(command);
      command.ask(world->service(), [](const Result<plan::Json>&) {});
      auto end = world->sim.monotonic() + 400ms;
      for (int i = 0; i < steps && world->sim.monotonic() < end; ++i) world->sim.run_one();
      is_over = world->sim.monotonic() >= end;
      world->crash(false);
      CHECK(world->log.runs == 0);
      check_end(*world);
    }
  }
}

TEST_SUITE_END();
