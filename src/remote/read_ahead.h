// How far ahead of a reader is fetched.
#pragma once

#include <cstddef>

namespace leat::remote {

/// Together with the answers under way they bound what one reader holds: each source of a plan has
/// one.
struct ReadAhead {
  /// Of a partition, but for the last answer. More helps where brokers are far away: one answer
  /// comes a round trip.
  std::size_t partition_bytes = std::size_t{2} << 20;
  /// Of all partitions. A partition of which nothing waits is asked for even so, one answer.
  std::size_t bytes = std::size_t{64} << 20;
};

}  // namespace leat::remote
