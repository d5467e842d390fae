// Counts recoveries that never came to their end, because the process died in them: for want of
// memory, or by a bug that the data brings to light. Under a supervisor that would go round for
// ever, with nobody told.
//
//   recovering := line*                   text: when each of them began
//   line       := "recovery began at " time "\n"
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "file/file.h"
#include "log/layout.h"

namespace leat::log {

/// So many recoveries may die one after the other.
inline constexpr int recoveries_max = 5;

/// Lives as long as a recovery. It ends well, or with an error that somebody is told: only a
/// process that dies leaves its line.
class RecoveryGuard {
 public:
  /// storage_error, which says how to go on, when too many have died; nothing is changed then. The
  /// line is not synced: a start must not wait for the disk. What a power cut leaves of the file
  /// counts only if it is whole.
  static Result<RecoveryGuard> begin(file::FileSystem& files, const Clock& clock,
                                     const Layout& layout);
  ~RecoveryGuard();
  RecoveryGuard(RecoveryGuard&& other) noexcept;
  RecoveryGuard& operator=(RecoveryGuard&&) = delete;

 private:
  RecoveryGuard(file::FileSystem& files, const Layout& layout, std::string path, int died)
      : files_(&files), root_(layout.root()), path_(std::move(path)), died_(died) {}

  file::FileSystem* files_;
  std::string root_;
  std::string path_;
  int died_;  // before this one
};

}  // namespace leat::log
