// Seeded histories of logs that are compacted by key.
#include "sim/compaction_simulation.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("sim");

using namespace leat;

TEST_CASE("compaction loses no key's newest value and moves no record, by seed") {
  sim::check_seeds<sim::CompactionSimulation>(200);
}

TEST_CASE("faults 9 and 11: a compaction that dies at a named point loses and moves nothing") {
  sim::check_points<sim::CompactionSimulation>(sim::Story::compaction);
}

TEST_SUITE_END();
