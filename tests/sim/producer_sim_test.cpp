// Seeded histories of idempotent and transactional producers.
#include "sim/producer_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE(
    "batches that are sent again are there once, and transactions whole or not at all, by seed") {
  sim::check_seeds<sim::ProducerSimulation>(300);
}

TEST_CASE(
    "faults 9 and 11: a broker that dies at a named step of a transaction keeps all of it or "
    "nothing") {
  sim::check_points<sim::ProducerSimulation>(sim::Story::producers);
}

TEST_SUITE_END();
