// Seeded histories of the log store: LEAT_SIM_SEEDS says how many, LEAT_SIM_SEED picks one and
// tells its story.
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/logging.h"
#include "sim/log_simulation.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Names the seed on the way out of an ASSERT, where nobody else can.
volatile std::uint64_t current_seed = 0;
void name_seed(int signal) {
  fmt::print(stderr, "simulation: seed {}\n", static_cast<std::uint64_t>(current_seed));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void check_seed(std::uint64_t seed, bool verbose) {
  current_seed = seed;
  std::string story = sim::LogSimulation(seed, verbose).run();
  CHECK_MESSAGE(story.empty(), story);
}

}  // namespace

TEST_CASE("a log store keeps its promises through crashes, full disks and damage, seed by seed") {
  auto on_abort = std::signal(SIGABRT, name_seed);
  auto on_fault = std::signal(SIGSEGV, name_seed);
  set_log_level(LogLevel::none);
  if (std::getenv("LEAT_SIM_SEED")) {
    set_log_level(LogLevel::debug);
    check_seed(number_from("LEAT_SIM_SEED", 0), true);
  } else {
    std::uint64_t seeds = number_from("LEAT_SIM_SEEDS", 300);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) check_seed(seed, false);
  }
  set_log_level(LogLevel::info);
  std::signal(SIGABRT, on_abort);
  std::signal(SIGSEGV, on_fault);
}

TEST_SUITE_END();
