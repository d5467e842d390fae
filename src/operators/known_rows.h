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
#include "operators/hashed_keys.h"
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
  struct Row {
    RowId id = no_row;
    std::int64_t time_ms = 0;  // as the store has it, where memory would have to be waited for
  };
  struct Key {
    std::vector<Row> rows;  // in the order of time
    Frame passed;           // of unbounded frames: all rows before those
    Frame latest;           // the last row's, for whoever judges rows as they come
    /// For whoever judges rows again: those from this time on may have changed.
    std::int64_t changed_from_ms = watermark_max;
    /// When some row is needed no longer, and the key has to be looked at.
    std::int64_t due_ms = watermark_max;
  };

  KnownRows(const OverParts& parts, bool judges_latest);

  /// Copies rows; their numbers in `ids`.
  void store(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
             std::vector<RowId>& ids) {
    store_.add(chunk, rows, ids);
  }
  /// The numbers of the keys that stored rows have: new ones are made.
  std::vector<Number> keys_of(std::span<const RowId> rows);
  /// Puts a stored row among those of its key, and says where.
  std::size_t insert(Number number, RowId row);
  Key& key(Number number) { return keys_[number]; }
  /// Before the i-th of some keys is used: asks for what the ones behind it need.
  void prefetch(std::span<const Number> numbers, std::size_t i) const {
    constexpr std::size_t near = 4, far = 8;
    if (i + far < numbers.size()) __builtin_prefetch(&keys_[numbers[i + far]]);
    if (i + near >= numbers.size()) return;
    const Key& key = keys_[numbers[i + near]];
    if (!key.rows.empty()) __builtin_prefetch(&key.rows.back());
    key.latest.prefetch();
  }
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
      for (const Row& row : keys_[number].rows) use(row.id);
    }
  }

  // known := rows frames? keys:u32 (key:text numbers changed_from:i64 (passed:frame
  // latest:frame?)?)*
  //                      rows, numbers: see saved_rows.h; frames, passed if none slides; latest if
  //                      it is judged by
  void snapshot(StateWriter& writer) const;
  void restore(StateReader& reader);
  std::size_t bytes() const;

 private:
  using Due = std::pair<std::int64_t, Number>;

  bool earlier(const Row& a, const Row& b) const;
  Number key_of(std::pair<Number, bool> found);
  void pass(Number number, Watermark watermark);
  std::size_t needed_from(const Key& key, Watermark watermark) const;
  std::int64_t due_of(const Row& row) const;
  void await(Number number, std::int64_t due_ms);
  void await_next(Number number, Watermark watermark);

  const OverParts& parts_;
  const bool judges_latest_;
  RowStore store_;
  Frames frames_;
  HashedKeys hashed_;
  KeyTable table_;
  std::vector<Key> keys_;  // by number
  /// When to look at which key; of several entries of one the key's own time counts.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<RowId> gone_;
};

}  // namespace leat::operators
