// The one implementation of Log.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "log/context.h"
#include "log/journal.h"
#include "log/log.h"
#include "log/segment.h"
#include "log/state.h"

namespace leat::log {

class PartitionLog;

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
  std::size_t first = 0;  // appends [first, last) of the part
  std::size_t last = 0;
};

/// One partition's part in a commit.
struct CommitPart {
  std::shared_ptr<PartitionLog> log;
  std::vector<PendingAppend> appends;
  std::vector<Run> runs;
  std::uint64_t bytes = 0;
  std::int64_t append_ms = 0;
  /// Syncs its segments instead of passing its bytes through the journal.
  bool is_direct = false;
  /// Directories that must be synced for the runs' new segments to be found again.
  std::vector<std::string> directories;
  std::optional<Error> error;
};

/// What is to be called when a commit has been dealt with.
struct Completions {
  struct Append {
    Log::AppendDone done;
    Result<Offset> result;
  };
  std::vector<Append> appends;
  std::vector<std::shared_ptr<PartitionLog>> advanced;
};

/// Belongs to the store's executor, but for view() and what its segments do for readers.
class PartitionLog final : public Log, public std::enable_shared_from_this<PartitionLog> {
 public:
  PartitionLog(StoreContext& context, const PartitionState& state, const LogOptions& options);
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
  void set_options(const LogOptions& options) override { options_ = options; }
  const LogOptions& options() const override { return options_; }
  void advance_start(Offset offset, UniqueFunction<void(Result<void>)> done) override;
  void apply_retention() override;
  const TopicPartition& id() const override { return id_; }

  /// What a checkpoint keeps of it.
  PartitionState state() const;
  bool is_removed() const { return removed_; }
  const std::vector<std::shared_ptr<Segment>>& segments() const { return segments_; }
  void accept_loss(OffsetRange range, UniqueFunction<void(Result<void>)> done);
  /// A reader found it.
  void record_damage(const Damage& damage);
  /// Seals what a crash left unsealed.
  void seal_old_segments();

  // For the committer:
  std::uint64_t pending_bytes() const { return pending_bytes_; }
  std::size_t pending_appends() const { return pending_.size(); }
  /// Takes what is pending, at most so many appends, and writes it to the segments. On failure
  /// `error` is set and the segments are as before.
  CommitPart write_pending(std::size_t appends_max);
  /// The part is as durable as it has to be.
  void complete(CommitPart& part, Completions& completions);
  /// Undoes the writes of a part.
  void roll_back(CommitPart& part);
  /// Fails the part, and what was appended after it.
  void fail(CommitPart& part, const Error& error, Completions& completions);
  void fail_pending(const Error& error, Completions& completions);
  /// Refuses every later append.
  void stop(const Error& error);
  void remove(Completions& completions);
  void notify();

 private:
  struct Listener;
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
  void drop_segments(bool all);

  Result<void> check_appendable(std::uint64_t bytes) const;

  StoreContext& context_;
  const TopicPartition id_;
  LogOptions options_;
  LeaderEpoch leader_epoch_;
  Offset start_offset_;
  Offset committed_end_;  // the high watermark
  Offset end_offset_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::vector<Damage> damage_;
  std::vector<OffsetRange> gaps_;
  std::deque<PendingAppend> pending_;
  std::uint64_t pending_bytes_ = 0;
  bool committing_ = false;
  bool prepared_ = false;
  bool directory_made_ = false;
  bool roll_requested_ = false;
  bool advancing_start_ = false;
  bool removed_ = false;
  std::optional<Error> stopped_;
  std::vector<std::weak_ptr<Listener>> listeners_;
  std::shared_ptr<const DamageSink> sink_;
  std::atomic<std::shared_ptr<const LogView>> view_;
};

}  // namespace leat::log
