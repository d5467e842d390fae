// What flows through a pipeline: a few thousand rows, column by column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "column/vector.h"

namespace leat::column {

/// Rows of a full chunk: some columns of it still fit into the second level cache.
inline constexpr std::size_t chunk_rows = 4096;

/// What a row does to the table that the stream stands for.
enum class RowKind : std::uint8_t { insert, update_before, update_after, erase };

/// Where a row was read.
struct Origin {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;  // the record's, not the event time
  BytesView record;               // as its topic keeps it: key, value and headers
};

/// Rows `[end of the run before, end)` come from one partition and carry the watermark that it had
/// just before they were read.
struct RowRun {
  std::uint32_t end = 0;
  std::int32_t partition = 0;
  std::int64_t watermark_ms = 0;
};

/// What belongs to the rows of a chunk beside their columns. Shared by every chunk derived from the
/// same rows.
struct RowContext {
  std::vector<Origin> origins;  // one a row, or none where the plan has no use for them
  std::vector<RowRun> runs;     // cover all rows, in order; none after an aggregation
  std::vector<RowKind> kinds;   // one a row; none means that all are inserts
  // What texts and origins point into.
  std::vector<std::shared_ptr<const void>> buffers;
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
