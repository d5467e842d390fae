// The one implementation of Log.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/published.h"
#include "log/context.h"
#include "log/journal.h"
#include "log/log.h"
#include "log/partition_producers.h"
#include "log/segment.h"
#include "log/state.h"

namespace leat::log {

class PartitionLog;
class Shard;
struct Replacement;

/// An append on its way to the disk.
struct PendingAppend {
  Batch batch;
  BatchHead head;
  Log::AppendDone done;
};

/// Batches that one commit writes to one segment.
struct Run {
  std::shared_ptr<Segment> segment;
  file::FilePtr file;
  bool is_new = false;  // the segment begins with this run
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;
  Offset base_offset;
  Offset next_offset;
  std::int64_t max_timestamp_ms = -1;
  bool has_producers = false;
  std::size_t first = 0;  // appends [first, last) of the part
  std::size_t last = 0;
};

/// What one partition has written and wants committed: its appends, and where they went. Handed
/// from its shard to the committer and back.
struct CommitPart {
  std::shared_ptr<PartitionLog> log;
  /// So many parts were joined in this one.
  std::size_t count = 1;
  std::vector<PendingAppend> appends;
  std::vector<Run> runs;
  std::uint64_t bytes = 0;
  std::int64_t append_ms = 0;
  /// Syncs its segments instead of passing its bytes through the journal.
  bool is_direct = false;
  /// Directories that must be synced for the runs' new segments to be found again.
  std::vector<std::string> directories;
  std::optional<Error> error;
  /// The error is of a sync: the partition must take no more.
  bool stops_log = false;
};

/// What is to be called when a commit has been dealt with.
struct Completions {
  struct Append {
    Log::AppendDone done;
    Result<Offset> result;
  };
  std::vector<Append> appends;
  std::vector<std::shared_ptr<PartitionLog>> advanced;
  bool empty() const { return appends.empty() && advanced.empty(); }
};

/// What the committer knows of a partition. Belongs to the store's executor.
struct Ledger {
  /// After the last finished commit: what a checkpoint keeps of the partition.
  PartitionState state;
  /// Parts are refused: one has failed, and those written behind it are not all back yet.
  bool refuses = false;
  bool is_removed = false;
  /// Its part in the commit that is being put together: an index, and which commit.
  std::size_t part = 0;
  std::uint64_t commit = 0;
};

/// Belongs to its shard's executor, but for its ledger, view(), and what its segments do for
/// readers. It writes ahead of the commits: several of its parts may be under way, each behind the
/// one before. When one fails, those behind it come back failed too, and all are undone at once.
class PartitionLog final : public Log, public std::enable_shared_from_this<PartitionLog> {
 public:
  PartitionLog(std::shared_ptr<StoreContext> context, Shard& shard, const PartitionState& state,
               const LogOptions& options);
  ~PartitionLog() override;
  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  Result<Offset> append(Batch batch, AppendDone done) override;
  std::shared_ptr<const LogView> view() const override { return view_.load(); }
  Offset start_offset() const override { return start_offset_; }
  Offset high_watermark() const override { return committed_end_; }
  Offset end_offset() const override { return end_offset_; }
  LeaderEpoch leader_epoch() const override { return leader_epoch_; }
  Ticket on_advance(UniqueFunction<void()> listener) override;
  bool has_producers() const override { return producers_.is_loaded(); }
  void load_producers(UniqueFunction<void(Result<void>)> done) override;
  /// The store ends: what waits is not called any more, but let go, since it may hold this log.
  void abandon() {
    std::exchange(loading_, {});
    std::exchange(pending_, {});
  }
  const ProducerTable& producers() const override { return producers_.table(); }
  void commit_before_marker(ProducerId producer) override;
  void set_options(const LogOptions& options) override { options_ = options; }
  const LogOptions& options() const override { return options_; }
  void advance_start(Offset offset, UniqueFunction<void(Result<void>)> done) override;
  void apply_retention() override;
  const TopicPartition& id() const override { return id_; }
  Executor& executor() const override;

  /// At home only.
  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }
  Shard& shard() const { return shard_; }
  void accept_loss(OffsetRange range, UniqueFunction<void(Result<void>)> done);
  /// A reader found it.
  void record_damage(const Damage& damage);
  /// Seals what a crash left unsealed.
  void seal_old_segments();

  // For the compactor:
  /// Puts a compacted segment in its place, if what it replaces is still there.
  void replace(Replacement replacement);
  /// The compaction that it offered itself for is over: all below `to` has been looked at, or it
  /// failed, and is tried again in a minute.
  void compacted(std::optional<Offset> to);

