// What most operators do with a chunk first.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "column/row_key.h"
#include "expression/row_errors.h"
#include "operators/operator.h"

namespace leat::operators {

/// The types of columns, as stores take them.
std::vector<column::Type> types_of(const column::Schema& schema);

/// What holds for all rows of a chunk, selected or not: so most chunks need not be judged row by
/// row, since less time passes in one than rows are waited for.
struct TimeBounds {
  std::int64_t earliest_ms;
  std::int64_t latest_ms;
  Watermark watermark_ms;  // the last of those that rows carry

  explicit TimeBounds(const column::RowContext& context);
};

/// The rows of the chunk that are not behind their watermark. The others go to push_late().
Result<std::vector<std::uint32_t>> take_in_time(const column::Chunk& chunk, Context& context);

/// Appends all rows of the selection.
void append_rows(const column::Selection& selection, std::vector<std::uint32_t>& rows);

/// A chunk of the same columns with only these rows, which are in rising order.
column::Chunk select(const column::Chunk& chunk, std::vector<std::uint32_t> rows);

/// Rejects the rows that have no valid value.
Result<void> reject(const column::Schema& schema, const column::Chunk& chunk,
                    const expression::RowErrors& errors, Context& context);

/// Writes rows' keys, one at a time.
class KeyWriter {
 public:
  explicit KeyWriter(std::vector<std::size_t> columns) : columns_(std::move(columns)) {}

  /// Valid until the next one. `cells` has column(i) and, as `row`, the row there: a StoredRow.
  template <class Cells>
  std::string_view write(const Cells& cells) {
    std::size_t bytes_max = 0;
    for (std::size_t c : columns_) bytes_max += column::key_bytes_max(cells.column(c), cells.row);
    if (bytes_.size() < bytes_max) bytes_.resize(bytes_max);
    char* end = bytes_.data();
    for (std::size_t c : columns_) end = column::write_key(end, cells.column(c), cells.row);
    return {bytes_.data(), static_cast<std::size_t>(end - bytes_.data())};
  }
  /// What `use` makes of the key: of its bytes, or of the number if it is a single one.
  template <class Cells, class Use>
  auto with(const Cells& cells, const Use& use) {
    if (columns_.size() == 1) {
      const column::Vector& column = cells.column(columns_[0]);
      bool integer = physical(column.type()) == column::Physical::integer;
      if (integer && !column.is_null(cells.row)) return use(column.integer(cells.row));
    }
    return use(write(cells));
  }
  /// What the table, a KeyTable or one that is like it, says of the key.
  template <class Table, class Cells>
  auto find_in(const Table& table, const Cells& cells) {
    return with(cells, [&](auto key) { return table.find(key); });
  }
  template <class Table, class Cells>
  auto find_or_add_in(Table& table, const Cells& cells) {
    return with(cells, [&](auto key) { return table.find_or_add(key); });
  }
  /// Before the i-th of `count` rows is looked up: asks for the memory that later ones need.
  /// `cells_of(i)` is the i-th. A key of bytes is not worth writing for that.
  template <class Table, class CellsOf>
  void prefetch_in(const Table& table, std::size_t i, std::size_t count,
                   const CellsOf& cells_of) const {
    constexpr std::size_t near = 8, far = 16;
    if (columns_.size() != 1) return;
    auto use = [&](std::size_t at, auto ask) {
      if (at >= count) return;
      auto cells = cells_of(at);
      const column::Vector& column = cells.column(columns_[0]);
      if (physical(column.type()) == column::Physical::integer) ask(column.integer(cells.row));
    };
    use(i + far, [&](std::int64_t key) { table.prefetch(key); });
    use(i + near, [&](std::int64_t key) { table.prefetch_entry(key); });
  }
  /// Whether a cell of the key is NULL.
  template <class Cells>
  bool has_null(const Cells& cells) const {
    for (std::size_t c : columns_) {
      if (cells.column(c).is_null(cells.row)) return true;
    }
    return false;
  }

 private:
  std::vector<std::size_t> columns_;
  std::string bytes_;
};

/// A row of a chunk.
struct ChunkRow {
  const column::Chunk* chunk = nullptr;
  std::uint32_t row = 0;
  const column::Vector& column(std::size_t i) const { return *chunk->columns[i]; }
};

}  // namespace leat::operators
