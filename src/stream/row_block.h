// The memory of a source's rows.
#pragma once

#include <memory>
#include <vector>

#include "column/chunk.h"
#include "column/type.h"

namespace leat::stream {

/// Rows while they are put together. Chunks made of it keep it alive and must not see it change:
/// RowBlocks gives it out again when they are gone.
struct RowBlock {
  std::vector<column::Vector> columns;  // each with room for all rows
  column::RowContext context;
  std::size_t rows = 0;
};

/// All rows of `block` as a chunk, which shares it.
inline column::Chunk chunk_of(const std::shared_ptr<const RowBlock>& block) {
  column::Chunk chunk;
  for (const auto& column : block->columns) chunk.columns.emplace_back(block, &column);
  chunk.rows = block->rows;
  chunk.selection = column::Selection::all(block->rows);
  chunk.context = {block, &block->context};
  return chunk;
}

/// Blocks that are used again and again, because touching new memory costs more than decoding into
/// it. Not thread-safe.
class RowBlocks {
 public:
  /// Columns that are not `used` are NULL in every row, and nobody sets them; all are used if it is
  /// empty.
  RowBlocks(column::Schema schema, std::size_t rows, std::vector<bool> used = {})
      : schema_(std::move(schema)), rows_(rows), used_(std::move(used)) {
    used_.resize(schema_.size(), used_.empty());
  }

  /// An empty block that nobody else has.
  std::shared_ptr<RowBlock> take() {
    for (auto& block : blocks_) {
      if (block.use_count() > 1) continue;
      clear(*block);
      return block;
    }
    auto block = std::make_shared<RowBlock>();
    for (const auto& field : schema_) {
      auto& column = block->columns.emplace_back(field.type);
      column.resize(rows_);
      if (used_[block->columns.size() - 1]) continue;
      for (std::size_t row = 0; row < rows_; ++row) column.set_null(row);
    }
    blocks_.push_back(block);
    return block;
  }
  std::size_t rows() const { return rows_; }

 private:
  void clear(RowBlock& block) const {
    for (std::size_t i = 0; i < used_.size(); ++i) {
      if (used_[i]) block.columns[i].reset();
    }
    block.context.event_times_ms.clear();
    block.context.places.clear();
    block.context.runs.clear();
    block.context.rests.clear();
    block.context.kinds.clear();
    block.context.buffers.clear();
    block.rows = 0;
  }

  column::Schema schema_;
  std::size_t rows_;
  std::vector<bool> used_;
  std::vector<std::shared_ptr<RowBlock>> blocks_;
};

}  // namespace leat::stream
