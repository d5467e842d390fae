// A copy of a data directory, that of a running store included.
//
// What a store has acknowledged is named by a checkpoint that it can make at any time, and lies in
// segment files up to the positions named there, since segments only grow. So a copy of those
// bytes, of that checkpoint and of no journal is a data directory after a clean stop. The copy is
// made beside its place and gets its name when all of it is on disk.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "file/copy.h"
#include "file/file.h"

namespace leat::log {

/// What is to be copied. Paths are relative to the data directory.
struct BackupPlan {
  struct Part {
    std::string path;
    /// As many of its first bytes; all of it where that is not given.
    std::optional<std::uint64_t> bytes;
    /// It may be shorter, or missing: that is what its damage says, or it can be made again.
    bool may_lack = false;
  };
  std::vector<Part> parts;
  /// To be written as the copy's checkpoint; empty where that is one of the parts.
  Bytes checkpoint;
  /// What will be copied of the parts whose size is known.
  std::uint64_t bytes = 0;
  std::uint64_t partitions = 0;
  std::uint64_t damaged_ranges = 0;
};

/// Of a directory that a store uses: `checkpoint` is from its begin_backup(), and the hold lives
/// until the copy is made. Errc::invalid_argument when it is not a checkpoint of this directory as
/// it is running now.
Result<BackupPlan> plan_backup_of_running(file::FileSystem& files, const std::string& directory,
                                          BytesView checkpoint);
/// Of a directory whose lock the caller has. With a journal that has to be applied, that is copied
/// as well: who opens the copy recovers it.
Result<BackupPlan> plan_backup_of_stopped(file::FileSystem& files, const std::string& directory);

/// What a copy in the making is called until it is whole.
std::string unfinished_backup(const std::string& target);

/// Called when all is copied and on disk, but for the copy's name: an error ends the backup.
using BeforeName = std::function<Result<void>()>;

/// Copies what `plan` says from `directory` to `target`, which must be missing or an empty
/// directory. What an earlier attempt left under unfinished_backup() goes first. On an error
/// nothing is left.
Result<void> write_backup(file::FileSystem& files, const BackupPlan& plan,
                          const std::string& directory, const std::string& target,
                          const file::CopyProgress& progress, const BeforeName& before_name);

}  // namespace leat::log
