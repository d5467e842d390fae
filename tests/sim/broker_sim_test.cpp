// Seeded histories of a broker and its clients, from the bytes of requests to those on the disk.
#include "sim/broker_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE("a broker keeps what it promised its clients through crashes and disk faults, by seed") {
  sim::check_seeds<sim::BrokerSimulation>(500);
}

TEST_CASE("faults 9 and 11: a broker that dies at a named step of a change keeps its promises") {
  sim::check_points<sim::BrokerSimulation>(sim::Story::broker);
}

TEST_SUITE_END();
