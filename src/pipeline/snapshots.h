// The snapshots of a version, as files of the data directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "file/file.h"
#include "pipeline/epoch_record.h"

namespace leat::pipeline {

/// What a run needs to go on behind an epoch.
struct Snapshot {
  std::uint64_t epoch = 0;
  /// Where the records of later epochs are, and no earlier one.
  Offset next;
  /// Of all epochs up to it.
  Counts counts;
  /// The last epoch whose files were put in their place.
  std::uint64_t files_epoch = 0;
  /// It was the last of a bounded run.
  bool finished = false;
  std::optional<EpochPlace> repeated;
  BeginRecord begin;
  Bytes state;  // Task::snapshot()
};

/// Files `<epoch>.snapshot` of one directory. A crash leaves each whole or not at all. Not
/// thread-safe, but each call may come from another thread.
class Snapshots {
 public:
  /// Of `<data>/pipelines/<owner>`. Makes nothing.
  Snapshots(file::FileSystem& files, const std::string& data_directory, const std::string& owner);

  /// Writes it aside, makes it durable and gives it its name; then removes all but the newest two.
  /// Blocks for the disk. What it gives is how many bytes it has.
  Result<std::uint64_t> write(const Snapshot& snapshot);

  /// Numbers of epochs that there are files of, the newest first.
  Result<std::vector<std::uint64_t>> list() const;
  /// Errc::corrupt_message, Errc::unsupported_format.
  Result<Snapshot> read(std::uint64_t epoch) const;
  /// Removes all of them, and the directory. No error if there are none.
  Result<void> remove();

 private:
  std::string path_of(std::uint64_t epoch) const;
  Result<void> make_directory();
  Result<void> write_aside(const Snapshot& snapshot, std::uint64_t& bytes);
  Result<void> remove_old();

  file::FileSystem& files_;
  const std::string pipelines_;
  const std::string directory_;
  bool directory_made_ = false;
};

/// The file's content; the grammar is in snapshots.cpp.
Bytes encode(const Snapshot& snapshot);
Result<Snapshot> decode_snapshot(Bytes bytes);

}  // namespace leat::pipeline
