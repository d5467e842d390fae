// Runs a simulation seed by seed: LEAT_SIM_SEEDS says how many, from LEAT_SIM_FIRST on;
// LEAT_SIM_SEED picks one and tells its story. The same at each named point where a process may
// die: LEAT_SIM_POINT_SEEDS says how many that get there, LEAT_SIM_POINT picks one by its name.
#pragma once

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/logging.h"
#include "sim/crash_points.h"

namespace leat::sim {

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Names the seed on the way out of an ASSERT, where nobody else can.
inline volatile std::uint64_t current_seed = 0;
inline const char* volatile current_point = "";
inline void name_seed(int signal) {
  fmt::print(stderr, "simulation: seed {} {}\n", static_cast<std::uint64_t>(current_seed),
             static_cast<const char*>(current_point));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

/// While it lives, a process that fails names its seed, and a server writes nothing but in a story
/// that is told.
class Telling {
 public:
  Telling() : is_verbose_(std::getenv("LEAT_SIM_SEED") != nullptr) {
    set_log_level(is_verbose_ ? LogLevel::debug : LogLevel::none);
  }
  ~Telling() {
    set_log_level(LogLevel::info);
    current_point = "";
    std::signal(SIGABRT, on_abort_);
    std::signal(SIGSEGV, on_fault_);
  }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;
  bool is_verbose() const { return is_verbose_; }

 private:
  bool is_verbose_;
  void (*on_abort_)(int) = std::signal(SIGABRT, name_seed);
  void (*on_fault_)(int) = std::signal(SIGSEGV, name_seed);
};

/// A slow one takes one in `slowness` of the seeds that are asked for.
template <class Simulation>
void check_seeds(std::uint64_t count, std::uint64_t slowness = 1) {
  Telling telling;
  std::uint64_t first = number_from("LEAT_SIM_FIRST", 1);
  count = std::max<std::uint64_t>(number_from("LEAT_SIM_SEEDS", count * slowness) / slowness, 1);
  if (telling.is_verbose()) {
    first = number_from("LEAT_SIM_SEED", 0);
    count = 1;
  }
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    current_seed = seed;
    std::string story = Simulation(seed, telling.is_verbose()).run();
    CHECK_MESSAGE(story.empty(), story);
  }
}

/// Until so many seeds have died at the point as are wanted.
template <class Simulation>
void check_point(const CrashPoint& point, const Telling& telling) {
  constexpr std::uint64_t tries = 100;  // for each
  std::uint64_t wanted = number_from("LEAT_SIM_POINT_SEEDS", 10);
  std::uint64_t seed = telling.is_verbose() ? number_from("LEAT_SIM_SEED", 0) - 1 : 0;
  std::uint64_t last = telling.is_verbose() ? seed + 1 : wanted * tries;
  std::uint64_t reached = 0;
  current_point = point.name;
  while (reached < wanted && seed < last) {
    current_seed = ++seed;
    Simulation simulation(seed, telling.is_verbose(), &point);
    std::string story = simulation.run();
    CHECK_MESSAGE(story.empty(), point.name, ", ", story);
    if (simulation.crashes() > 0) ++reached;
  }
  bool is_enough = reached == wanted || telling.is_verbose();
  CHECK_MESSAGE(is_enough, point.name, ": reached by ", reached, " of ", seed, " seeds");
  if (std::getenv("LEAT_SIM_POINT_SEEDS") == nullptr) return;
  fmt::print("{:>6} of {:>6} seeds died where {}\n", reached, seed, point.name);
}

template <class Simulation>
void check_points(Story story) {
  Telling telling;
  const char* name = std::getenv("LEAT_SIM_POINT");
  for (const CrashPoint& point : points_of(story)) {
    if (name == nullptr || std::string_view(name) == point.name) {
      check_point<Simulation>(point, telling);
    }
  }
}

}  // namespace leat::sim
