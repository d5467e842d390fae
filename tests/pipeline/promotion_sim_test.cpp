// Replays, promotions and ways back while numbers arrive, versions fail and the machine crashes:
// who reads "out" sees each number once.
#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/random.h"
#include "pipeline/service_world.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using std::chrono::milliseconds;

namespace {

class Story {
 public:
  Story(std::uint64_t seed, bool is_verbose, const sim::CrashPoint* point = nullptr)
      : seed_(seed),
        is_verbose_(is_verbose),
        random_(seed),
        world_(seed),
        crasher_(world_.files(), point, seed ^ 0xc4a5) {
    crasher_.begin_life();
    crasher_.now(sim::Doing::anything);
    world_.log.speed = 1 + static_cast<std::int64_t>(random_.below(5));
    world_.deploy(some_plan());
  }

  /// How often the process died at the point.
  int crashes() const { return crasher_.times(); }

  /// What was wrong in the end.
  std::string run() {
    for (int i = 0; i < 60; ++i) {
      act();
      world_.log.end += static_cast<std::int64_t>(random_.below(20));
      world_.pass(milliseconds(random_.below(2000)));
    }
    world_.log.fails_at.clear();
    world_.log.speed = 1'000'000;
    world_.resume();
    world_.pass(std::chrono::seconds(200));
    std::string wrong = world_.wrong(world_.log.end);
    return wrong.empty() ? "" : fmt::format("seed {}: {}", seed_, wrong.substr(0, 300));
  }

 private:
  void act() {
    switch (random_.below(9)) {
      case 0: return crash();
      case 1: tell(world_.deploy(some_plan(static_cast<int>(random_.below(50))))); break;
      case 2:
      case 3: {
        ReplayRequest request;
        request.promote = random_.below(2) == 0;
        request.diff = random_.below(3) == 0;
        tell(world_.replay(request));
        break;
      }
      case 4:
      case 5: tell(world_.promote(1 + static_cast<std::uint32_t>(random_.below(6)))); break;
      case 6: tell(world_.stop_replay()); break;
      case 7: tell(random_.below(2) == 0 ? world_.pause() : world_.resume()); break;
      default: fail_somewhere(); break;
    }
  }

  std::string some_plan(int number = 0) {
    return seed_ % 2 == 0 ? plan_text("p", number) : looking_back("p", 1 + number);
  }

  /// In the middle of something, or between two things.
  void crash() {
    if (random_.below(2) == 0) {
      auto version = 1 + static_cast<std::uint32_t>(random_.below(6));
      world_.service().promote("p", version, [](const Result<plan::Json>&) {});
    }
    crasher_.now(sim::Doing::promoting);
    auto steps = random_.below(200);
    for (std::uint64_t i = 0; i < steps && !world_.files().stopped(); ++i) world_.sim.run_one();
    bool is_power_loss = random_.below(2) == 0;
    tell("crash");
    world_.crash(is_power_loss);
    crasher_.begin_life();
    world_.open();
    crasher_.now(sim::Doing::anything);
  }

  void fail_somewhere() {
    auto version = 1 + static_cast<std::uint32_t>(random_.below(6));
    auto at = world_.log.end + static_cast<std::int64_t>(random_.below(20));
    Errc code = random_.below(2) == 0 ? Errc::bad_record : Errc::no_space;
    world_.log.fails_at[version] = {at, {code, fmt::format("offset {}", at)}};
    tell(fmt::format("version {} fails at {}", version, at));
  }

  void tell(const std::string& what) {
    if (!is_verbose_) return;
    fmt::print("{:>6} {}\n", world_.log.end, what.substr(0, 150));
  }

  std::uint64_t seed_;
  bool is_verbose_;
  Random random_;
  ServiceWorld world_;
  sim::Crasher crasher_;
};

}  // namespace

TEST_CASE("whatever is promoted, fails and crashes, each number is in the sink's topic once") {
  sim::check_seeds<Story>(60, 8);
}

TEST_CASE("who dies while a promotion is written has it whole or not at all") {
  sim::check_points<Story>(sim::Story::promotions);
}

TEST_SUITE_END();
