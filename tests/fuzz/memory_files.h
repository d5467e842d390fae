// A file system in memory that never fails and costs next to nothing: a fuzzer makes one millions
// of times. The one with crashes is file/fake_file_system.h.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "file/file.h"

namespace leat::fuzz {

/// One thread.
class MemoryFiles final : public file::FileSystem {
 public:
  Result<file::FilePtr> open(const std::string& path, file::OpenMode mode) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_all(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> make_directories(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::vector<file::DirectoryEntry>> list(const std::string& directory) override;
  Result<void> sync_directory(const std::string&) override { return {}; }
  Result<std::unique_ptr<file::DirectoryLock>> lock(const std::string&,
                                                    const std::string&) override {
    return std::make_unique<file::DirectoryLock>();
  }
  Result<std::uint64_t> free_bytes(const std::string&) override { return std::uint64_t{1} << 40; }
  std::string boot_id() override { return boot_id_; }
  void offload(Work job, Executor& executor, Work done) override;

  /// Another run of the operating system.
  void reboot() { boot_id_ += "'"; }
  /// Makes or replaces a file, and the directory that it is in.
  void put(const std::string& path, BytesView bytes);
  /// Every file by its path.
  std::map<std::string, Bytes> save() const;

 private:
  class Handle;

  std::map<std::string, std::shared_ptr<Bytes>> files_;
  std::set<std::string> directories_;
  std::string boot_id_ = "boot";
};

}  // namespace leat::fuzz
