// What a partition knew of its producers when its log ended at some offset: a shortcut. Behind that
// offset the log is read. Without it, or where it does not fit the log, all of the log is read from
// the first batch with a producer id on.
//
//   snapshot := magic:u32 version:u32 offset:i64 leader_epoch:i32 is_durable:u8
//               producer_count:u32 producer* aborted_count:u32 aborted* checksum:u64
//   producer := id:i64 epoch:i16 last_sequence:i32 coordinator_epoch:i32 marker_offset:i64
//               transaction:i64 used_ms:i64 batch_count:u8 batch*
//   batch    := base_sequence:i32 last_sequence:i32 base_offset:i64 next_offset:i64
//               timestamp_ms:i64
//   aborted  := producer:i64 first:i64 last:i64 stable:i64
//
// `transaction` is -1 where none is open, and so are the offsets of a batch that was lost and may
// come again. Producers stand by their ids. `is_durable` is 1 where the log up to `offset` was on
// disk; where it was not, the snapshot counts under that leader epoch only, since a power cut may
// have taken what it speaks of. `checksum` is the XXH3 of all before.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "log/producer_table.h"

namespace leat::log {

struct ProducerSnapshot {
  Offset offset;
  LeaderEpoch leader_epoch;
  bool is_durable = false;
  ProducerTable table;
  std::vector<AbortedTransaction> aborted;
};

/// REQUIRES: the table is settled.
Bytes encode(const ProducerSnapshot& snapshot);
/// corrupt_message for anything but a whole snapshot, unsupported_format for a newer one.
Result<ProducerSnapshot> decode_producer_snapshot(BytesView bytes, std::size_t producers_max);

}  // namespace leat::log
