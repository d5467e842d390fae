// Seeded histories of the log store.
#include "sim/log_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE("a log store keeps its promises through crashes, full disks and damage, seed by seed") {
  sim::check_seeds<sim::LogSimulation>(300);
}

TEST_SUITE_END();
