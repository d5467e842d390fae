// What was given of windows that may change, and how it has changed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/state.h"
#include "column/value.h"
#include "operators/given_results.h"
#include "operators/group_keys.h"
#include "operators/operator.h"
#include "operators/window_rows.h"
#include "operators/window_table.h"

namespace leat::operators {

/// One window: what its rows add up to, and what was given of each key.
struct GivenWindow {
  explicit GivenWindow(std::span<const column::Type> results) : given(results) {}

  std::shared_ptr<WindowTable> sums;
  // By the key's number:
  GivenResults given;
  std::vector<std::uint8_t> is_changed;      // listed in `changed`
  std::vector<std::uint32_t> changed;        // keys whose result may be another one now
  std::map<std::uint32_t, std::string> bad;  // keys that have no valid result, and why

  const GroupKeys& keys() const { return sums->keys(); }
  /// Makes room for what keys have been added to `sums`.
  void make_room() {
    given.resize(sums->size());
    is_changed.resize(sums->size());
  }
};

/// Makes tables of a node's keys and aggregates.
class TableMaker {
 public:
  virtual ~TableMaker() = default;
  virtual std::shared_ptr<WindowTable> take_table() = 0;
  /// Of its aggregates.
  virtual std::span<const column::Type> result_types() const = 0;
};

/// The windows of a node, by end.
class WindowChanges {
 public:
  std::map<std::int64_t, GivenWindow> windows;
  /// Ends of those that have changed keys.
  std::set<std::int64_t> changed;
  /// Processing time when changes were last told.
  std::int64_t told_ms = 0;

  GivenWindow& window(std::int64_t end_ms, TableMaker& maker);
  /// Notes that the results of these keys of the window may be others now.
  void note(std::int64_t end_ms, GivenWindow& window, std::span<const std::uint32_t> keys);
  std::size_t bytes() const;

  // As window_state.cpp has it.
  void snapshot(StateWriter& writer) const;
  Result<void> restore(StateReader& reader, TableMaker& maker);
};

/// One of the changes of a window: what was given of a key, or what is now.
struct GivenChange {
  static constexpr std::uint32_t given = 0xffff'ffff;
  column::RowKind kind = column::RowKind::insert;
  std::uint32_t key = 0;
  std::uint32_t row = given;  // of what is now
};

/// The changes as rows. `now` has results from WindowRows::make(), which keep their texts.
/// REQUIRES: no more than a chunk has.
column::Chunk make_changes(const WindowRows& rows, const Span& span, const GivenWindow& window,
                           const column::Chunk& now, std::span<const GivenChange> changes);

/// The values of a row's aggregates.
using ResultValues = std::vector<column::Value>;

/// A change of one row: what stood, or what stands now.
struct RowChange {
  column::RowKind kind = column::RowKind::insert;
  Span window;
  std::uint32_t group = 0;
  ResultValues values;
};

void write_values(StateWriter& writer, const ResultValues& values,
                  std::span<const column::Type> types);
ResultValues read_values(StateReader& reader, std::span<const column::Type> types);

/// Whether changes that there are may be told, `every_ms` of processing time after the last ones;
/// notes that they are. A clock that was set back holds nothing up: they are told, and time counts
/// from there on.
inline bool is_due(std::int64_t every_ms, std::int64_t& told_ms, Context& context) {
  std::int64_t now_ms = context.now_ms();
  if (now_ms >= told_ms && now_ms - told_ms < every_ms) return false;
  told_ms = now_ms;
  context.note_told();
  return true;
}

/// The difference between what was given of a row and what it is now, in at most two changes.
void append_change(const Span& window, std::uint32_t group, std::optional<ResultValues>& given,
                   std::optional<ResultValues> now, std::vector<RowChange>& changes);
/// The aggregates of a row of what WindowRows::make() made.
ResultValues values_of(const column::Chunk& chunk, std::size_t first_result, std::uint32_t row);
/// Pushes changes of keys in `keys`.
Result<void> push_changes(const WindowRows& rows, const GroupKeys& keys,
                          std::vector<RowChange> changes, Context& context);

}  // namespace leat::operators
