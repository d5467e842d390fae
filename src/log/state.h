// What is known of a partition apart from its bytes: kept in the checkpoint, changed by the
// journal, carried by a running log.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/uuid.h"
#include "log/layout.h"
#include "log/log_view.h"

namespace leat::log {

/// A batch boundary in a segment: the offset of what begins there, or would.
struct Place {
  Offset offset;
  std::uint64_t position = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

/// Bytes [position, position + bytes) of a segment that cannot be read, and the offsets that were
/// in them. Behind them is a batch boundary again, at offsets.next.
struct Damage {
  OffsetRange offsets;
  Offset segment_base;
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Damage&, const Damage&) = default;
};

/// By which batches a segment's file is told from any other: its first one, and one at or near the
/// end. They are chosen by what is known anyway; where nothing is, any file is taken.
struct SegmentMarks {
  static constexpr std::uint64_t unknown = ~std::uint64_t{0};
  std::uint32_t first_crc = 0;
  std::uint32_t last_crc = 0;
  std::uint64_t last_position = unknown;
  bool are_known() const { return last_position != unknown; }
  friend bool operator==(const SegmentMarks&, const SegmentMarks&) = default;
};

struct SegmentState {
  Offset base_offset;
  Offset next_offset;
  std::uint64_t bytes = 0;
  std::int64_t max_timestamp_ms = -1;
  /// By the broker's clock: what age is counted from.
  std::int64_t first_append_ms = 0;
  std::int64_t last_append_ms = 0;
  bool sealed = false;
  SegmentMarks marks{};
  /// How often compaction has written it anew: 0 as it was appended. Part of its file's name.
  std::uint32_t version = 0;
  SegmentName name() const { return {base_offset, version}; }
  friend bool operator==(const SegmentState&, const SegmentState&) = default;
};

struct PartitionState {
  TopicPartition id;
  LeaderEpoch leader_epoch;
  Offset start_offset;
  /// At or above every segment's next_offset; above it only when all segments are gone.
  Offset end_offset;
  /// Below it, compaction has left one record of each key.
  Offset compacted_to;
  std::vector<SegmentState> segments;  // by base offset
  std::vector<Damage> damage;          // by offset, disjoint
  std::vector<OffsetRange> gaps;       // by offset, disjoint, within damage
  /// No batch before it has a producer id; nullopt: none has.
  std::optional<Offset> producers_from{};
};

/// Adds `range` to sorted disjoint `ranges`, joining what touches.
void add_range(std::vector<OffsetRange>& ranges, OffsetRange range);
/// The offsets of `damage` without `gaps`: what reads refuse.
std::vector<OffsetRange> unreadable(const std::vector<Damage>& damage,
                                    const std::vector<OffsetRange>& gaps);
/// Raises the start offset, and drops the whole segments below it, the last one too if `all`.
void advance_start(PartitionState& state, Offset start, bool all);
/// The log has a batch with a producer id, at `offset` or behind it.
void note_producers(PartitionState& state, Offset offset);
/// nullptr if there is none, or another one in its place.
const SegmentState* find_segment(const PartitionState& state, SegmentName name);
/// The file that has the records from `base` on: of the segment there, or of one to come.
std::string segment_path(const Layout& layout, const PartitionState& state, Offset base);
/// Compaction has put `segment` in the place of those that it covers. Without effect where the
/// start offset has passed all of it.
void replace_segments(PartitionState& state, const SegmentState& segment);
/// The segment that begins at `base` has a seal.
void set_sealed(PartitionState& state, Offset base);
/// Adds `damage`, joined with what overlaps it, keeping the order. False when it was known.
bool add_damage(std::vector<Damage>& list, Damage damage);

}  // namespace leat::log
