// One partition's log: assigns offsets, appends through the store's group commit, rolls and retires
// segments, and publishes views for readers.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "base/uuid.h"
#include "log/log_view.h"
#include "log/options.h"

namespace leat::log {

class ProducerTable;
class Store;

/// A checked record batch and what keeps its bytes alive until it is written. Its base offset and
/// leader epoch are patched in place.
struct Batch {
  std::shared_ptr<const void> owner;
  MutableBytes bytes;
  std::int32_t record_count = 0;
  std::int64_t max_timestamp_ms = -1;
  /// Nobody waits for it: it goes with the next commit that something else asks for, or with one of
  /// its own after a while.
  bool can_wait = false;
  /// Taken however little room the disk has left, as with LogOptions::is_essential.
  bool is_essential = false;
};

/// Made by a Store, and of no use after it. Lives on its shard's executor: every member is called
/// there, but for those that say thread-safe.
class Log {
 public:
  virtual ~Log() = default;

  /// Called on the executor, after append() has returned: with the base offset once the batch is
  /// acknowledged by the store's Durability, or with the error on which nothing of it was kept.
  using AppendDone = UniqueFunction<void(Result<Offset>)>;

  /// Gives `batch` the next offsets and queues it for the next commit. The base offset is returned
  /// at once, for those that must know the order before it is durable. On a later failure this
  /// append and all after it fail, and the end offset goes back. Errc::storage_error when
  /// the partition or the store stopped on a failed sync, Errc::no_space when the disk is full,
  /// Errc::request_timed_out when too much is pending. `done` is then not called.
  ///
  /// A batch with a producer id must follow its producer's last one (log/producer_table.h says
  /// with which errors), and REQUIRES has_producers(). One that repeats one of the last five is not
  /// appended: it has the offset that the first one has, and `done` is called when that one is
  /// acknowledged, or has failed.
  virtual Result<Offset> append(Batch batch, AppendDone done) = 0;

  /// The newest view. Thread-safe, wait-free for practical purposes.
  virtual std::shared_ptr<const LogView> view() const = 0;

  virtual Offset start_offset() const = 0;
  /// One past the last record that may be read; never above end_offset(), never goes back.
  virtual Offset high_watermark() const = 0;
  /// The offset that the next record will get.
  virtual Offset end_offset() const = 0;
  /// Raised by a recovery that had to cut, fence or drop something. Thread-safe.
  virtual LeaderEpoch leader_epoch() const = 0;

  /// Calls `listener` on the executor whenever the high watermark, the last stable offset or the
  /// start offset moved, until the ticket dies. Several may listen. They are called before the
  /// appends that moved it are answered.
  using Ticket = std::shared_ptr<void>;
  [[nodiscard]] virtual Ticket on_advance(UniqueFunction<void()> listener) = 0;

  /// Whether what is known of producers has been read, without which no batch with a producer id
  /// can be appended.
  virtual bool has_producers() const = 0;
  /// Reads it, elsewhere; `done` is called later, on the executor. An error is that of the disk,
  /// and the next call tries again.
  virtual void load_producers(UniqueFunction<void(Result<void>)> done) = 0;
  /// REQUIRES: has_producers().
  virtual const ProducerTable& producers() const = 0;
  /// The transaction that the producer has open is committed, though the marker that says so is
  /// still to be appended, and has to be, also after a crash: the last stable offset passes it at
  /// once. REQUIRES: all of it is acknowledged. Until the marker is appended, the producer's
  /// batches are refused with request_timed_out.
  virtual void commit_before_marker(ProducerId producer) = 0;

  /// New settings, effective from the next append or retention pass.
  virtual void set_options(const LogOptions& options) = 0;
  virtual const LogOptions& options() const = 0;

  /// Moves the start offset up to `offset` (DeleteRecords), durably; whole segments below it are
  /// removed later. `done` as for append.
  virtual void advance_start(Offset offset, UniqueFunction<void(Result<void>)> done) = 0;

  /// Rolls by age, and removes whole segments by size and age, the active one too if it has aged.
  /// Age counts from a segment's last append by the store's clock. Where the log is compacted,
  /// offers what is closed to the compactor. Called every few seconds.
  virtual void apply_retention() = 0;

  /// Thread-safe.
  virtual const TopicPartition& id() const = 0;
  /// The one that it lives on. Thread-safe.
  virtual Executor& executor() const = 0;
};

}  // namespace leat::log
