// What makes a data directory whole again after a crash.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "file/file.h"
#include "log/checkpoint.h"
#include "log/journal.h"
#include "log/layout.h"
#include "log/partition_recovery.h"
#include "log/state.h"
#include "log/store.h"

namespace leat::log {

/// What a recovery left for later, because only a process ended and not the system: the journal
/// still has it, and will have until the next checkpoint.
struct Unsynced {
  JournalEnd journal;
  /// Written to, and not synced.
  std::vector<std::pair<TopicPartition, SegmentName>> segments;
  std::set<std::string> directories;
  /// Whole batches behind the last frame, which no frame names yet.
  std::vector<DataEntry> kept;
};

/// A data directory that is consistent, and on disk but for what is `unsynced`.
struct Recovered {
  CheckpointHead head;
  std::vector<PartitionState> partitions;
  std::vector<Finding> findings;
  std::optional<Unsynced> unsynced;
};

struct RecoveryOptions {
  /// Whoever opens the directory will acknowledge appends before they are synced.
  bool acknowledges_early = false;
  /// Logs nothing of what it finds.
  bool is_quiet = false;
  /// As StoreOptions::recovering; may be none.
  std::function<bool(double done)> progress = {};
};
/// Applies the journal's frames behind the checkpoint, fences damage, moves away what was never
/// acknowledged, and writes a new checkpoint if there was anything to do. After a kill that left
/// nothing to report, syncs and checkpoint are left to the caller, who need not wait for them. Run
/// again after a crash in the middle, it comes to the same result.
Result<Recovered> recover(file::FileSystem& files, const Clock& clock, const Layout& layout,
                          const RecoveryOptions& options);

struct LoadedCheckpoint {
  Checkpoint checkpoint;
  bool found = false;
  /// It should be there and is not, or not whole.
  std::optional<Finding> finding;
  /// Nothing of it can be used.
  bool is_lost() const { return !found && finding.has_value(); }
};
Result<LoadedCheckpoint> load_checkpoint(file::FileSystem& files, const Layout& layout);

/// Tells the journal's entries apart by partition; `removed` are those gone for good.
void sort_events(const JournalScan& scan, std::map<TopicPartition, PartitionEvents>& events,
                 std::set<TopicPartition>& removed);

}  // namespace leat::log
