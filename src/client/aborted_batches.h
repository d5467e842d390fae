// Which batches of what was fetched belong to aborted transactions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "record/batch.h"
#include "record/scratch.h"
#include "wire/fetch.h"

namespace leat::client {

/// Everything that a producer wrote between the first offset of an aborted transaction and its
/// abort marker is of that transaction. Of one that began before what was asked for there may be
/// nothing but the marker. Not thread-safe.
class AbortedBatches {
 public:
  using Aborted = std::vector<wire::FetchResponse::AbortedTransaction>;
  /// In the order of their first offsets.
  explicit AbortedBatches(Aborted aborted = {}) : aborted_(std::move(aborted)) {}

  /// To be asked of every batch, in their order, those before the offset asked for as well.
  bool contain(const record::BatchView& batch);

 private:
  void end_transaction(const record::BatchView& control_batch);

  Aborted aborted_;
  std::size_t next_ = 0;
  std::set<std::int64_t> producers_;
};

}  // namespace leat::client
