// What makes a data directory whole again after a crash.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "file/file.h"
#include "log/layout.h"
#include "log/state.h"
#include "log/store.h"

namespace leat::log {

/// A data directory that is consistent and on disk.
struct Recovered {
  std::uint64_t salt = 0;
  std::uint64_t sequence = 0;
  std::vector<PartitionState> partitions;
  std::vector<Finding> findings;
};

/// Applies the journal's frames behind the checkpoint, fences damage, moves away what was never
/// acknowledged, and writes a new checkpoint if there was anything to do. Run again after a crash
/// in the middle, it comes to the same result.
Result<Recovered> recover(file::FileSystem& files, const Clock& clock, const Layout& layout);

}  // namespace leat::log
