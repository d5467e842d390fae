// Runs a simulation seed by seed: LEAT_SIM_SEEDS says how many, LEAT_SIM_SEED picks one and tells
// its story.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/logging.h"

namespace leat::sim {

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Names the seed on the way out of an ASSERT, where nobody else can.
inline volatile std::uint64_t current_seed = 0;
inline void name_seed(int signal) {
  fmt::print(stderr, "simulation: seed {}\n", static_cast<std::uint64_t>(current_seed));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

template <class Simulation>
void check_seed(std::uint64_t seed, bool verbose) {
  current_seed = seed;
  std::string story = Simulation(seed, verbose).run();
  CHECK_MESSAGE(story.empty(), story);
}

template <class Simulation>
void check_seeds(std::uint64_t count) {
  auto on_abort = std::signal(SIGABRT, name_seed);
  auto on_fault = std::signal(SIGSEGV, name_seed);
  set_log_level(LogLevel::none);
  if (std::getenv("LEAT_SIM_SEED")) {
    set_log_level(LogLevel::debug);
    check_seed<Simulation>(number_from("LEAT_SIM_SEED", 0), true);
  } else {
    count = number_from("LEAT_SIM_SEEDS", count);
    for (std::uint64_t seed = 1; seed <= count; ++seed) check_seed<Simulation>(seed, false);
  }
  set_log_level(LogLevel::info);
  std::signal(SIGABRT, on_abort);
  std::signal(SIGSEGV, on_fault);
}

}  // namespace leat::sim
