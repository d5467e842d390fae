// A file system in memory for tests, with crashes, full disks, failing syncs and flipped bits, all
// drawn from a seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/sim_executor.h"
#include "file/fake_directory.h"
#include "file/fake_inode.h"
#include "file/file.h"

namespace leat::file {

/// A change to the disk that is about to be made.
struct DiskChange {
  enum class Kind { create, write, truncate, sync, remove, rename, make_directory, sync_directory };
  Kind kind;
  const std::string& path;     // of a rename the new name
  std::uint64_t position = 0;  // of a write
  BytesView content = {};      // of a write
};

/// One thread; outlives its files and locks. Blocking calls take no simulated time; syncs and jobs
/// that do not block complete after a delay drawn from the seed.
///
/// What a power loss takes is everything that was not synced, save what the seed lets survive:
///  - of a file's unsynced pages none, all, some, or some sectors of each; in their last version or
///    in an older one that was never synced;
///  - its size as synced, as it was, or anything between;
///  - where a new block's content did not survive: zeros, or bytes that another file wrote;
///  - creates, removes and renames in a directory that was not synced since, each by itself. A file
///    whose entry is lost is gone, even if it was synced itself. The same for directories.
/// What was synced is never lost. Faults name paths by a part of them.
class FakeFileSystem final : public FileSystem {
 public:
  FakeFileSystem(SimExecutor& executor, std::uint64_t seed);

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
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  std::string boot_id() override;
  void offload(Work job, Executor& executor, Work done) override;

  /// The process dies: all that was written stays, open files and locks are dead (io_error), syncs
  /// and jobs under way never complete. The caller drops the executor's work.
  void kill();
  /// The machine dies: as kill(), and what was not synced is lost or not. The boot id changes.
  void power_loss();
  /// Lets `operations` more changes through (creates, writes, truncates, syncs, removes, renames);
  /// then the process counts as dead: the next write is done in part, all else fails and does
  /// nothing, until kill() or power_loss().
  void stop_after(std::uint64_t operations) { operations_left_ = operations; }
  bool stopped() const { return stopped_; }
  /// Has `watch` see each change before it is made; it may call stop_after(), which 0 makes the
  /// last one, made in part. Null ends that.
  void watch_changes(std::function<void(const DiskChange&)> watch) { watch_ = std::move(watch); }

  /// Room for so many more bytes, in pages of 4 KiB; nullopt for plenty. A write beyond it writes
  /// a part and fails with no_space; bytes already allocated can be written again.
  void set_free_bytes(std::optional<std::uint64_t> bytes);
  /// The `nth` sync from now of a file or directory whose path contains `part` fails, once. Of the
  /// pages that it should have written some count as clean from then on, written or not.
  void fail_sync(const std::string& part, std::uint64_t nth = 1);
  /// Reads, and writes and truncates, fail with io_error for paths that contain `part`.
  void fail_reads(const std::string& part) { failing_reads_.push_back(part); }
  void fail_writes(const std::string& part) { failing_writes_.push_back(part); }
  /// Ends failing syncs, reads and writes; not a full disk.
  void heal();
  /// Syncs and jobs take this long, at random between the two.
  void set_delays(std::chrono::nanoseconds least, std::chrono::nanoseconds most);

  struct FlippedBit {
    std::string path;
    std::uint64_t position;
    int bit;
  };
  /// Damages what is on disk and in the page cache. REQUIRES: the file has that position.
  void flip_bit(const std::string& path, std::uint64_t position, int bit);
  /// Flips one bit in a file whose path contains `part`; nullopt if none has any bytes.
  std::optional<FlippedBit> flip_random_bit(const std::string& part);
  /// Every file that there is, sorted.
  std::vector<std::string> file_paths() const;

  struct Counts {
    std::uint64_t opens = 0;
    std::uint64_t reads = 0;
    std::uint64_t bytes_read = 0;
    std::uint64_t writes = 0;
    std::uint64_t bytes_written = 0;
    std::uint64_t syncs = 0;
    std::uint64_t directory_syncs = 0;
  };
  const Counts& counts() const { return counts_; }
  void reset_counts() { counts_ = {}; }

 private:
  class Handle;
  class Lock;
  enum class Permit { allowed, cut_short, refused };
  struct FailingSync {
    std::string part;
    std::uint64_t nth;
  };
  struct Place {
    std::shared_ptr<FakeDirectory> directory;  // Null when the parent is missing.
    std::string name;                          // Empty for the root itself.
  };

  /// Asks stop_after() about one more change.
  Permit begin_change(const DiskChange& change);
  Result<void> allow_change(const char* verb, const DiskChange& change);
  std::optional<Error> dead(const char* verb, const std::string& path) const;
  Place find_place(const std::string& path) const;
  std::shared_ptr<FakeDirectory> find_directory(const std::string& path) const;
  bool sync_fails(const std::string& path);
  std::chrono::nanoseconds draw_delay();
  std::uint64_t used_bytes() const;
  std::uint64_t room() const;
  FakeInode::PagePtr draw_stale_page(std::size_t index);
  void end_process();

  SimExecutor& executor_;
  Random random_;
  std::shared_ptr<FakeDirectory> root_ = std::make_shared<FakeDirectory>();
  // Also those without a name, whose blocks may come to light again.
  std::vector<std::shared_ptr<FakeInode>> inodes_;
  std::vector<std::weak_ptr<FakeDirectory>> directories_;
  std::map<std::string, std::string> lock_owners_;
  // Files and locks of earlier processes know by it that they are dead.
  std::uint64_t process_ = 0;
  std::uint64_t boot_ = 0;
  std::optional<std::uint64_t> operations_left_;
  bool stopped_ = false;
  std::function<void(const DiskChange&)> watch_;
  std::optional<std::uint64_t> capacity_;
  std::vector<FailingSync> failing_syncs_;
  std::vector<std::string> failing_reads_;
  std::vector<std::string> failing_writes_;
  std::chrono::nanoseconds least_delay_ = std::chrono::microseconds(20);
  std::chrono::nanoseconds most_delay_ = std::chrono::milliseconds(2);
  Counts counts_;
};

}  // namespace leat::file
