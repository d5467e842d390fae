// Seeded histories of the client's consumers in a group.
#include "sim/client_consumer_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE("consumers of a group process each record once in a generation, and all in the end") {
  sim::check_seeds<sim::ClientConsumerSimulation>(200);
}

TEST_SUITE_END();
