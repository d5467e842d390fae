// The keys of many rows, hashed before the first of them is looked up.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "column/row_key.h"
#include "operators/key_table.h"

namespace leat::operators {

/// Hashes the keys of rows, some at a time, and asks for what a table reads to find them, so that
/// no look-up waits for memory alone. Not thread-safe.
class HashedKeys {
 public:
  /// `columns` are those of the key.
  explicit HashedKeys(std::vector<std::size_t> columns) : columns_(std::move(columns)) {}

  /// Calls `use(i, key)` for each of `count` rows in turn. `cells_of(i)` has column(c) and, as
  /// `row`, the row there: a ChunkRow, a StoredRow; a few rows are read before the first of them
  /// is used. `key` is what `table` takes, a KeyTable or one that is like it, which may change in
  /// between.
  template <class Table, class CellsOf, class Use>
  void for_each(const Table& table, std::size_t count, const CellsOf& cells_of, const Use& use) {
    for (std::size_t begin = 0; begin < count; begin += keys_.size()) {
      std::size_t some = std::min(keys_.size(), count - begin);
      auto cells_at = [&](std::size_t i) { return cells_of(begin + i); };
      if (!hash_integers(table, some, cells_at)) hash_bytes(table, some, cells_at);
      for (std::size_t i = 0; i < some; ++i) table.prefetch_entry(keys_[i]);
      for (std::size_t i = 0; i < some; ++i) use(begin + i, std::as_const(keys_[i]));
    }
  }

 private:
  static constexpr std::size_t keys_at_once = 32;

  // False if one of them is no integer.
  template <class Table, class CellsAt>
  bool hash_integers(const Table& table, std::size_t count, const CellsAt& cells_at) {
    if (columns_.size() != 1) return false;
    for (std::size_t i = 0; i < count; ++i) {
      auto cells = cells_at(i);
      const column::Vector& column = cells.column(columns_[0]);
      if (physical(column.type()) != column::Physical::integer) return false;
      if (column.is_null(cells.row)) return false;
      keys_[i] = HashedKey(column.integer(cells.row));
      table.prefetch(keys_[i]);
    }
    return true;
  }

  // One behind the other in bytes_, which must not move while they are used.
  template <class Table, class CellsAt>
  void hash_bytes(const Table& table, std::size_t count, const CellsAt& cells_at) {
    std::size_t bytes_max = 0;
    for (std::size_t i = 0; i < count; ++i) {
      auto cells = cells_at(i);
      for (std::size_t c : columns_) bytes_max += column::key_bytes_max(cells.column(c), cells.row);
    }
    if (bytes_.size() < bytes_max) bytes_.resize(bytes_max);
    char* begin = bytes_.data();
    for (std::size_t i = 0; i < count; ++i) {
      auto cells = cells_at(i);
      char* end = begin;
      for (std::size_t c : columns_) end = column::write_key(end, cells.column(c), cells.row);
      keys_[i] = HashedKey(std::string_view(begin, static_cast<std::size_t>(end - begin)));
      table.prefetch(keys_[i]);
      begin = end;
    }
  }

  std::vector<std::size_t> columns_;
  std::array<HashedKey, keys_at_once> keys_;
  std::string bytes_;
};

}  // namespace leat::operators
