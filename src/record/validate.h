// What a broker checks of the bytes that a producer sends for one partition, before it stores them.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/scratch.h"

namespace leat::record {

/// What a partition asks of producers.
struct ProduceRules {
  /// The version of the Produce request: zstd is only for those who know it, from 7 on.
  std::int16_t produce_version = 7;
  std::size_t max_message_bytes = 1'048'588;
  std::size_t max_decompressed_bytes = default_max_decompressed_bytes;
  /// A compacted topic has no use for a record without a key.
  bool requires_keys = false;
  /// With log_append_time nobody reads the producer's timestamps, and they may be anything.
  TimestampType timestamp_type = TimestampType::create_time;
  /// Bounds of the records' timestamps, both included; "no timestamp" is always allowed.
  std::int64_t earliest_timestamp_ms = std::numeric_limits<std::int64_t>::min();
  std::int64_t latest_timestamp_ms = std::numeric_limits<std::int64_t>::max();
};

/// A batch that may be appended.
struct ProducedBatch {
  BatchView batch;
  /// The largest of the records' own timestamps.
  std::int64_t max_timestamp_ms;
  /// Of all records, uncompressed.
  std::size_t records_bytes;

  /// The header says another largest timestamp than the records do, as those of some Go clients,
  /// which leave it out. The appender must set_max_timestamp() first, or lookups by time go wrong.
  bool header_needs_max_timestamp() const { return batch.max_timestamp_ms() != max_timestamp_ms; }
};

/// What is wrong with one record of a batch.
struct RecordError {
  std::int32_t index;
  std::string what;
};

/// So many of a batch's records are named at most.
inline constexpr std::size_t record_errors_max = 100;

/// Checks that `bytes` are one batch that every consumer will be able to read. A pure function that
/// may take milliseconds for a large compressed batch: call it before hopping to the shard.
/// Fails with
///   corrupt_message          length or CRC: damage on the way, sending it again may help
///   invalid_record           no batch, more than one, another magic, a base offset that is not 0,
///                            offsets that are not 0..n-1, a control batch, a producer id without
///                            epoch or sequence, records that do not parse, no key where one is
///                            required
///   message_too_large        more bytes than allowed, as sent or decompressed
///   unsupported_compression  an unknown codec, or zstd in an old request
///   invalid_timestamp        out of bounds, below -1, or claimed to be LogAppendTime
/// `rejected`, if given, gets the records whose offset, key or timestamp is to blame (KIP-467).
Result<ProducedBatch> validate_produce(BytesView bytes, const ProduceRules& rules, Scratch& scratch,
                                       std::vector<RecordError>* rejected = nullptr);

}  // namespace leat::record
