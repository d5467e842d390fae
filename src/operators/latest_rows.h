// The last row of each key.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "operators/key_table.h"
#include "operators/row_store.h"

namespace leat::operators {

/// Which stored row is a key's last one, as long as it has one. Not thread-safe.
class LatestRows {
 public:
  // Keys are those of KeyTable: bytes, or an integer.

  /// no_row if the key has none.
  template <class Key>
  RowId find(const Key& key) const {
    KeyTable::Number number = keys_.find(key);
    return number == KeyTable::none ? no_row : rows_[number];
  }
  /// As those of KeyTable, and what find() reads last.
  template <class Key>
  void prefetch(const Key& key) const {
    keys_.prefetch(key);
  }
  template <class Key>
  void prefetch_entry(const Key& key) const {
    KeyTable::Number number = keys_.prefetch_entry(key);
    if (number != KeyTable::none) __builtin_prefetch(&rows_[number]);
  }
  /// Says which one it was before.
  template <class Key>
  RowId set(Key key, RowId id) {
    auto [number, is_new] = keys_.find_or_add(key);
    if (rows_.size() <= number) rows_.resize(number + 1);
    if (is_new) rows_[number] = no_row;
    return std::exchange(rows_[number], id);
  }
  template <class Key>
  RowId forget(Key key) {
    KeyTable::Number number = keys_.find(key);
    if (number == KeyTable::none) return no_row;
    keys_.erase(number);
    return rows_[number];
  }
  /// In no order.
  std::vector<RowId> rows() const {
    std::vector<RowId> rows;
    for (KeyTable::Number number = 0; number < keys_.number_end(); ++number) {
      if (keys_.has(number)) rows.push_back(rows_[number]);
    }
    return rows;
  }
  std::size_t bytes() const { return keys_.bytes() + rows_.capacity() * sizeof(RowId); }

 private:
  KeyTable keys_;
  std::vector<RowId> rows_;  // by the keys' numbers
};

}  // namespace leat::operators
