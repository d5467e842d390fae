// Aggregates by key.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "operators/aggregate_inputs.h"
#include "operators/filtered_rows.h"
#include "operators/group_keys.h"

namespace leat::operators {

/// Keys, and accumulators of their numbers.
class WindowTable {
 public:
  WindowTable(std::span<const column::Type> keys, AccumulatorSet accumulators)
      : keys_(keys), accumulators_(std::move(accumulators)) {}

  /// Sets `groups` to the numbers of the rows' keys, and adds the rows.
  void add(std::span<const column::Vector* const> keys, const AggregateColumns& columns,
           std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& groups,
           KeyScratch& scratch, FilteredRows& filtered);
  /// Adds all of another table of the same node. `groups` is for its use.
  void merge(const WindowTable& other, std::vector<std::uint32_t>& groups);
  void clear();

  const GroupKeys& keys() const { return keys_; }
  const AccumulatorSet& accumulators() const { return accumulators_; }
  std::size_t size() const { return keys_.size(); }
  std::size_t bytes() const;

  //   table := keys accumulators*          keys as group_keys.h has them; accumulators by
  //   aggregate,
  //                                        then key
  void snapshot(StateWriter& writer) const;
  /// REQUIRES: an empty table.
  Result<void> restore(StateReader& reader);

 private:
  void make_room();

  GroupKeys keys_;
  AccumulatorSet accumulators_;
};

}  // namespace leat::operators
