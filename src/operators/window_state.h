// What fixed windows keep.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "operators/operator.h"
#include "operators/slice_stack.h"
#include "operators/window_changes.h"
#include "operators/window_slices.h"
#include "operators/window_table.h"

namespace leat::operators {

/// Rows that count in the same windows, from the one that ends at `first_ms` on.
struct Partial {
  std::int64_t first_ms = 0;
  std::shared_ptr<WindowTable> table;
  std::vector<std::uint32_t> rows;  // of the chunk at hand, rising; empty between chunks
  GivenWindow* window = nullptr;    // whose sums `table` is, if it is
};

/// Nearly always of one partial, the rows that count in all windows of the slice.
struct Slice {
  SliceSpan span;
  std::vector<std::unique_ptr<Partial>> partials;

  Partial* find(std::int64_t first_ms) const;
  /// The rows that count in all windows; null if there are none.
  Partial* whole() const { return find(span.first_end_ms); }
};

/// What of rows is to be told when windows close, by slice, and what was told of windows that may
/// change. Everything is freed when event time has passed the last window that it is in, and the
/// lateness.
class WindowState final : public OperatorState, public TableMaker {
 public:
  /// What makes it: shared with the node.
  struct Node {
    WindowSlices slices;
    std::vector<column::Type> key_types;
    std::vector<column::Type> result_types;
    AccumulatorMaker accumulators;

    std::shared_ptr<WindowTable> make_table() const {
      return std::make_shared<WindowTable>(key_types, accumulators.make());
    }
  };
  explicit WindowState(const Node& node);

  Slice& slice(const SliceSpan& span);
  Partial& partial(Slice& slice, std::int64_t first_ms);
  /// New rows of the windows that end from `first_ms` to `last_ms`. A single one adds them up
  /// itself.
  Partial& revision(std::int64_t first_ms, std::int64_t last_ms);
  /// The end of the first window that has not been closed and may have rows; nothing if none may.
  std::optional<std::int64_t> next_end() const;
  /// Adds new rows to the windows that they change.
  void collect_revisions();
  /// Frees slices whose last window ends at `end_ms` or before.
  void free_before(std::int64_t end_ms);
  /// Takes over what `other` had of a slice.
  void take_partial(const SliceSpan& span, std::unique_ptr<Partial> partial, WindowState& other);
  std::shared_ptr<WindowTable> take_table() override;
  std::span<const column::Type> result_types() const override { return node_.result_types; }
  /// Takes back a table for its memory if nobody else has it: most windows are small.
  void keep(std::shared_ptr<WindowTable> table);

  void snapshot(StateWriter& writer) const override;
  Result<void> restore(StateReader& reader) override;
  std::size_t bytes() const override;

  std::map<std::int64_t, Slice> slices;  // by start; none if nothing is told when windows close
  std::set<std::int64_t> split;          // starts of slices that have other partials than whole()
  /// Windows that end up to here are closed.
  Watermark closed_ms = watermark_min;
  SliceStack stack;
  std::int64_t entered_ms = watermark_min;  // the start of the last slice that entered it
  // Where changes are told, rows since the last time that count in several windows: by the first
  // and the last end.
  std::map<std::pair<std::int64_t, std::int64_t>, Partial> revisions;
  WindowChanges changes;

  // Kept for their memory.
  std::vector<Partial*> touched;
  std::map<std::int64_t, Partial> single;  // by end, of the chunk at hand
  std::vector<std::uint32_t> whole_rows;
  std::vector<std::uint32_t> groups;
  std::vector<std::uint32_t> late;
  std::vector<const column::Vector*> keys;
  AggregateColumns columns;
  KeyScratch scratch;
  FilteredRows filtered;

 private:
  const Node& node_;
  std::vector<std::shared_ptr<WindowTable>> spares_;
};

}  // namespace leat::operators
