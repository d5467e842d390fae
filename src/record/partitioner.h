// Which partition a key belongs to, as Kafka's producers decide it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"

namespace leat::record {

/// MurmurHash2 of 32 bits with the seed of Kafka's Java client.
std::uint32_t murmur2(BytesView bytes);

/// What the Java client's default partitioner gives for a key. REQUIRES: partitions > 0.
inline PartitionId partition_of_key(BytesView key, std::int32_t partitions) {
  return PartitionId{static_cast<std::int32_t>(murmur2(key) & 0x7fff'ffff) % partitions};
}

}  // namespace leat::record
