// The aborted transactions of a partition, by which readers of committed records leave them out.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "base/ids.h"

namespace leat::log {

struct AbortedTransaction {
  ProducerId producer;
  Offset first;
  /// Of its marker.
  Offset last;
  /// The last stable offset just behind that marker: whatever ends later begins at or above it.
  Offset stable;
  friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
};

/// Those that the log still has records of; 32 bytes each. Thread-safe.
class AbortedTransactions {
 public:
  AbortedTransactions() = default;
  explicit AbortedTransactions(std::vector<AbortedTransaction> all) : all_(std::move(all)) {}

  /// REQUIRES: it ended behind all others.
  void add(const AbortedTransaction& transaction);
  /// Forgets those that ended below `start`.
  void trim(Offset start);
  /// Those with records in [from, to), by the offset of their marker. REQUIRES: every transaction
  /// that began below `to` has ended.
  std::vector<AbortedTransaction> find(Offset from, Offset to) const;
  std::vector<AbortedTransaction> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<AbortedTransaction> all_;  // by `last`; guarded by mutex_
};

}  // namespace leat::log
