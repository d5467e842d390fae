#include "stream/merged_rows.h"

#include <algorithm>
#include <utility>

#include "operators/gather.h"

namespace leat::stream {

using column::Chunk;
using column::RowContext;
using column::RowKind;
using column::RowRun;

// There are no more than partitions, and few that are not filled again in between.
std::uint32_t MergedRows::part_of(const std::shared_ptr<const RowBlock>& block) {
  std::size_t at = parts_.size();
  while (at > 0 && parts_[at - 1].block != block) --at;
  if (at > 0) return static_cast<std::uint32_t>(at - 1);
  parts_.push_back({block});
  return static_cast<std::uint32_t>(parts_.size() - 1);
}

void MergedRows::add(const std::shared_ptr<const RowBlock>& block, std::size_t first,
                     std::size_t count) {
  std::uint32_t part = part_of(block);
  for (std::size_t row = first; row < first + count; ++row) {
    rows_.push_back({part, static_cast<std::uint32_t>(row)});
  }
}

Chunk MergedRows::take() {
  // Some operators look at all rows of a chunk, so few of many are copied.
  constexpr std::size_t few = 16;
  bool cuts = parts_.size() == 1 && rows_.size() * few >= parts_[0].block->rows;
  Chunk chunk = cuts ? cut() : copy();
  parts_.clear();
  rows_.clear();
  return chunk;
}

// Those of one block stay where they are.
Chunk MergedRows::cut() const {
  Chunk chunk = chunk_of(parts_[0].block);
  if (rows_.size() == chunk.rows) return chunk;
  std::vector<std::uint32_t> selected(rows_.size());
  std::transform(rows_.begin(), rows_.end(), selected.begin(),
                 [](const Row& row) { return row.row; });
  chunk.selection = column::Selection::of(std::move(selected));
  return chunk;
}

Chunk MergedRows::copy() {
  std::shared_ptr<RowBlock> block = blocks_.take();
  block->rows = rows_.size();
  for (std::size_t i = 0; i < block->columns.size(); ++i) {
    if (!decoded_[i]) continue;
    operators::gather(block->columns[i], 0, rows_.size(), [&](std::size_t at) {
      Row row = rows_[at];
      return operators::Cell{&parts_[row.part].block->columns[i], row.row};
    });
  }
  copy_context(block->context);
  return chunk_of(block);
}

void MergedRows::copy_context(RowContext& context) {
  bool any_kinds = false;
  for (const Part& part : parts_) {
    const auto& buffers = part.block->context.buffers;
    context.buffers.insert(context.buffers.end(), buffers.begin(), buffers.end());
    any_kinds = any_kinds || !part.block->context.kinds.empty();
  }
  for (Row row : rows_) {
    Part& part = parts_[row.part];
    const RowContext& from = part.block->context;
    context.event_times_ms.push_back(from.event_times_ms[row.row]);
    context.places.push_back(from.places[row.row]);
    while (from.runs[part.next_run].end <= row.row) ++part.next_run;
    RowRun run = from.runs[part.next_run];
    bool goes_on = !context.runs.empty() && context.runs.back().origin() == run.origin() &&
                   context.runs.back().watermark_ms == run.watermark_ms;
    if (!goes_on) context.runs.push_back(run);
    context.runs.back().end = static_cast<std::uint32_t>(context.places.size());
    if (any_kinds)
      context.kinds.push_back(from.kinds.empty() ? RowKind::insert : from.kinds[row.row]);
  }
}

}  // namespace leat::stream
