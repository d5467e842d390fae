// The system's files with something in between: to hold them up, or to take something away.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "file/posix_file_system.h"

namespace leat::server {

/// Passes everything on.
class WrappedFile : public file::File {
 public:
  explicit WrappedFile(file::FilePtr real) : real_(std::move(real)) {}
  Result<std::size_t> read_at(std::uint64_t position, MutableBytes into) const override {
    return real_->read_at(position, into);
  }
  Result<void> write_at(std::uint64_t position, std::span<const BytesView> parts) override {
    return real_->write_at(position, parts);
  }
  Result<std::uint64_t> size() const override { return real_->size(); }
  Result<void> truncate(std::uint64_t size) override { return real_->truncate(size); }
  Result<void> sync() override { return real_->sync(); }
  void async_sync(Executor& executor, SyncDone done) override {
    real_->async_sync(executor, std::move(done));
  }
  bool is_cached(std::uint64_t position, std::uint64_t bytes) const override {
    return real_->is_cached(position, bytes);
  }
  int native_handle() const override { return real_->native_handle(); }

 private:
  file::FilePtr real_;
};

/// Passes everything on, but for the files that are opened, which go through `wrap`.
class WrappedFiles final : public file::FileSystem {
 public:
  using Wrap = std::function<file::FilePtr(file::FilePtr real, const std::string& path)>;
  explicit WrappedFiles(Wrap wrap) : wrap_(std::move(wrap)) {}

  Result<file::FilePtr> open(const std::string& path, file::OpenMode mode) override {
    auto file = real_.open(path, mode);
    if (!file) return fail(file);
    return wrap_(std::move(*file), path);
  }
  Result<void> remove(const std::string& path) override { return real_.remove(path); }
  Result<void> remove_all(const std::string& path) override { return real_.remove_all(path); }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return real_.rename(from, to);
  }
  Result<void> make_directories(const std::string& path) override {
    return real_.make_directories(path);
  }
  Result<bool> exists(const std::string& path) override { return real_.exists(path); }
  Result<std::vector<file::DirectoryEntry>> list(const std::string& directory) override {
    return real_.list(directory);
  }
  Result<void> sync_directory(const std::string& directory) override {
    return real_.sync_directory(directory);
  }
  Result<std::unique_ptr<file::DirectoryLock>> lock(const std::string& directory,
                                                    const std::string& owner) override {
    return real_.lock(directory, owner);
  }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return real_.free_bytes(path);
  }
  std::string boot_id() override { return real_.boot_id(); }
  void offload(Work job, Executor& executor, Work done) override {
    real_.offload(std::move(job), executor, std::move(done));
  }

 private:
  Wrap wrap_;
  file::PosixFileSystem real_;
};

}  // namespace leat::server
