// Group commit: whatever was appended while one commit was on its way to the disk goes into the
// next one, over all partitions of the store and all shards.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "log/context.h"
#include "log/journal.h"
#include "log/partition_log.h"
#include "log/shard.h"

namespace leat::log {

/// One commit is in flight at a time. Belongs to the store's executor.
class Committer {
 public:
  /// `shards` outlive it; the first is at home.
  Committer(StoreContext& context, Journal& journal,
            const std::vector<std::unique_ptr<Shard>>& shards);

  /// Takes parts into the next commit that has room, and gives each back to its shard afterwards.
  /// Those of a partition come in the order in which they were written.
  void submit(std::vector<CommitPart> parts);
  /// There is something to commit at home, or something may have ended that close() waits for.
  void schedule();
  /// While a commit is in flight and much is pending at home, writes what the next one will take.
  void write_ahead();

  using Done = UniqueFunction<void(Result<void>)>;
  /// Puts an entry that is no append into the next commit.
  void add(JournalEntry entry, Done done);
  /// Has an EndEntry say where the partition ends: in the next commit or, while the disk or the
  /// journal is full, in the first one that can be written.
  void add_end(const TopicPartition& id);

  /// No commit begins while the ticket lives. At home only.
  [[nodiscard]] std::shared_ptr<void> hold();

  /// Has a checkpoint written soon, of what the ledgers have now or more; `done` may never be
  /// called when the store ends.
  void request_checkpoint(Done done);
  /// A checkpoint was written, or could not be: what waited for room in the journal goes on.
  void checkpoint_done(const Result<void>& written);
  /// The last commit that is done with: its effects are in every log's state.
  std::uint64_t finished_sequence() const { return finished_sequence_; }
  /// Whether syncs of a commit are under way.
  bool is_syncing() const { return commit_ && commit_->syncs_left > 0; }
  /// Makes the store refuse everything from now on.
  void stop(const Error& error);
  const std::optional<Error>& failure() const { return failure_; }

  /// Refuses further appends, lets the rest finish, then calls `idle`, perhaps at once.
  void close(Work idle);

  /// Goes on behind the journal's last frame.
  void start_behind(std::uint64_t sequence) { finished_sequence_ = sequence; }
  /// Where damage that a reader found is taken to its log.
  std::function<void(const TopicPartition&, const Damage&)> found_damage;
  /// The partition's log; nullptr if there is none.
  std::function<std::shared_ptr<PartitionLog>(const TopicPartition&)> find_log;

 private:
  struct Control {
    JournalEntry entry;
    Done done;
  };
  struct Commit {
    std::vector<CommitPart> parts;
    std::vector<Control> controls;
    std::uint64_t bytes = 0;  // of its parts
    std::unique_ptr<FrameBuilder> frame;
    std::uint64_t sequence = 0;
    std::chrono::nanoseconds started{0};
    std::size_t syncs_left = 0;
    std::optional<Error> error;  // of the journal: nothing of the commit counts
  };

  void start();
  /// Writes at home what a commit has room for besides the parts that wait.
  void flush_home();
  void take_parts();
  void take_controls();
  Control end_of(const TopicPartition& id);
  struct Room;
  bool take(CommitPart& part, Room& room);
  void refuse(CommitPart part, const Error& error);
  /// The store has stopped: gives back all parts that no commit has taken.
  void refuse_waiting();
  void build_frame();
  void add_run(const CommitPart& part, const Run& run, FrameBuilder& frame) const;
  void place_frame();
  void write_frame();
  void sync();
  void sync_controls();
  void sync_part(CommitPart& part);
  void synced(CommitPart* part, const Result<void>& result);
  void abort(const Error& error);
  void finish();
  void finish_part(CommitPart& part);
  void fail_part(CommitPart& part);
  void apply(const JournalEntry& entry);
  void give_back(std::vector<CommitPart> parts);
  void call(std::vector<Control> controls, const std::optional<Error>& error);
  /// Starts the checkpoint that somebody asked for, unless one is being written.
  void start_requested_checkpoint();

  StoreContext& context_;
  Journal& journal_;
  const std::vector<std::unique_ptr<Shard>>& shards_;
  std::deque<CommitPart> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  std::vector<Control> controls_;
  std::vector<Control> ends_;       // EndEntries that could not be written yet
  std::unique_ptr<Commit> commit_;  // in flight
  std::uint64_t commits_ = 0;       // begun
  bool scheduled_ = false;
  std::size_t holds_ = 0;
  bool is_writing_ahead_ = false;  // posted
  bool waiting_for_journal_ = false;
  std::uint64_t finished_sequence_ = 0;
  std::vector<Done> checkpoint_requests_;
  std::vector<Done> checkpoint_waiters_;  // of the one that is being written for them
  std::optional<Error> failure_;
  Work idle_;
  std::size_t shards_closing_ = 0;  // that may still have something to submit
};

}  // namespace leat::log
