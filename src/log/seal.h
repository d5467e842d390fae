// A seal says what a segment that is no longer appended to held when it was finished, so that a
// check can tell later whether it still does.
//
//   seal := magic:u32 version:u32 base_offset:i64 next_offset:i64 bytes:u64 batches:u64 records:u64
//           min_timestamp_ms:i64 max_timestamp_ms:i64 last_append_ms:i64 hash:u64 checksum:u64
//
// Timestamps are those that batch headers claim. `hash` is the XXH3 of the segment's bytes,
// `checksum` that of the seal before it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "file/file.h"
#include "log/segment.h"

namespace leat::log {

struct Seal {
  Offset base_offset;
  Offset next_offset;
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::int64_t min_timestamp_ms = -1;
  std::int64_t max_timestamp_ms = -1;
  std::int64_t last_append_ms = 0;
  std::uint64_t hash = 0;
  friend bool operator==(const Seal&, const Seal&) = default;
};

Bytes encode(const Seal& seal);
/// corrupt_message for anything but a whole seal.
Result<Seal> decode_seal(BytesView bytes);

/// Reads the whole segment.
Result<Seal> compute_seal(const Segment& segment);
/// Writes the segment's index and seal beside it, durably. REQUIRES: the segment is synced.
Result<void> write_seal(file::FileSystem& files, const Segment& segment);

/// The XXH3 of [position, position + bytes) of a file; Errc::corrupt_message when it is shorter.
Result<std::uint64_t> hash_file(const file::File& file, std::uint64_t position,
                                std::uint64_t bytes);

}  // namespace leat::log
