// Files of the operating system.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "file/file.h"
#include "file/job_pool.h"

namespace leat::file {

/// Thread-safe. Syncs and offloaded jobs run on a pool of threads, so that syncs of different
/// files run side by side; syncs of one file are not merged, that is the caller's matter.
/// Destruction waits for all jobs, so the executors given must live until then. Files may outlive
/// it, without async_sync.
/// A few descriptors are held back, so that it can open files for a while when the process has used
/// up all others.
class PosixFileSystem final : public FileSystem {
 public:
  explicit PosixFileSystem(int threads = 4);
  ~PosixFileSystem() override;

  Result<FilePtr> open(const std::string& path, OpenMode mode) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_all(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> make_directories(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<void> sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory,
                                              const std::string& owner) override;
  std::vector<Result<void>> sync_all(std::span<const FilePtr> files) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  std::size_t open_files_max() const override;
  std::string boot_id() override;
  void offload(Work job, Executor& executor, Work done) override;

 private:
  class Reserve;
  std::unique_ptr<Reserve> reserve_;
  JobPool pool_;
};

}  // namespace leat::file
