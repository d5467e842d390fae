// Rows' orderings as bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "column/position.h"
#include "column/row_key.h"
#include "plan/stateful_nodes.h"

namespace leat::operators {

/// Writes strings of bytes that compare as the plan orders rows: NULL is the largest.
class RowOrder {
 public:
  RowOrder(std::vector<std::size_t> columns, const std::vector<plan::Ordering>& orderings)
      : columns_(std::move(columns)) {
    for (const auto& ordering : orderings) descending_.push_back(ordering.descending);
  }

  /// `cells` has column(i) and, as `row`, the row there.
  template <class Cells>
  void append(std::string& out, const Cells& cells) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::size_t from = out.size();
      column::append_key(out, cells.column(columns_[i]), cells.row);
      if (!descending_[i]) continue;
      for (std::size_t at = from; at < out.size(); ++at) out[at] = static_cast<char>(~out[at]);
    }
  }
  /// What decides between rows that are equal by that: the order of time.
  static void append_time(std::string& out, std::int64_t time_ms,
                          const column::Position& position) {
    column::append_word(out, time_ms);
    column::append_position(out, position);
  }

 private:
  std::vector<std::size_t> columns_;
  std::vector<bool> descending_;
};

}  // namespace leat::operators
