// The one implementation of Store.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "log/background.h"
#include "log/checkpoint.h"
#include "log/checkpointer.h"
#include "log/committer.h"
#include "log/compactor.h"
#include "log/context.h"
#include "log/partition_log.h"
#include "log/recovery.h"
#include "log/scrubber.h"
#include "log/shard.h"
#include "log/space_watch.h"
#include "log/store.h"

namespace leat::log {

class DataStore final : public Store {
 public:
  DataStore(const Environment& environment, const StoreOptions& options,
            std::unique_ptr<file::DirectoryLock> lock);
  ~DataStore() override;

  /// Takes over what recovery found.
  Result<void> start(Recovered recovered);

  Result<std::shared_ptr<Log>> log(const TopicPartition& id, const LogOptions& options) override;
  void remove_log(const TopicPartition& id) override;
  std::vector<TopicPartition> partitions() const override;
  const std::vector<Finding>& findings() const override { return findings_; }
  void accept_loss(const TopicPartition& id, OffsetRange range,
                   UniqueFunction<void(Result<void>)> done) override;
  std::shared_ptr<void> hold_commits() override { return committer_.hold(); }
  BackupPoint begin_backup() override;
  void close(UniqueFunction<void(Result<void>)> done) override;
  std::optional<Error> failure() const override { return committer_.failure(); }

 private:
  /// Goes on in the journal where the last process stopped.
  Result<void> resume(const Unsynced& unsynced);
  Result<void> append_kept(const Unsynced& unsynced);
  Shard& shard_of(const TopicPartition& id) const;
  std::shared_ptr<PartitionLog> find_log(const TopicPartition& id) const;
  Bytes encode_state(std::uint64_t sequence) const;
  std::vector<std::shared_ptr<const Segment>> sealed_segments() const;
  void remove_files(const TopicPartition& id);
  void finish_close();

  std::unique_ptr<file::DirectoryLock> lock_;
  /// Shared with the logs, which others may hold for longer.
  std::shared_ptr<StoreContext> shared_context_;
  StoreContext& context_;
  std::vector<std::unique_ptr<Shard>> shards_;  // the first is at home
  Journal journal_;
  Background background_;
  /// Of the checkpoint that recovery left.
  CheckpointHead head_;
  Committer committer_;
  Checkpointer checkpointer_;
  SpaceWatch space_;
  Scrubber scrubber_;
  Compactor compactor_;
  std::map<TopicPartition, std::shared_ptr<PartitionLog>> logs_;
  std::set<TopicPartition> removing_;
  std::vector<Finding> findings_;
  UniqueFunction<void(Result<void>)> close_;
};

}  // namespace leat::log
