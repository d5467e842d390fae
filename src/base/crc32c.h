// CRC-32C (Castagnoli), the checksum of Kafka's record batches.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace leat {

/// The CRC-32C of `bytes`; with `crc` that of an earlier part, the CRC of both in a row.
std::uint32_t crc32c(BytesView bytes, std::uint32_t crc = 0);

}  // namespace leat
