// From a task's inputs to its graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "plan/bound_plan.h"
#include "stream/block_queue.h"
#include "stream/dataflow.h"
#include "stream/merged_rows.h"
#include "stream/task_inputs.h"
#include "stream/workers.h"

namespace leat::stream {

/// Gives rows to the graph in the order that it asks for: one by one by event time and position,
/// each partition's in theirs, or else whole blocks, none far ahead of the least. Rows of tables
/// come before any other.
///
/// Rows that come one by one do so in chunks that end where another source's rows come, or when
/// they are full: of an exact task with `exact_chunk_rows`, whatever its blocks have. So where a
/// step's ranges are given its chunks are given as well, and with them the order of whatever nodes
/// give as soon as they get it.
class RowFlow {
 public:
  static constexpr std::size_t exact_chunk_rows = column::chunk_rows / 4;
  /// How many rows of an exact step come before event time goes on, at most.
  static constexpr std::size_t exact_part_rows = 16 * exact_chunk_rows;
  struct Options {
    std::size_t block_rows = 0;
    bool exact = false;
  };
  /// All outlive it. `used` says by node which columns are looked at.
  RowFlow(const plan::BoundPlan& plan, const std::vector<std::vector<bool>>& used,
          TaskInputs& inputs, Dataflow& dataflow, const Options& options);

  /// How many blocks take_some() takes at most.
  void limit_blocks(std::size_t blocks) {
    blocks_max_ = std::clamp<std::size_t>(blocks, 1, most_blocks);
  }
  /// Called in between: some rows more are there, more may come, and the inputs' watermark may have
  /// moved on.
  using Advance = std::function<Result<void>()>;
  /// Some blocks of what is there. False if that was all of tables, so that event time is not
  /// known.
  Result<bool> take_some(Workers& workers, Watermark watermark, const Advance& advance);
  /// All of the inputs' ranges.
  Result<void> take_ranges(Workers& workers, Watermark watermark, const Advance& advance);

 private:
  Result<bool> take_table_blocks();
  Result<void> take_tables(Watermark watermark);
  Result<void> take_any_order(Workers& workers, Watermark watermark);
  Result<void> take_in_order(std::size_t rows, Watermark watermark, const Advance& advance);
  Result<void> pass_rows(std::size_t source, Watermark& passed, const Advance& advance);
  Result<void> take_block(TaskInput& input, std::size_t lane, Watermark watermark);
  void take_blocks(BlockQueue& queue, std::size_t lane, Watermark watermark);
  Result<void> collect(TaskInput& input, std::size_t rows);
  Result<void> give_collected(std::size_t source);

  TaskInputs& inputs_;
  Dataflow& dataflow_;
  const Options options_;
  const std::size_t chunk_rows_;  // at most, of rows that come one by one
  static constexpr std::size_t most_blocks = 64;
  std::size_t blocks_max_ = most_blocks;
  std::vector<std::optional<MergedRows>> merged_;  // by node: of sources
};

}  // namespace leat::stream
