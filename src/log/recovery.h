// What makes a data directory whole again after a crash.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "file/file.h"
#include "log/checkpoint.h"
#include "log/layout.h"
#include "log/partition_recovery.h"
#include "log/state.h"
#include "log/store.h"

namespace leat::log {

/// A data directory that is consistent and on disk.
struct Recovered {
  CheckpointHead head;
  std::vector<PartitionState> partitions;
  std::vector<Finding> findings;
};

/// Applies the journal's frames behind the checkpoint, fences damage, moves away what was never
/// acknowledged, and writes a new checkpoint if there was anything to do. Run again after a crash
/// in the middle, it comes to the same result.
struct RecoveryOptions {
  /// Whoever opens the directory will acknowledge appends before they are synced.
  bool acknowledges_early = false;
  /// Logs nothing of what it finds.
  bool is_quiet = false;
};
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
