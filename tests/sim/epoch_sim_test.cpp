// Seeded histories of epochs.
#include "sim/epoch_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE("epochs are there whole or not at all, in order and once, by seed") {
  sim::check_seeds<sim::EpochSimulation>(300);
}

TEST_CASE(
    "faults 9 and 11: a broker that dies at a named step of an epoch keeps all of it or "
    "nothing") {
  sim::check_points<sim::EpochSimulation>(sim::Story::epochs);
}

TEST_SUITE_END();
