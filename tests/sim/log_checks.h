// Compares a log with its model. Every check gives its objection as a sentence; empty is fine.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/log.h"
#include "log/log_view.h"
#include "sim/log_model.h"

namespace leat::sim {

/// What the faults so far excuse.
struct Excuses {
  bool damage = false;       // bits were flipped: a range may be fenced
  bool read_errors = false;  // the disk refuses reads at present
};

/// What must be there after a recovery, and what may.
struct RecoveryTerms {
  Offset must_have;
  Offset start_must_have;
  /// Appends that were refused after a failed sync may turn out to be on disk.
  bool failed_may_return = false;
  /// What was accepted as lost, and not made durable, may have to be accepted again.
  bool gaps_may_be_forgotten = false;
  /// A bit was flipped after a crash in what nobody had confirmed since: the only copy may be gone.
  bool loss_is_excused = false;
  /// Both copies of the checkpoint, which alone has the start offset and the leader epoch, and says
  /// what of the files a log has cut.
  bool checkpoint_is_lost = false;
  Excuses excuses;
};

/// The bytes of a slice; an error when the file does not give them.
Result<Bytes> read_slice(const log::Slice& slice);

/// Reads from `from` and compares what comes with the model, batch by batch. Moves `from` to what
/// follows what was read, or to the end of the damage that was named.
std::string check_read(const LogModel& model, const log::LogView& view, std::uint64_t max_bytes,
                       const Excuses& excuses, Offset& from);

/// Reads everything from the start to the high watermark.
std::string check_all(const LogModel& model, const log::LogView& view, const Excuses& excuses);

std::string check_timestamp(const LogModel& model, const log::LogView& view,
                            std::int64_t timestamp_ms, const Excuses& excuses);
std::string check_max_timestamp(const LogModel& model, const log::LogView& view,
                                const Excuses& excuses);

/// Compares a recovered log with what was promised before, and settles the model on what is there.
std::string check_recovery(LogModel& model, const log::Log& log, const RecoveryTerms& terms);

}  // namespace leat::sim
