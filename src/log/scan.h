// Walks over the record batches of a segment's bytes, trusting nothing in them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "file/file.h"
#include "log/scan_buffer.h"
#include "log/state.h"

namespace leat::log {

/// What a batch's header says of it.
struct BatchHead {
  Offset base_offset;
  Offset next_offset;
  std::uint64_t bytes = 0;
  LeaderEpoch leader_epoch;
  std::int64_t base_timestamp_ms = -1;
  std::int64_t max_timestamp_ms = -1;
  std::uint32_t crc = 0;
  std::int32_t record_count = 0;
  ProducerId producer_id{-1};
  std::int32_t base_sequence = -1;
  std::int16_t producer_epoch = -1;
  std::int16_t attributes = 0;

  bool has_producer() const { return producer_id.value() >= 0; }
  bool is_transactional() const;
  bool is_control() const;
};

/// nullopt where no batch of at most `room` bytes can begin. Only a claim: no CRC is checked.
std::optional<BatchHead> parse_head(BytesView bytes, std::uint64_t room);

struct ScannedBatch {
  std::uint64_t position = 0;
  BatchHead head;
};

/// Whether `file` is the one that `marks` are of: it has one of the two batches in its place.
/// Damage can take either. True where nothing is known. An Error is a failed read.
Result<bool> has_marks(const file::File& file, const SegmentMarks& marks);
/// Takes notice of a batch that a segment holds behind those before.
void add_mark(SegmentMarks& marks, const ScannedBatch& batch);

/// Reads batches one after the other: each must begin where the last one ended, at the offset that
/// follows. Not thread-safe; the file must outlive it.
class BatchScanner {
 public:
  enum class Check { heads, crc };
  BatchScanner(const file::File& file, Place begin, std::uint64_t end, Check check);

  /// The next batch; nullopt at the end and at the first bad one. An Error is a failed read.
  Result<std::optional<ScannedBatch>> next();
  /// Where the next batch begins, or the bad one.
  Place place() const { return place_; }
  /// Why the walk stopped before the end; empty if it did not.
  const std::string& cause() const { return cause_; }

 private:
  /// What the window holds from `position` on, at least `least` bytes unless the file ends.
  Result<BytesView> view(std::uint64_t position, std::uint64_t least);
  Result<bool> crc_matches(std::uint64_t position, const BatchHead& head);
  std::optional<ScannedBatch> stop(std::string cause);

  const file::File& file_;
  Place place_;
  std::uint64_t end_;
  Check check_;
  std::string cause_;
  ScanBuffer buffer_;
  std::uint64_t window_begin_ = 0;
  std::uint64_t window_bytes_ = 0;
};

/// Receives what check_range() finds, in order of position.
struct RangeVisitor {
  std::function<void(const ScannedBatch&)> batch = [](const ScannedBatch&) {};
  std::function<void(const Damage&, const std::string& cause)> damage = [](const Damage&,
                                                                           const std::string&) {};
};

/// A boundary that is certain at or behind a position; nullopt where there is none.
using NextBoundary = std::function<std::optional<Place>(std::uint64_t position)>;

/// Checks every batch in [begin, end), both of which are boundaries. Behind a bad one it goes on at
/// the next boundary that is certain: one that `next_boundary` or `end` gives, or from where the
/// batches lead exactly to one. An Error is a failed read.
Result<void> check_range(const file::File& file, Offset segment_base, Place begin, Place end,
                         const NextBoundary& next_boundary, const RangeVisitor& visitor);

}  // namespace leat::log
