// Syncs in the background what commits left unsynced, and writes checkpoints, so that the journal
// can be used again.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "log/context.h"
#include "log/journal.h"
#include "log/partition_log.h"

namespace leat::log {

/// One pass at a time. Belongs to the store's executor.
class Checkpointer {
 public:
  /// `encode_state` gives a checkpoint of all partitions as of the last finished commit.
  using EncodeState = std::function<Bytes(std::uint64_t sequence)>;
  Checkpointer(StoreContext& context, Journal& journal, EncodeState encode_state);
  ~Checkpointer();

  /// A finished commit wrote to the segment without syncing it.
  void add_dirty(const std::shared_ptr<PartitionLog>& log, const std::shared_ptr<Segment>& segment);
  void add_directory(const std::string& path) { directories_.insert(path); }
  /// True until a pass has synced the entries of that directory.
  bool is_unsynced(const std::string& path) const {
    return directories_.contains(path) || passing_directories_.contains(path);
  }
  /// A commit's own sync of the segment failed: what else of it is unsynced may count as written
  /// now, and is written again by the next pass.
  void sync_failed(const std::shared_ptr<PartitionLog>& log,
                   const std::shared_ptr<Segment>& segment);
  /// All of a commit's syncs have been told of here.
  void commit_finished();

  /// Starts a pass that ends with a checkpoint of what the journal's frames so far have led to.
  /// REQUIRES: not running; every frame's commit is finished.
  void start_checkpoint();
  bool running() const { return running_; }
  /// Why no checkpoint can be written any more: a segment's sync failed, and so did writing its
  /// bytes again, so that only the journal has them for certain.
  const std::optional<Error>& stuck() const { return stuck_; }

  /// As start_checkpoint(), when the last pass is done; saves the indexes of `segments`, too.
  void close(std::vector<std::shared_ptr<Segment>> segments,
             UniqueFunction<void(Result<void>)> done);

 private:
  struct Target;
  struct Pass;
  void start(std::shared_ptr<Pass> pass);
  void judge();
  void finished(Pass& pass);
  /// Its sync failed.
  void stop_partition(Target& target);
  std::shared_ptr<Pass> make_pass();
  /// Sets the timer for Durability::interval.
  void arm();

  StoreContext& context_;
  Journal& journal_;
  EncodeState encode_state_;
  struct Dirty {
    std::weak_ptr<PartitionLog> log;
    std::shared_ptr<Segment> segment;
    bool is_suspect = false;  // a sync failed: another one would say nothing
  };
  std::vector<Dirty> dirty_;
  std::set<const Segment*> dirty_set_;
  std::set<std::string> directories_;
  std::set<std::string> passing_directories_;  // of the pass that is running
  bool running_ = false;
  Executor::TimerId timer_ = 0;
  std::optional<Error> stuck_;
  std::shared_ptr<Pass> synced_;      // waits for a commit's syncs, to be judged
  std::set<const Segment*> passing_;  // what the running pass syncs
  std::vector<Dirty> distrusted_;     // of those, whose other sync failed meanwhile
  std::vector<std::shared_ptr<Segment>> close_segments_;
  UniqueFunction<void(Result<void>)> close_;
};

}  // namespace leat::log
