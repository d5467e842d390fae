// Seeded histories of a broker and its clients, from the bytes of requests to those on the disk.
#include "sim/broker_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE("a broker keeps what it promised its clients through crashes and disk faults, by seed") {
  sim::check_seeds<sim::BrokerSimulation>(500);
}

TEST_SUITE_END();
