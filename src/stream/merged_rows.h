// Rows of several partitions of a source, brought into one order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "column/chunk.h"
#include "plan/bound_plan.h"
#include "stream/row_block.h"

namespace leat::stream {

/// Collects rows from blocks and gives them back as one chunk, in the order in which they were
/// added: where partitions take turns, operators get one chunk all the same, not one for each turn.
/// Not thread-safe.
class MergedRows {
 public:
  /// `rows` is how many a chunk has at most; columns that are not `decoded` are NULL.
  MergedRows(const plan::BoundNode& source, std::size_t rows, std::vector<bool> decoded)
      : decoded_(decoded), blocks_(source.schema, rows, std::move(decoded)) {}

  /// Adds rows `[first, first + count)` of a block, whose rows come in rising order.
  void add(const std::shared_ptr<const RowBlock>& block, std::size_t first, std::size_t count);
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  /// All that has been added, of which nothing is left here. REQUIRES: !empty().
  column::Chunk take();

 private:
  struct Part {
    std::shared_ptr<const RowBlock> block;
    std::size_t next_run = 0;
  };
  struct Row {
    std::uint32_t part;
    std::uint32_t row;
  };

  std::uint32_t part_of(const std::shared_ptr<const RowBlock>& block);
  column::Chunk cut() const;
  column::Chunk copy();
  void copy_context(column::RowContext& context);

  std::vector<bool> decoded_;
  RowBlocks blocks_;
  std::vector<Part> parts_;
  std::vector<Row> rows_;
};

}  // namespace leat::stream
