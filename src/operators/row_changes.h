// What a list of rows has become, as changes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/stored_output.h"

namespace leat::operators {

/// Some rows of a store.
class RowSet {
 public:
  bool has(RowId id) const { return id < there_.size() && there_[id]; }
  void add(RowId id) {
    if (there_.size() <= id) there_.resize(id + 1);
    there_[id] = true;
  }
  void remove(RowId id) {
    if (id < there_.size()) there_[id] = false;
  }

 private:
  std::vector<bool> there_;
};

/// Takes back the rows of `shown` that are not in `now`, and gives those of `now` that are not in
/// `shown`: two at a time as the change of one row, as far as there are as many. `scratch` is empty
/// before and after.
Result<void> give_changes(std::span<const RowId> shown, std::span<const RowId> now, RowSet& scratch,
                          StoredOutput& out, Context& context);

struct RankedRow {
  RowId id = no_row;
  std::int64_t rank = 0;
  bool operator==(const RankedRow&) const = default;
};

/// The same for rows that are given with their ranks, by which they come: those that have another
/// one than before are changed.
Result<void> give_ranked_changes(std::span<const RankedRow> shown, std::span<const RankedRow> now,
                                 StoredOutput& out, Context& context);

}  // namespace leat::operators
