// Seeded histories of the client's producer.
#include "sim/client_producer_simulation.h"
#include "sim/client_transaction_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE(
    "the client's producer loses, doubles and reorders nothing while answers get lost and leaders "
    "change, by seed") {
  sim::check_seeds<sim::ClientProducerSimulation>(300);
}

TEST_CASE(
    "the client's transactions are whole or not at all while answers get lost and servers die, by "
    "seed") {
  sim::check_seeds<sim::ClientTransactionSimulation>(150);
}

TEST_SUITE_END();
