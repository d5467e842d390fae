// The log of a history, looked up by uid and by offset, and what became of each record in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "checker/history.h"

namespace leat::checker {

/// What the markers say. A record outside of transactions is committed.
enum class Fate { open, aborted, committed };

struct LoggedRecord {
  std::int64_t offset = 0;
  std::string_view uid;
  Fate fate = Fate::committed;
};

/// A place of a record in the log.
struct Place {
  const Partition* partition = nullptr;
  LoggedRecord record;
};

/// One offset of one group, in the order of the log.
struct LoggedCommit {
  std::int64_t offset = 0;  // of its record
  std::int64_t value = 0;   // -1: a tombstone
  std::string_view uid;
  Fate fate = Fate::committed;
};

/// Borrows the history, which must outlive it.
class LogIndex {
 public:
  explicit LogIndex(const History& history);

  /// Where a record stands; empty if it does not.
  const std::vector<Place>& places(const std::string& uid) const;
  /// What stands at an offset; null for nothing, as for a marker.
  const LoggedRecord* at(const Partition& partition, std::int64_t offset) const;
  /// The first record in [from, to) that such a reader sees.
  const LoggedRecord* first_visible(const Partition& partition, std::int64_t from, std::int64_t to,
                                    bool is_committed) const;
  /// One past the last offset.
  std::int64_t end(const Partition& partition) const;

  using GroupPartition = std::pair<std::string, Partition>;
  const std::map<GroupPartition, std::vector<LoggedCommit>>& commits() const { return commits_; }
  /// What became of a commit of offsets, by its uid; null if it is not in the log.
  const Fate* commit_fate(const std::string& uid) const;
  const std::map<Partition, std::vector<LoggedRecord>>& records() const { return records_; }

 private:
  void add_partition(const Partition& partition, const std::vector<const LoggedBatch*>& batches);
  void add_batch(const Partition& partition, const LoggedBatch& batch, Fate fate);

  std::map<Partition, std::vector<LoggedRecord>> records_;
  std::map<Partition, std::int64_t> ends_;
  std::unordered_map<std::string, std::vector<Place>> places_;
  std::map<GroupPartition, std::vector<LoggedCommit>> commits_;
  std::unordered_map<std::string, Fate> commit_fates_;
};

}  // namespace leat::checker
