// A file system that can be changed without changing anything: what recovery would do to a data
// directory can be seen without doing it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "file/file.h"

namespace leat::log {

/// Reads what another file system has, keeps every change in memory. One thread. What is copied to
/// a quarantine directory is not kept.
class DryRunFileSystem final : public file::FileSystem {
 public:
  explicit DryRunFileSystem(file::FileSystem& below) : below_(below) {}

  Result<file::FilePtr> open(const std::string& path, file::OpenMode mode) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_all(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> make_directories(const std::string&) override { return {}; }
  Result<bool> exists(const std::string& path) override;
  Result<std::vector<file::DirectoryEntry>> list(const std::string& directory) override;
  Result<void> sync_directory(const std::string&) override { return {}; }
  Result<std::unique_ptr<file::DirectoryLock>> lock(const std::string&,
                                                    const std::string&) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return below_.free_bytes(path);
  }
  std::string boot_id() override { return below_.boot_id(); }
  /// There is one thread: who never runs the executor never has the job done.
  void offload(Work job, Executor& executor, Work done) override {
    executor.post([job = std::move(job), done = std::move(done)]() mutable {
      job();
      done();
    });
  }

 private:
  class ChangedFile;
  bool is_removed(const std::string& path) const;

  file::FileSystem& below_;
  std::map<std::string, std::shared_ptr<ChangedFile>> changed_;
  std::set<std::string> removed_;  // files, and directories with all in them
};

}  // namespace leat::log
