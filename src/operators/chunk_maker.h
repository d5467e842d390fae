// Output chunks from cells of several inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "column/chunk.h"
#include "column/text_arena.h"
#include "operators/row_store.h"

namespace leat::operators {

/// Makes a chunk: first its rows one by one, then its columns from left to right. Rows from stores
/// are not copied but for their cells: the chunk keeps what texts point into.
class ChunkMaker {
 public:
  ChunkMaker() { start(); }

  /// A row that keeps its event time and position. It carries no watermark: what could have
  /// made it late was dropped before.
  void add(const StoredRow& row, column::RowKind kind = column::RowKind::insert);
  /// A row that `node` made: its place is its event time, `rest` is copied.
  void add(std::int64_t time_ms, std::int32_t node, std::string_view rest,
           column::RowKind kind = column::RowKind::insert);
  /// Rows made of another chunk's, `rows` in rising order, and all there are in this one: each
  /// comes after the row that it is made of, with one word more in its position.
  void add_made_of(const column::RowContext& context, std::span<const std::uint32_t> rows,
                   std::span<const std::int64_t> words);
  std::size_t rows() const { return context_->event_times_ms.size(); }
  bool is_full() const { return rows() >= column::chunk_rows; }

  /// The next column: for each row that column of a stored row, NULL where there is none.
  void add_column(const column::Type& type, std::span<const StoredRow> rows, std::size_t column);
  /// One whose texts live as long as it, or as what keep() was given.
  void add_column(std::shared_ptr<const column::Vector> column);
  void keep(std::shared_ptr<const void> owner);
  /// The chunk; begins the next one. REQUIRES: a row.
  column::Chunk finish();

 private:
  void start();
  /// `run` says where the row is from, and its watermark.
  void add(std::int64_t time_ms, const column::RowRun& run, std::int64_t place,
           std::string_view rest, column::RowKind kind);
  std::string_view keep_rest(std::string_view rest);
  void keep_texts_of(const RowBlock& block);

  std::shared_ptr<column::RowContext> context_;
  std::vector<std::shared_ptr<const column::Vector>> columns_;
  std::shared_ptr<column::TextArena> rests_;
  std::string rest_;  // being written
  const void* kept_last_ = nullptr;
};

}  // namespace leat::operators
