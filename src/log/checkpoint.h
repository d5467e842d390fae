// The checkpoint: the state of every partition as of one commit, all of it on disk. Recovery starts
// here and applies the journal's frames behind it.
//
//   checkpoint := copy copy               the same twice
//   copy       := magic:u32 version:u32 salt:u64 sequence:u64 early_boot:u64 epoch_floor:i32
//                 partition_count:u32 partition* checksum:u64
//   partition  := topic_id:16 partition:i32 leader_epoch:i32 start:i64 end:i64
//                 compacted_to:i64 segment_count:u32 segment* damage_count:u32 damage*
//                 gap_count:u32 gap*
//                 producers_from:i64            not before version 4
//   segment    := base_offset:i64 next_offset:i64 bytes:u64 max_timestamp_ms:i64
//                 first_append_ms:i64 last_append_ms:i64 sealed:u8 marks
//                 version:u32
//   marks      := first_crc:u32 last_crc:u32 last_position:u64    not in version 1
//   damage     := offsets segment_base:i64 position:u64 bytes:u64
//   gap        := offsets                 offsets as in the journal
//
// `compacted_to` and a segment's `version` are from version 3 on; before, they are 0.
//
// `first_crc` and `last_crc` are the CRCs of a segment's first batch and of that at
// `last_position`, -1 where they are not known. Files that changed places can have good batches at
// the right offsets: by these they show.
//
// `producers_from` is the offset before which no batch has a producer id, -1 where none has one.
//
// `checksum` is the XXH3 of all before it in its copy. There are two because nothing else has the
// start offsets and the accepted gaps: a flipped bit must not cost them.
//
// `early_boot` is not 0 while the directory is open and appends are acknowledged before they are
// synced: it names the run of the operating system whose page cache has them. Found by another run,
// it says that records which readers saw may be gone, of any partition, without a trace.
// `epoch_floor` is the least leader epoch that a new partition gets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "file/file.h"
#include "log/state.h"

namespace leat::log {

struct CheckpointHead {
  std::uint64_t salt = 0;
  /// The last commit it covers.
  std::uint64_t sequence = 0;
  std::uint64_t early_boot = 0;
  LeaderEpoch epoch_floor{0};
};

struct Checkpoint {
  CheckpointHead head;
  std::vector<PartitionState> partitions;
  /// Why one of its copies is not used; empty when both are whole.
  std::string flaw;
};

/// Writes a checkpoint piece by piece, so that no copy of every partition's state is needed.
class CheckpointWriter {
 public:
  explicit CheckpointWriter(const CheckpointHead& head);
  void add(const PartitionState& partition);
  Bytes finish();

 private:
  Bytes bytes_;
  std::uint32_t count_ = 0;
};

Bytes encode(const Checkpoint& checkpoint);
/// corrupt_message unless one of the copies is whole, unsupported_format for a newer one.
Result<Checkpoint> decode_checkpoint(BytesView bytes);

}  // namespace leat::log
