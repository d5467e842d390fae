// A data directory: its lock, format version, commit journal, checkpoint and partition logs.
//
//   <directory>/lock                            held while a process uses the directory
//   <directory>/format                          text: "leat data directory, format 1\n"
//   <directory>/checkpoint                      what of every partition was known to be on disk
//   <directory>/journal/{0,1}                   the commit journal (journal.h)
//   <directory>/partitions/<topic id>/<p>/      segments of a partition (segment.h)
//   <directory>/recovering                      recoveries that died (recovery_guard.h)
//   <directory>/quarantine/                     bytes that recovery found behind the end of a log
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/uuid.h"
#include "file/file.h"
#include "log/log.h"
#include "log/options.h"

namespace leat::log {

/// Something an operator should know about a data directory, found by recovery or a check.
struct Finding {
  enum class Kind {
    damage,    // acknowledged bytes that cannot be read: fenced
    cut,       // unacknowledged bytes behind the end of a log: moved to quarantine/
    accepted,  // a gap accepted by --accept-loss
    seal,      // a sealed segment whose seal does not match
    index,     // an index that was missing or wrong (harmless: rebuilt)
    journal,   // a journal or checkpoint that could not be read whole
    unknown,   // a file or directory that does not belong here
  };
  Kind kind;
  TopicPartition partition;
  OffsetRange offsets{};
  std::string path;  // relative to the data directory
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;
  std::string cause;  // a sentence
};

/// What a copy of a data directory in use is made from (backup.h).
struct BackupPoint {
  /// A checkpoint of everything acknowledged so far, over all partitions.
  Bytes checkpoint;
  /// While it lives, no file that the checkpoint names is removed. May be let go on any thread.
  std::shared_ptr<void> hold;
};

/// Lives on one executor, and its logs on those of its shards; every member is called there. No
/// shard runs any more when it is destroyed. The executors, clock, file system and metrics outlive
/// it.
class Store {
 public:
  struct Environment {
    file::FileSystem& files;
    Executor& executor;
    const Clock& clock;
    Metrics& metrics;
    /// Where partitions live, spread by a hash of their ids; `executor` among them. None: all of
    /// them live on `executor`.
    std::vector<Executor*> shards = {};
  };

  /// Locks the directory (made if missing), recovers it and is ready to append. Blocks. Damage is
  /// not an error: it is fenced and listed in findings(). Errors: locked, unsupported_format,
  /// io_error, no_space.
  static Result<std::unique_ptr<Store>> open(const Environment& environment,
                                             const StoreOptions& options);
  /// Without close(): as a crash, but for open files.
  virtual ~Store() = default;

  /// The partition's log, made if missing; the same object each time. Cheap: a new log touches the
  /// disk only at its first append. After remove_log() it refuses everything; nothing may be asked
  /// of it after the store's end.
  virtual Result<std::shared_ptr<Log>> log(const TopicPartition& id, const LogOptions& options) = 0;
  /// Forgets the log at once and removes its files in the background. Its pending appends fail.
  /// The caller has made the removal durable first (in the catalog).
  virtual void remove_log(const TopicPartition& id) = 0;
  /// Every partition that the directory has files or a checkpoint entry for; of a topic that has
  /// such an entry, only those that have one, too.
  virtual std::vector<TopicPartition> partitions() const = 0;

  /// What recovery found, in the order found.
  virtual const std::vector<Finding>& findings() const = 0;
  /// Records that the records of `range` are lost, so that readers skip them. Must be within
  /// damage. `done` when durable.
  virtual void accept_loss(const TopicPartition& id, OffsetRange range,
                           UniqueFunction<void(Result<void>)> done) = 0;

  /// While the ticket lives, no commit begins: what is appended meanwhile on several shards gets
  /// into one. All appends wait meanwhile, so it should live for hardly longer than it takes to ask
  /// the shards. It may outlive the store, but has to die on its executor.
  [[nodiscard]] virtual std::shared_ptr<void> hold_commits() = 0;

  /// Everything acknowledged before the call is in the point, nothing that was not.
  virtual BackupPoint begin_backup() = 0;

  /// Commits what is pending, syncs, writes a checkpoint, so that the next open() reads nothing
  /// else. `done` is posted; afterwards the store only may be destroyed.
  virtual void close(UniqueFunction<void(Result<void>)> done) = 0;

  /// Set when the store stopped for good on a failed journal sync; reads go on.
  virtual std::optional<Error> failure() const = 0;
};

/// Reads a data directory that nobody holds, without changing it: every segment of every partition,
/// every seal and index, the journal and the checkpoint. Blocks. `progress(done, total)` in bytes.
/// Damage, as opposed to harmless findings, is what makes fsck exit 1.
struct CheckReport {
  std::vector<Finding> findings;
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t partitions = 0;
  bool damaged() const;
};
Result<CheckReport> check_directory(
    file::FileSystem& files, const std::string& directory,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace leat::log
