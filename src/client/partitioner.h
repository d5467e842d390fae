// Which partition a record goes to when nobody says: the rule of Kafka's own producer, so that
// programs in other languages put the same key into the same partition.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace leat::client {

/// Austin Appleby's MurmurHash2, 32 bits, with the seed that Kafka's clients use.
std::uint32_t murmur2(BytesView bytes);

/// The partition of a key. REQUIRES: partition_count > 0.
std::int32_t partition_for_key(BytesView key, std::int32_t partition_count);

}  // namespace leat::client
