// Group commit: whatever was appended while one commit was on its way to the disk goes into the
// next one, over all partitions of the store.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "log/context.h"
#include "log/journal.h"
#include "log/partition_log.h"

namespace leat::log {

/// One commit is in flight at a time. Belongs to the store's executor.
class Committer {
 public:
  Committer(StoreContext& context, Journal& journal);

  /// `log` has `bytes` more pending.
  void enqueue(std::shared_ptr<PartitionLog> log, std::uint64_t bytes);
  /// Pending bytes that no commit will take any more.
  void forget(std::uint64_t bytes) { pending_bytes_ -= bytes; }
  bool has_room(std::uint64_t bytes) const {
    return pending_bytes_ + bytes <= context_.options.pending_bytes_max || pending_bytes_ == 0;
  }

  using Done = UniqueFunction<void(Result<void>)>;
  /// Puts an entry that is no append into the next commit.
  void add(JournalEntry entry, Done done);

  /// A checkpoint was written, or could not be: what waited for room in the journal goes on.
  void checkpoint_done(const Result<void>& written);
  /// The last commit that is done with: its effects are in every log's state.
  std::uint64_t finished_sequence() const { return finished_sequence_; }
  /// Makes the store refuse everything from now on.
  void stop(const Error& error);
  const std::optional<Error>& failure() const { return failure_; }

  /// Refuses further appends, lets the rest finish, then calls `idle`, perhaps at once.
  void close(Work idle);
  bool is_closing() const { return closing_; }

  /// Goes on behind the journal's last frame.
  void start_behind(std::uint64_t sequence) { finished_sequence_ = sequence; }
  /// Where damage that a reader found is taken to its log.
  std::function<void(const TopicPartition&, const Damage&)> found_damage;

 private:
  struct Control {
    JournalEntry entry;
    Done done;
  };
  struct Commit {
    std::vector<CommitPart> parts;
    std::vector<Control> controls;
    std::unique_ptr<FrameBuilder> frame;
    std::uint64_t sequence = 0;
    std::chrono::nanoseconds started{0};
    std::size_t syncs_left = 0;
    std::optional<Error> error;  // of the journal: nothing of the commit counts
  };

  void schedule();
  void start();
  void take_parts();
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
  void finish_part(CommitPart& part, Completions& completions);
  void call(Completions completions, std::vector<Control> controls,
            const std::optional<Error>& error);

  StoreContext& context_;
  Journal& journal_;
  std::deque<std::shared_ptr<PartitionLog>> queue_;  // logs with pending appends, each once
  std::vector<Control> controls_;
  std::uint64_t pending_bytes_ = 0;
  std::unique_ptr<Commit> commit_;  // in flight
  bool scheduled_ = false;
  bool waiting_for_journal_ = false;
  std::uint64_t finished_sequence_ = 0;
  bool closing_ = false;
  std::optional<Error> failure_;
  Work idle_;
};

}  // namespace leat::log
