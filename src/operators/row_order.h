// Rows' orderings as bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "column/chunk.h"
#include "column/position.h"
#include "column/row_blocks.h"
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
  /// A number for the row that grows with what append() writes, and stays the same where that would
  /// take long: a row with a larger one is behind.
  template <class Cells>
  std::uint64_t rough(const Cells& cells) const {
    std::uint64_t number = rough_cell(cells.column(columns_[0]), cells.row);
    return descending_[0] ? ~number : number;
  }
  /// Calls `use(i)` for those of a chunk's rows, the i-th of some, whose number is not above
  /// `limits[groups[i]]`, which `use` may change. Few are, so that it is worth while to look at
  /// several together.
  template <class Use>
  void each_not_behind(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
                       std::span<const std::uint32_t> groups, const std::uint64_t* limits,
                       const Use& use) const {
    const column::Vector& column = *chunk.columns[columns_[0]];
    const std::uint64_t turned = descending_[0] ? ~std::uint64_t{0} : 0;
    auto one = [&](std::size_t i, std::uint32_t row) {
      if ((rough_cell(column, row) ^ turned) <= limits[groups[i]]) use(i);
    };
    if (physical(column.type()) != column::Physical::integer) {
      for (std::size_t i = 0; i < rows.size(); ++i) one(i, rows[i]);
      return;
    }
    const std::uint8_t* nulls = column.nulls().data();
    if (!column.has_nulls() || !column::any_null(nulls, rows.data(), rows.size())) nulls = nullptr;
    auto block = [=, &one, cells = column.integers().data(), group = groups.data()](
                     std::size_t i, std::uint32_t row) {
      column::ask_ahead(cells + row);
      bool any = nulls != nullptr && column::any_null(nulls + row, nullptr, column::block_rows);
      for (std::size_t k = 0; k < column::block_rows; ++k) {
        std::uint64_t number = std::bit_cast<std::uint64_t>(cells[row + k]) ^ sign ^ turned;
        any |= number <= limits[group[i + k]];
      }
      if (!any) return;
      for (std::uint32_t k = 0; k < column::block_rows; ++k) one(i + k, row + k);
    };
    column::each_block(rows.data(), rows.size(), block, one);
  }
  /// What decides between rows that are equal by that: the order of time.
  static void append_time(std::string& out, std::int64_t time_ms,
                          const column::Position& position) {
    column::append_word(out, time_ms);
    column::append_position(out, position);
  }

 private:
  static constexpr std::uint64_t sign = std::uint64_t{1} << 63;

  static std::uint64_t rough_cell(const column::Vector& cells, std::uint32_t row) {
    if (cells.is_null(row)) return std::numeric_limits<std::uint64_t>::max();
    switch (physical(cells.type())) {
      case column::Physical::integer:
        return std::bit_cast<std::uint64_t>(cells.integer(row)) ^ sign;
      case column::Physical::real: return column::ordered_bits(cells.real(row));
      case column::Physical::decimal: return rough_units(cells.decimal(row)) ^ sign;
      case column::Physical::text: return rough_text(cells.text(row));
      default: return 0;
    }
  }
  static std::uint64_t rough_units(column::Int128 units) {
    using Limits = std::numeric_limits<std::int64_t>;
    auto near = std::clamp<column::Int128>(units, Limits::min(), Limits::max());
    return static_cast<std::uint64_t>(near);
  }
  static std::uint64_t rough_text(std::string_view text) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) {
      number = number << 8 | (i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0);
    }
    return number;
  }

  std::vector<std::size_t> columns_;
  std::vector<bool> descending_;
};

}  // namespace leat::operators
