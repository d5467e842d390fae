// The rows that filters of aggregates let pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "column/vector.h"

namespace leat::operators {

/// Aggregates of a node mostly have few filters in common: each is looked at once for some rows and
/// their groups, without a branch for each row, since it cannot be foreseen which pass.
class FilteredRows {
 public:
  struct Rows {
    const column::Vector* filter = nullptr;
    std::vector<std::uint32_t> rows;
    std::vector<std::uint32_t> groups;
  };

  /// Before other rows.
  void clear() { used_ = 0; }
  /// Those of `rows` for which `filter` is true, with their groups. Good until clear().
  const Rows& of(const column::Vector& filter, std::span<const std::uint32_t> rows,
                 std::span<const std::uint32_t> groups) {
    for (std::size_t i = 0; i < used_; ++i) {
      if (kept_[i].filter == &filter) return kept_[i];
    }
    if (used_ == kept_.size()) kept_.emplace_back();
    Rows& passing = kept_[used_++];
    passing.filter = &filter;
    passing.rows.resize(rows.size());
    passing.groups.resize(rows.size());
    auto truths = filter.integers();
    auto nulls = filter.nulls();
    std::size_t count = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      passing.rows[count] = rows[i];
      passing.groups[count] = groups[i];
      count += nulls[rows[i]] == 0 && truths[rows[i]] != 0 ? 1 : 0;
    }
    passing.rows.resize(count);
    passing.groups.resize(count);
    return passing;
  }

 private:
  std::vector<Rows> kept_;  // the first used_ of them count
  std::size_t used_ = 0;
};

}  // namespace leat::operators
