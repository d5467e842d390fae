// What readers see of a partition's log: an immutable list of segments and offsets, published by
// the log after each change. Readers pin a view and need no lock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "file/file.h"

namespace leat::log {

class AbortedTransactions;
class Segment;

/// Whole record batches, one after the other, in one file. The file stays readable for as long as
/// the slice holds it, also after retention removed its name.
struct Slice {
  file::FilePtr file;
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;
  /// Offsets [base_offset, next_offset). The first batch may begin before the offset asked for.
  Offset base_offset;
  Offset next_offset;
};

/// Half-open range of offsets that cannot be read.
struct OffsetRange {
  Offset base;
  Offset next;
  friend bool operator==(const OffsetRange&, const OffsetRange&) = default;
};

/// The answer to a lookup by time.
struct TimestampOffset {
  std::int64_t timestamp_ms = -1;
  Offset offset;
};

/// Every member is const, may be called from any thread, and may block on the disk unless it says
/// otherwise.
class LogView {
 public:
  /// Names what recovery or a reader found damaged; reads there give Errc::corrupt_message.
  /// Sorted, disjoint.
  std::vector<OffsetRange> damaged;
  /// Damage that the operator accepted as lost: reads skip it.
  std::vector<OffsetRange> gaps;
  /// Oldest first; the last one is being appended to.
  std::vector<std::shared_ptr<const Segment>> segments;
  Offset start_offset;
  /// Nothing at or above it is ever read.
  Offset high_watermark;
  /// Where the high watermark is in the last segment.
  std::uint64_t high_watermark_position = 0;
  /// Every transaction that begins below it has ended; not above the high watermark. nullopt
  /// before Log::load_producers().
  std::optional<Offset> last_stable_offset;
  /// Of those that ended below it, the aborted ones, and perhaps some that ended later.
  std::shared_ptr<const AbortedTransactions> aborted;

  /// Batches from the one with `from` on, or from the first behind it that compaction has left any
  /// records, at most `max_bytes` but at least one, in one segment, below the high watermark. Empty
  /// (bytes == 0) when `from` is the high watermark. Errc::offset_out_of_range outside
  /// [start_offset, high_watermark]; Errc::corrupt_message in a damaged range. Bytes from before
  /// this process are CRC-checked once before they are given out; what fails becomes damage.
  Result<Slice> read(Offset from, std::uint64_t max_bytes) const;

  /// The same, but below the last stable offset: an empty slice at or above it. REQUIRES: there is
  /// one.
  Result<Slice> read_stable(Offset from, std::uint64_t max_bytes) const;

  /// True when read() would find all it needs already checked, so that it blocks no longer than
  /// a read of the page cache. Does not block.
  bool is_checked(Offset from, std::uint64_t max_bytes) const;

  /// The first record with a timestamp of at least `timestamp_ms`; nullopt if there is none below
  /// the high watermark.
  Result<std::optional<TimestampOffset>> find_timestamp(std::int64_t timestamp_ms) const;

  /// The record with the largest timestamp (ListOffsets -3); nullopt for an empty log.
  Result<std::optional<TimestampOffset>> find_max_timestamp() const;

  /// Bytes of all segments. Does not block.
  std::uint64_t size_bytes() const;
};

}  // namespace leat::log
