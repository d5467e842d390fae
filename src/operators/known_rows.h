// Rows that OVER keeps while others may still come between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "base/state.h"
#include "operators/frames.h"
#include "operators/key_table.h"
#include "operators/over_parts.h"
#include "operators/row_store.h"
#include "operators/row_tools.h"
#include "operators/watermark.h"

namespace leat::operators {

/// The rows of each key in the order of time: those that event time has not passed, and those
/// before that frames of rows to come begin with. Of unbounded frames these are no rows, but what
/// the aggregates have of them. Not thread-safe.
class KnownRows {
 public:
  using Number = KeyTable::Number;
  struct Key {
    std::vector<RowId> rows;  // in the order of time
    Frame passed;             // of unbounded frames: all rows before those
    Frame latest;             // the last row's, for whoever judges rows as they come
    /// For whoever judges rows again: those from this time on may have changed.
    std::int64_t changed_from_ms = watermark_max;
  };
  struct Place {
    Number number = 0;
    std::size_t at = 0;  // among its key's rows
  };

  KnownRows(const OverParts& parts, bool judges_latest);

  /// Copies rows; their numbers in `ids`.
  void store(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
             std::vector<RowId>& ids) {
    store_.add(chunk, rows, ids);
  }
  /// Puts a stored row among those of its key.
  Place insert(RowId row);
  Key& key(Number number) { return keys_[number]; }
  /// Where the frame of a key's row begins.
  std::size_t frame_begin(const Key& key, std::size_t at) const;
  /// Adds to an empty frame what is before row `end` and in a frame that begins at row `begin`.
  void fill(Frame& frame, const Key& key, std::size_t begin, std::size_t end);

  /// Lets go of rows that count for no row from `watermark` on, and of keys that have none.
  void pass(Watermark watermark);

  std::int64_t time_of(RowId row) const { return store_.row(row).time_ms(); }
  RowStore& rows() { return store_; }
  Frames& frames() { return frames_; }
  const KeyTable& table() const { return table_; }
  /// Calls `use(row)`, key by key in the order in which restore() finds them too.
  template <class Use>
  void for_each_row(const Use& use) const {
    for (Number number = 0; number < table_.number_end(); ++number) {
      if (!table_.has(number)) continue;
      for (RowId row : keys_[number].rows) use(row);
    }
  }

  // known := frames? keys:u32 (key:text rows changed_from:i64 (passed:frame latest:frame?)?) *
  //                      frames, passed if none slides; latest if it is judged by
  void snapshot(StateWriter& writer) const;
  void restore(StateReader& reader);
  std::size_t bytes() const;

 private:
  using Due = std::pair<std::int64_t, Number>;

  bool earlier(RowId a, RowId b) const;
  void pass(Number number, Watermark watermark);
  std::size_t needed_from(const Key& key, Watermark watermark) const;
  void await(Number number, std::int64_t time_ms);

  const OverParts& parts_;
  const bool judges_latest_;
  RowStore store_;
  Frames frames_;
  KeyWriter key_writer_;
  KeyTable table_;
  std::vector<Key> keys_;  // by number
  /// When to look at which key: some row of it is needed no longer.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<RowId> gone_;
};

}  // namespace leat::operators
