// Files and directories as the log needs them. `file/` is the only place that asks the operating
// system for files; `FakeFileSystem` is the other implementation, with crashes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/executor.h"
#include "base/result.h"

namespace leat::file {

/// An open file, read and written by position. Every member may be called from any thread; writes
/// that overlap each other or a read are the caller's to order. Closed when the last owner lets go.
class File {
 public:
  virtual ~File() = default;
  /// Fills `into` from `position`; gives fewer bytes only where the file ends.
  virtual Result<std::size_t> read_at(std::uint64_t position, MutableBytes into) const = 0;
  /// Writes `parts` one after the other from `position`, past the end where need be. All is
  /// written, or an error is returned and any part of it may be. Not durable before a sync.
  virtual Result<void> write_at(std::uint64_t position, std::span<const BytesView> parts) = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  /// Blocks until everything written before the call, and the size, is on disk. After an error
  /// nothing is known about what is on disk, and a second sync would lie: never retry.
  virtual Result<void> sync() = 0;
  using SyncDone = UniqueFunction<void(Result<void>)>;
  /// The same without blocking: `done` is posted to `executor`. The file stays open until then.
  virtual void async_sync(Executor& executor, SyncDone done) = 0;
  /// Whether reading those bytes would not wait for the disk, as far as a few probes can tell.
  virtual bool is_cached(std::uint64_t position, std::uint64_t bytes) const {
    static_cast<void>(position);
    static_cast<void>(bytes);
    return true;
  }
  /// The descriptor, for sendfile; -1 where there is none.
  virtual int native_handle() const = 0;
};

using FilePtr = std::shared_ptr<File>;

enum class OpenMode {
  read,        // must exist
  read_write,  // must exist
  create,      // read and write, made empty if missing
  create_new,  // read and write, must not exist
};

struct DirectoryEntry {
  std::string name;  // without its directory
  bool is_directory = false;
};

/// Held for as long as the object lives; the operating system lets go of it when the process ends.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

/// Paths are absolute or relative to the process, with '/' between names. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<FilePtr> open(const std::string& path, OpenMode mode) = 0;
  /// Removes a file. Not durable before its directory is synced, as are create and rename.
  virtual Result<void> remove(const std::string& path) = 0;
  /// Removes a directory and all in it.
  virtual Result<void> remove_all(const std::string& path) = 0;
  /// Replaces `to` atomically.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Makes the directory and its missing parents. No error if it exists.
  virtual Result<void> make_directories(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  /// Sorted by name.
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  /// Blocks until the entries of `directory` (creates, removes, renames) are on disk.
  virtual Result<void> sync_directory(const std::string& directory) = 0;
  /// Takes the exclusive lock `directory`/lock, whose text is then `owner`. Errc::locked, with the
  /// other owner's text in the message, while another process holds it.
  virtual Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory,
                                                      const std::string& owner) = 0;
  /// What sync() of each file would do and say, in their order; cheaper in one go where there are
  /// many. They are all of one file system.
  virtual std::vector<Result<void>> sync_all(std::span<const FilePtr> files);
  /// Bytes that this process may still write on the file system of `path`.
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  /// So many files may be open at once.
  virtual std::size_t open_files_max() const { return 1024; }
  /// Names the run of the operating system: what was written before a kill -9 is still in the page
  /// cache exactly if this is what it was.
  virtual std::string boot_id() = 0;
  /// Runs `job` where it may block (a pool of threads), then posts `done` to `executor`. `job`
  /// must not touch what belongs to an executor.
  virtual void offload(Work job, Executor& executor, Work done) = 0;
};

/// Reads a whole file. For small ones: configuration, checkpoints.
Result<Bytes> read_file(FileSystem& files, const std::string& path);
/// Replaces a file so that a crash leaves the old text or the new one: writes `path`.tmp, syncs it,
/// renames it, syncs the directory. Durable when it returns.
Result<void> replace_file(FileSystem& files, const std::string& path, BytesView content);

}  // namespace leat::file
