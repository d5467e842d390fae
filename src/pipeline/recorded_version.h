// What a version's epochs say of what it has read, without a run of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "file/file.h"
#include "pipeline/epoch_log.h"
#include "pipeline/epoch_record.h"

namespace leat::pipeline {

/// How a version began, and where its last committed epoch ends.
struct RecordedVersion {
  BeginRecord begin;
  /// By the numbers of its inputs. Those in a warm-up stand at its end: what is before that is
  /// given by nobody any more.
  std::vector<Offset> positions;
};

/// How a version began that is no batch; nothing if it never has. Blocks for the disk, but reads
/// one record.
Result<std::optional<BeginRecord>> find_first_begin(EpochStore& epochs, const std::string& owner);

/// From the newest snapshot of `data_directory` and the epochs behind it; nothing if the version
/// never began. What a crash has left of its last epoch is decided before. Blocks for the disk.
Result<std::optional<RecordedVersion>> find_recorded(EpochStore& epochs, file::FileSystem& files,
                                                     const std::string& data_directory,
                                                     const std::string& owner);

}  // namespace leat::pipeline
