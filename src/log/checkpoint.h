// The checkpoint: the state of every partition as of one commit, all of it on disk. Recovery starts
// here and applies the journal's frames behind it.
//
//   checkpoint := magic:u32 version:u32 salt:u64 sequence:u64 partition_count:u32 partition*
//                 checksum:u64
//   partition  := topic_id:16 partition:i32 leader_epoch:i32 start:i64 end:i64
//                 segment_count:u32 segment* damage_count:u32 damage* gap_count:u32 gap*
//   segment    := base_offset:i64 next_offset:i64 bytes:u64 max_timestamp_ms:i64
//                 first_append_ms:i64 last_append_ms:i64 sealed:u8
//   damage     := offsets segment_base:i64 position:u64 bytes:u64
//   gap        := offsets                 offsets as in the journal
//
// `checksum` is the XXH3 of all before it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "file/file.h"
#include "log/state.h"

namespace leat::log {

struct Checkpoint {
  std::uint64_t salt = 0;
  /// The last commit it covers.
  std::uint64_t sequence = 0;
  std::vector<PartitionState> partitions;
};

/// Writes a checkpoint piece by piece, so that no copy of every partition's state is needed.
class CheckpointWriter {
 public:
  CheckpointWriter(std::uint64_t salt, std::uint64_t sequence);
  void add(const PartitionState& partition);
  Bytes finish();

 private:
  Bytes bytes_;
  std::uint32_t count_ = 0;
};

Bytes encode(const Checkpoint& checkpoint);
/// corrupt_message for anything but a whole checkpoint, unsupported_format for a newer one.
Result<Checkpoint> decode_checkpoint(BytesView bytes);

}  // namespace leat::log
