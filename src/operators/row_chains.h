// Rows of keys, in the order of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "operators/key_table.h"
#include "operators/row_store.h"

namespace leat::operators {

/// For each key the rows that it has, and for all of them which is the oldest. Rows are added in
/// the order of time and go in it. A row of which nobody asks yet need not be told its key. Not
/// thread-safe.
class RowChains {
 public:
  struct Row {
    RowId id = no_row;
    KeyTable::Number key = KeyTable::none;  // none: among no key's rows
    std::int64_t time_ms = 0;
  };

  void add(const Row& row) {
    rows_.push_back(row);
    if (row.key != KeyTable::none) link(row);
  }
  /// Gives each row that was told none the key that is `key_of(id)`. REQUIRES: it is the youngest
  /// of that key.
  template <class KeyOf>
  void tell_keys(const KeyOf& key_of) {
    for (; told_ < rows_.size(); ++told_) {
      Row& row = rows_[told_];
      if (row.key != KeyTable::none) continue;
      row.key = key_of(row.id);
      link(row);
    }
  }

  /// The key's oldest row, and the one behind another; no_row if there is none.
  RowId first(KeyTable::Number key) const { return key < ends_.size() ? ends_[key].first : no_row; }
  RowId next(RowId id) const { return links_[id].next; }
  std::int64_t time_ms(RowId id) const { return links_[id].time_ms; }

  bool empty() const { return rows_.empty(); }
  const Row& oldest() const { return rows_.front(); }
  void drop_oldest() {
    const Row& row = rows_.front();
    if (row.key != KeyTable::none) ends_[row.key].first = links_[row.id].next;
    rows_.pop_front();
    if (told_ > 0) --told_;
  }
  /// The rows' numbers, from the oldest on.
  std::vector<RowId> ids() const {
    std::vector<RowId> ids;
    for (const Row& row : rows_) ids.push_back(row.id);
    return ids;
  }
  std::size_t bytes() const {
    return rows_.size() * sizeof(Row) + links_.capacity() * sizeof(Link) +
           ends_.capacity() * sizeof(Ends);
  }

 private:
  struct Link {
    std::int64_t time_ms = 0;
    RowId next = no_row;
  };
  struct Ends {
    RowId first = no_row;
    RowId last = no_row;
  };

  void link(const Row& row) {
    if (links_.size() <= row.id) links_.resize(row.id + 1);
    if (ends_.size() <= row.key) ends_.resize(row.key + 1);
    links_[row.id] = {row.time_ms, no_row};
    Ends& ends = ends_[row.key];
    if (ends.first == no_row)
      ends.first = row.id;
    else
      links_[ends.last].next = row.id;
    ends.last = row.id;
  }

  std::deque<Row> rows_;
  std::size_t told_ = 0;     // so many of them, from the oldest on, have a key
  std::vector<Link> links_;  // by RowId
  std::vector<Ends> ends_;   // by key
};

}  // namespace leat::operators
