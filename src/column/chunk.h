// What flows through a pipeline: a few thousand rows, column by column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "column/position.h"
#include "column/vector.h"

namespace leat::column {

/// Rows of a full chunk: some columns of it still fit into the second level cache.
inline constexpr std::size_t chunk_rows = 4096;

/// What a row does to the table that the stream stands for.
enum class RowKind : std::uint8_t { insert, update_before, update_after, erase };

/// Bytes that a chunk needs: its texts point into them, or its rows were read from them.
struct Buffer {
  std::shared_ptr<const void> owner;
  /// The partition that `bytes`, whole batches of records, were read from, or -1.
  std::int32_t partition = -1;
  BytesView bytes = {};
  /// The source that read them.
  std::int32_t node = 0;
};

/// Rows `[end of the run before, end)` come from one partition of one source and carry the
/// watermark that it had just before they were read. Rows that a window or a join made have the
/// number of that node, and the least watermark: they are never late.
struct RowRun {
  std::uint32_t end = 0;
  std::int32_t partition = 0;
  std::int64_t watermark_ms = 0;
  std::int32_t node = 0;

  std::uint64_t origin() const { return origin_of(node, partition); }
};

/// What belongs to the rows of a chunk beside their columns. Shared by every chunk derived from the
/// same rows.
struct RowContext {
  std::vector<std::int64_t> event_times_ms;  // one a row
  std::vector<std::int64_t> places;          // one a row: Position::place, a source's offsets
  std::vector<RowRun> runs;                  // cover all rows, in order
  std::vector<std::string_view> rests;       // one a row: Position::rest; none if all are empty
  std::vector<RowKind> kinds;                // one a row; none means that all are inserts
  std::vector<Buffer> buffers;               // also of the rests

  Position position(std::size_t row, const RowRun& run) const {
    return {run.origin(), places[row], rests.empty() ? std::string_view() : rests[row]};
  }
};

/// Finds the runs of rows that are asked for in rising order.
class RunCursor {
 public:
  explicit RunCursor(const RowContext& context) : run_(context.runs.data()) {}
  const RowRun& run_of(std::size_t row) {
    while (row >= run_->end) ++run_;
    return *run_;
  }

 private:
  const RowRun* run_;
};

/// The rows of a chunk that count: all of them, or those listed in rising order.
class Selection {
 public:
  static Selection all(std::size_t rows) { return Selection(rows); }
  static Selection of(std::vector<std::uint32_t> rows) {
    Selection selection(rows.size());
    selection.rows_ = std::make_shared<const std::vector<std::uint32_t>>(std::move(rows));
    return selection;
  }

  std::size_t size() const { return size_; }
  bool is_all() const { return rows_ == nullptr; }
  /// For loops that treat all rows apart. REQUIRES: !is_all().
  std::span<const std::uint32_t> listed() const { return *rows_; }
  std::uint32_t operator[](std::size_t i) const {
    return rows_ ? (*rows_)[i] : static_cast<std::uint32_t>(i);
  }

 private:
  explicit Selection(std::size_t size) : size_(size) {}
  std::size_t size_;
  std::shared_ptr<const std::vector<std::uint32_t>> rows_;
};

/// Columns of equal length, which of their rows count, and where these came from. Copies share
/// everything, so an operator passes on what it does not change. What is shared is never changed.
struct Chunk {
  std::vector<std::shared_ptr<const Vector>> columns;
  std::size_t rows = 0;
  Selection selection = Selection::all(0);
  std::shared_ptr<const RowContext> context;
};

}  // namespace leat::column
