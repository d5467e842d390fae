// One shard's side of group commit: writes what its logs have pending, gives it to the committer as
// parts, and deals with the parts when they come back.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "log/context.h"
#include "log/partition_log.h"

namespace leat::log {

/// The logs of one executor, and their way to the store's executor, the home. One shard is at home
/// itself: there a call takes the place of a post. Belongs to its executor, but for what says
/// otherwise. What home posts to a shard, and a shard to home, arrives in order.
class Shard {
 public:
  Shard(StoreContext& context, Executor& executor);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Any thread.
  Executor& executor() const { return executor_; }
  bool is_home() const { return is_home_; }

  /// `log` has appends to write, when one of the next two is called.
  void enqueue(std::shared_ptr<PartitionLog> log) { queue_.push_back(std::move(log)); }
  /// What is in the queue is to be written. At home it waits for the next commit to begin;
  /// elsewhere for the end of the turn, since that commit is made in another thread.
  void flush_soon();
  /// It is written with what comes later, or after a while.
  void flush_later();
  /// The store closes: nothing is left in the queue.
  void flush_rest();
  /// Something is in the queue that a commit is to be made for.
  bool is_due() const { return is_due_ && !queue_.empty(); }
  /// Writes what is pending to the segments and submits it, until it is so many bytes or more.
  void flush(std::uint64_t bytes_max);
  /// Takes back parts that the committer is done with, in the order they were submitted.
  void settle(std::vector<CommitPart> parts);
  /// The store has stopped: what is pending fails.
  void fail_pending(const Error& error);
  /// Fails what `log` has pending and refuses the rest.
  void remove(PartitionLog& log);

  /// From the shard: `work` on the home executor.
  template <class F>
  void at_home(F work) const {
    go(context_.executor, std::move(work));
  }
  /// From home: `work` on the shard's executor.
  template <class F>
  void here(F work) const {
    go(executor_, std::move(work));
  }
  /// From the shard: puts an entry that is no append into the next commit; `done` is called here.
  void add(JournalEntry entry, UniqueFunction<void(Result<void>)> done) const;

 private:
  template <class F>
  void go(Executor& executor, F work) const {
    if (is_home_) {
      work();
    } else {
      executor.post(context_.guarded(std::move(work)));
    }
  }
  void call(Completions completions);
  /// While the store closes, it waits for the last append to be answered.
  void tell_if_closing() const;

  StoreContext& context_;
  Executor& executor_;
  const bool is_home_;
  std::deque<std::shared_ptr<PartitionLog>> queue_;  // each once
  bool is_due_ = false;
  bool is_flush_posted_ = false;
  bool is_timer_set_ = false;
};

}  // namespace leat::log
