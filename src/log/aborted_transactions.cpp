#include "log/aborted_transactions.h"

#include <algorithm>

#include "base/assert.h"

namespace leat::log {

void AbortedTransactions::add(const AbortedTransaction& transaction) {
  std::lock_guard lock(mutex_);
  ASSERT(all_.empty() || all_.back().last < transaction.last);
  all_.push_back(transaction);
}

void AbortedTransactions::trim(Offset start) {
  std::lock_guard lock(mutex_);
  auto ended_before = [start](const AbortedTransaction& t) { return t.last < start; };
  all_.erase(all_.begin(), std::find_if_not(all_.begin(), all_.end(), ended_before));
}

std::vector<AbortedTransaction> AbortedTransactions::find(Offset from, Offset to) const {
  std::lock_guard lock(mutex_);
  std::vector<AbortedTransaction> found;
  auto ended_before = [from](const AbortedTransaction& t) { return t.last < from; };
  for (auto at = std::partition_point(all_.begin(), all_.end(), ended_before); at != all_.end();
       ++at) {
    if (at->first < to) found.push_back(*at);
    if (at->stable >= to) break;
  }
  return found;
}

std::vector<AbortedTransaction> AbortedTransactions::all() const {
  std::lock_guard lock(mutex_);
  return all_;
}

}  // namespace leat::log