  // For the shard:
  /// Writes a commit's worth of what is pending to the segments and adds it to `parts`; true if
  /// there is more. What cannot be written fails, and the segments are as before.
  bool write_pending(std::vector<CommitPart>& parts, Completions& completions);
  /// The committer is done with the part, which is as durable as it has to be, or has failed.
  void settle(CommitPart part, Completions& completions);
  /// Fails what is not written yet.
  void fail_pending(const Error& error, Completions& completions);
  /// Refuses every later append.
  void stop(const Error& error);
  void remove(Completions& completions);
  void notify();

 private:
  struct Listener;
  /// Where the next part is written: behind those that are not back yet.
  struct Tail {
    std::shared_ptr<Segment> segment;
    std::uint64_t position = 0;
    Offset next_offset;
    std::int64_t first_append_ms = 0;  // of the segment, if that is new
  };
  PartitionState state() const;
  /// Has what is pending written, soon or, where it can wait, with the next commit.
  void enqueue(bool can_wait = false);
  CommitPart take_pending(std::size_t appends_max, std::uint64_t bytes_max);
  std::int64_t first_append_of(const Segment& segment) const;
  void complete(CommitPart& part, Completions& completions);
  /// Undoes the writes of a part.
  void roll_back(CommitPart& part);
  void fail(CommitPart& part, Completions& completions);
  /// All parts are back and some have failed: nothing of those stays.
  void undo_failed(Completions& completions);
  void release_hold();
  Result<void> write_runs(CommitPart& part);
  Result<void> write_run(CommitPart& part, Run& run);
  Result<Run> next_run(CommitPart& part, std::size_t first);
  Result<Run> start_segment(CommitPart& part, std::size_t first);
  bool must_roll(const Run& run, const BatchHead& head, std::int64_t now_ms) const;
  /// Before the first append of this process: what stands behind the end goes to quarantine.
  Result<void> prepare();
  std::shared_ptr<Segment> make_segment(const SegmentState& state);
  void seal(const std::shared_ptr<Segment>& segment);
  void publish();
  void start_advanced(Offset offset, bool all);
  /// Has itself compacted if that is worth it by now.
  void offer_compaction();
  /// At home.
  void commit_replacement(const SegmentState& state, const std::vector<std::string>& paths);
  void drop_segments(bool all);

  Result<void> check_appendable(const Batch& batch) const;
  /// As append(), of a batch with a producer id: gives the batch's offset where it is a duplicate.
  Result<std::optional<Offset>> check_producer(const Batch& batch, const BatchHead& head,
                                               AppendDone& done);
  void producers_read(Result<PartitionProducers::Loaded> loaded);
  /// Calls `go` once what is known of producers is in memory, perhaps at once, or cannot be read.
  void with_producers(UniqueFunction<void()> go);

  const std::shared_ptr<StoreContext> shared_context_;
  StoreContext& context_;
  Shard& shard_;
  Ledger ledger_;  // home's
  const TopicPartition id_;
  LogOptions options_;
  const LeaderEpoch leader_epoch_;
  Offset start_offset_;
  Offset committed_end_;  // the high watermark
  Offset end_offset_;
  Offset compacted_to_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::vector<Damage> damage_;
  std::vector<OffsetRange> gaps_;
  PartitionProducers producers_;
  /// Who waits for the producers to be read.
  std::vector<UniqueFunction<void(Result<void>)>> loading_;
  std::deque<PendingAppend> pending_;
  std::uint64_t pending_bytes_ = 0;
  bool is_queued_ = false;  // at the shard, to write what is pending
  std::size_t in_flight_ = 0;
  std::optional<Tail> tail_;  // while parts are in flight
  std::vector<CommitPart> failed_;
  /// What is pending stays so: the segment that it would go to is being given up.
  bool is_held_ = false;
  bool prepared_ = false;
  bool directory_made_ = false;
  bool roll_requested_ = false;
  bool advancing_start_ = false;
  bool is_compacting_ = false;
  bool strays_cleared_ = false;
  std::chrono::nanoseconds compaction_pause_{};  // not before
  bool removed_ = false;
  std::optional<Error> stopped_;
  std::vector<std::weak_ptr<Listener>> listeners_;
  std::shared_ptr<const DamageSink> sink_;
  Published<LogView> view_;
};

}  // namespace leat::log
