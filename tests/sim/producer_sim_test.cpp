// Seeded histories of idempotent and transactional producers.
#include "sim/producer_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE(
    "batches that are sent again are there once, and transactions whole or not at all, by seed") {
  sim::check_seeds<sim::ProducerSimulation>(300);
}

TEST_SUITE_END();
