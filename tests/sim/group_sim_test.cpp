// Seeded histories of groups, of both protocols.
#include "sim/group_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE("groups share out work and keep what they have committed, by seed") {
  sim::check_seeds<sim::GroupSimulation>(300);
}

TEST_CASE("faults 9 and 11: a broker that dies at a named step of a group keeps what it has told") {
  sim::check_points<sim::GroupSimulation>(sim::Story::groups);
}

TEST_SUITE_END();
