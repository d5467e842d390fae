// What compaction leaves of a batch. The batch keeps its range of offsets, and with it its last
// sequence, whatever becomes of its records; so the batches of a log follow one another without
// gaps for ever.
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/batch.h"
#include "record/record.h"
#include "record/scratch.h"

namespace leat::record {

/// Whether a record with this key is in the log again, behind this one.
using IsSuperseded = std::function<bool(const Record&)>;

struct TombstoneRules {
  std::int64_t now_ms = 0;
  /// A tombstone (a record without a value) stays for so long after the first compaction that met
  /// it, so that whoever reads the log within that time learns of the deletion.
  std::int64_t retention_ms = 0;
};

struct Compacted {
  enum class Kind { unchanged, rewritten, emptied };
  Kind kind = Kind::unchanged;
  /// The new batch, if it is rewritten.
  Bytes bytes{};
  std::int32_t kept = 0;
  std::int32_t removed = 0;
};

/// Leaves out records that are superseded, that have no key, and tombstones whose time has come; a
/// batch that keeps a tombstone says from when on it may go (its delete horizon, as Kafka has it).
/// Control batches stay as they are. Errors: those of RecordIterator.
Result<Compacted> compact(const BatchView& batch, const IsSuperseded& is_superseded,
                          const TombstoneRules& tombstones, Scratch& scratch);

/// `batch` without its records, which still says what its producer's last sequence was.
Bytes without_records(const BatchView& batch);

/// A batch without records for offsets [base, next). REQUIRES: covers(base, next).
Bytes empty_batch(Offset base, Offset next, LeaderEpoch leader_epoch);

/// Whether one batch can have all these offsets.
bool covers(Offset base, Offset next);

/// Gives the batch all offsets up to `next`, those of emptied ones behind it. REQUIRES: it has no
/// producer id, since its last sequence would change; covers(its base, next).
void extend(MutableBytes batch, Offset next);

}  // namespace leat::record
