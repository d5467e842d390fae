// What a partition's log must hold, kept in the most naive way: a map from offset to batch.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "log/log_view.h"
#include "log/options.h"
#include "record/batch.h"

namespace leat::sim {

/// A batch that was given to a log, and what became of it.
struct ModelBatch {
  Offset base;
  std::int32_t records = 0;
  /// As it was appended, but for base offset and leader epoch, which the log sets.
  Bytes bytes;
  std::vector<std::int64_t> timestamps_ms;
  std::int64_t appended_ms = 0;
  std::uint64_t serial = 0;
  bool acknowledged = false;

  Offset next() const { return base + records; }
  /// True when `stored` is this batch at its offset, byte for byte.
  bool is(const record::BatchView& stored) const;
};

/// The promises that a partition has made so far. Members are changed by the simulation, which
/// knows what happened; this class answers what follows from them.
class LogModel {
 public:
  using Batches = std::map<Offset, ModelBatch>;

  /// Appended, in this life or recovered from an earlier one, and not known to have failed.
  Batches batches;
  /// Failed or cut by a crash; they may turn up again only where that is allowed.
  std::vector<ModelBatch> failed;
  /// Cut by a crash in any life: only a directory that lost its checkpoint may show them again.
  std::vector<ModelBatch> ghosts;
  /// Accepted as lost, and the batches that were there: their bytes stay in the segment.
  std::vector<log::OffsetRange> gaps;
  std::vector<log::OffsetRange> gaps_acknowledged;
  std::vector<ModelBatch> given_up;
  /// The offset that the next append must get, if nothing fails.
  Offset end;
  /// The largest high watermark that was seen: readers may have read up to it.
  Offset high_watermark;
  /// The largest start offset seen, the largest that was acknowledged, the largest asked for.
  Offset start;
  Offset start_acknowledged;
  Offset start_asked;
  /// Where everything below was on disk when the directory was last closed.
  Offset closed_end;
  LeaderEpoch leader_epoch;
  /// The strictest retention that was in force since the log was opened: a move of the start may
  /// have been on its way to the disk when it changed.
  std::int64_t least_retention_bytes = std::numeric_limits<std::int64_t>::max();
  std::int64_t least_retention_ms = std::numeric_limits<std::int64_t>::max();

  /// The batch that holds `offset`, or the first one behind it.
  Batches::const_iterator find(Offset offset) const;
  /// One past the last acknowledged record of those appended up to `appended_ms_max`.
  Offset acknowledged_end(
      std::int64_t appended_ms_max = std::numeric_limits<std::int64_t>::max()) const;
  /// Moves batches at and above `offset` to the failed ones. False, and nothing, when one of them
  /// was acknowledged.
  bool roll_back(Offset offset);
  /// Takes what readers skip out of the batches.
  void add_gap(log::OffsetRange range);
  /// Those that a recovered log does not know of are none; says which one was acknowledged.
  std::string settle_gaps(const log::LogView& view);
  void note_options(const log::LogOptions& options);
  /// None but `options` have been in force.
  void forget_options(const log::LogOptions& options);
  /// Says why the start may not have moved from `start` to `now_at`; empty when it may.
  std::string objection_to_start(Offset now_at, std::int64_t now_ms) const;
  /// The first record at or above `start`, below the high watermark, with that timestamp or more.
  std::optional<log::TimestampOffset> find_timestamp(std::int64_t timestamp_ms) const;
  std::optional<std::int64_t> max_timestamp() const;
  /// The timestamp of one record; nullopt where there is none.
  std::optional<std::int64_t> timestamp_at(Offset offset) const;
};

}  // namespace leat::sim
