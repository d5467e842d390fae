// Seeded histories of the log store.
#include "sim/log_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE("a log store keeps its promises through crashes, full disks and damage, seed by seed") {
  sim::check_seeds<sim::LogSimulation>(300);
}

TEST_CASE("faults 9, 10 and 11: a log store that dies at a named point keeps its promises") {
  sim::check_points<sim::LogSimulation>(sim::Story::log);
}

TEST_SUITE_END();
