#include "pipeline/snapshot_policy.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("pipeline");

using namespace leat::pipeline;
using namespace std::chrono_literals;

TEST_CASE("a snapshot is due when what was read is some times as much as the last one") {
  SnapshotPolicy policy;
  policy.taken(0s, 0s);
  policy.written(100 << 20, 0s);
  policy.add(399 << 20, 0);
  CHECK_FALSE(policy.due(1s));
  policy.add(1 << 20, 0);
  CHECK(policy.due(1s));
}

TEST_CASE("a run that keeps up stands still for snapshots a five-hundredth of the time at most") {
  SnapshotPolicy policy;
  policy.taken(0s, 500ms);
  policy.caught_up();
  policy.add(std::uint64_t{1} << 40, 0);
  CHECK_FALSE(policy.due(249s));
  CHECK(policy.due(250s));
}

TEST_CASE("a run that is far behind stands still for them a twentieth of the time at most") {
  SnapshotPolicy policy;
  policy.taken(0s, 500ms);
  policy.add(std::uint64_t{1} << 40, 0);
  CHECK_FALSE(policy.due(9s));
  CHECK(policy.due(10s));
}

TEST_SUITE_END();
