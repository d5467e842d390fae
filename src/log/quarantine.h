// Bytes that no commit promised, found behind the end of a log: copied away, reported, never served
// and never deleted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "file/file.h"
#include "log/layout.h"
#include "log/state.h"
#include "log/store.h"

namespace leat::log {

struct QuarantineJob {
  file::FileSystem& files;
  const Layout& layout;
  std::int64_t now_ms = 0;
  /// Leaves segments below the start offset alone: they go later.
  bool keeps_retired = false;
  /// Leaves alone what else stands before the end: compaction may have replaced what the checkpoint
  /// still names.
  bool keeps_replaced = false;
};

/// Makes the partition's directory hold what `state` says and nothing behind it: the last segment's
/// file and index end where the log does, there are no later segments, and what is left of segments
/// below the start offset goes, but for what `job` leaves alone. Does nothing, and reads one
/// directory and the end of one index, where that is so already.
Result<std::vector<Finding>> clear_behind_end(const QuarantineJob& job,
                                              const PartitionState& state);

/// Removes the files that a compaction left in the partition's directory when it was cut off: new
/// segments that `state` does not name, and old ones whose records are in one that it names.
Result<void> remove_redundant(file::FileSystem& files, const Layout& layout,
                              const PartitionState& state);

/// Removes the segment of that path with its index and seal. What cannot be removed is logged.
void remove_segment(file::FileSystem& files, const std::string& path);

}  // namespace leat::log
