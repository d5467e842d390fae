// What an epoch's record says to the broker, in its one header: where the epoch's batches are, and
// where markers of earlier epochs may be missing, which are committed.
//
//   header   := "leat.epoch" => envelope
//   envelope := version:u8(1) number:i32 places ended:places
//   places   := topics:uvarint { topic id:16 bytes  partitions:uvarint { place } }
//   place    := partition:uvarint epochs before:uvarint last_sequence:uvarint next_offset:uvarlong
//
// All else in the record belongs to whoever writes the epoch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "log/log_view.h"
#include "record/end_marker.h"

namespace leat::broker {

/// The producer epoch of all batches of epochs: whoever opens an owner gets another producer id.
inline constexpr std::int16_t epoch_producer_epoch = 0;
/// A producer's epochs are numbered from 0, and again behind the last number. Two of them are told
/// apart that follow one another.
inline constexpr std::int32_t epoch_numbers = 1 << 30;

/// Where batches of an epoch are: behind its last one in a partition.
struct EpochPlace {
  TopicPartition partition;
  std::int32_t number = 0;  // the epoch's
  std::int32_t last_sequence = -1;
  Offset next_offset;
  friend bool operator==(const EpochPlace&, const EpochPlace&) = default;
};

struct EpochEnvelope {
  std::int32_t number = 0;
  /// Of this epoch, without that of the record.
  std::vector<EpochPlace> places;
  /// Of earlier ones of the same producer, whose markers were not durable when the record was made.
  std::vector<EpochPlace> ended;
  friend bool operator==(const EpochEnvelope&, const EpochEnvelope&) = default;
};

Bytes encode(const EpochEnvelope& envelope);
/// corrupt_message for what is none, unsupported_format for a newer version.
Result<EpochEnvelope> decode_epoch_envelope(BytesView bytes);

/// The marker that ends an epoch in a partition. Those of a commit and of an abort differ in their
/// coordinator epochs, which partitions remember.
record::EndMarker epoch_marker(std::int32_t number, bool is_commit);

/// The batch of an epoch's record.
struct EpochRecord {
  ProducerId producer{-1};
  std::int32_t sequence = 0;
  std::int64_t timestamp_ms = 0;
};
Bytes build_epoch_record(const EpochRecord& record, BytesView value, const EpochEnvelope& envelope);

/// The newest record of an owner's topic.
struct LastEpoch {
  enum class State { open, committed, aborted };
  ProducerId producer{-1};
  EpochEnvelope envelope;
  State state = State::open;
};
/// Reads it from the end of the log; nullopt where there is none. Blocks. Errors: corrupt_message,
/// unsupported_format, and those of the disk.
Result<std::optional<LastEpoch>> read_last_epoch(const log::LogView& view);

}  // namespace leat::broker
