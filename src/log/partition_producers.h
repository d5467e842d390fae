// A partition's side of idempotence and transactions: its table of producers, how that is found
// again after a start, and who waits for what.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "log/context.h"
#include "log/log.h"
#include "log/producer_snapshot.h"
#include "log/producer_table.h"

namespace leat::log {

struct Completions;
class Shard;

/// Belongs to its log's shard. Nothing is read of the disk before somebody needs it: a batch with a
/// producer id, or a reader who wants committed records. A log without such batches never reads.
class PartitionProducers {
 public:
  /// `from` as PartitionState::producers_from.
  PartitionProducers(StoreContext& context, Shard& shard, TopicPartition id,
                     LeaderEpoch leader_epoch, std::optional<Offset> from);

  bool is_loaded() const { return is_loaded_; }
  /// What load() reads the table from; blocks. Any thread.
  struct Source {
    std::shared_ptr<const LogView> view;
    std::string path;
    LeaderEpoch leader_epoch;
    Offset from;
    std::size_t producers_max = 0;
  };
  struct Loaded {
    ProducerTable table;
    std::vector<AbortedTransaction> aborted;
    Offset snapshot_offset{-1};
    /// Of the log, behind the snapshot.
    std::uint64_t bytes = 0;
  };
  static Result<Loaded> read(file::FileSystem& files, const Source& source);
  Source source(std::shared_ptr<const LogView> view) const;
  /// Takes over what read() found. REQUIRES: !is_loaded().
  void install(Loaded loaded);

  /// Whether a batch may be appended; what it repeats, if it is a duplicate. REQUIRES: is_loaded().
  Result<std::optional<RememberedBatch>> check(
      const BatchHead& head, const std::optional<record::EndMarker>& marker) const;
  void append(const BatchHead& head, const std::optional<record::EndMarker>& marker);
  /// Calls `done` when the batch it repeats is committed, or has failed.
  void wait_for(const RememberedBatch& original, Log::AppendDone done);
  /// The log is committed up to `end`, `bytes` more than before.
  void commit(Offset end, std::uint64_t bytes, Completions& completions);
  /// What was appended at or behind `end` has failed.
  void roll_back(Offset end, const Error& error, Completions& completions);
  void commit_before_marker(ProducerId producer) { table_.commit_before_marker(producer); }
  void start_advanced(Offset start, Offset committed_end);
  void expire();

  /// nullopt: not known before it is loaded.
  std::optional<Offset> stable_offset(Offset committed_end) const;
  std::shared_ptr<const AbortedTransactions> aborted() const { return aborted_; }
  const ProducerTable& table() const { return table_; }

 private:
  void snapshot(Offset end);

  StoreContext& context_;
  Shard& shard_;
  const TopicPartition id_;
  const LeaderEpoch leader_epoch_;
  std::optional<Offset> from_;
  bool is_loaded_;
  ProducerTable table_;
  std::shared_ptr<AbortedTransactions> aborted_ = std::make_shared<AbortedTransactions>();
  /// By the end of the original.
  struct Waiting {
    Offset base_offset;
    Log::AppendDone done;
  };
  std::multimap<Offset, Waiting> waiting_;
  Offset snapshot_offset_{-1};
  std::uint64_t bytes_ = 0;  // of the log, behind the snapshot
  std::uint64_t snapshot_bytes_ = 0;
  std::optional<std::chrono::nanoseconds> expired_;  // when it looked last
};

}  // namespace leat::log
