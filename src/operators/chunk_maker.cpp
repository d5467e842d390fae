#include "operators/chunk_maker.h"

#include <algorithm>

#include "base/assert.h"
#include "expression/operand.h"
#include "operators/gather.h"
#include "operators/gather_stored.h"
#include "operators/watermark.h"

namespace leat::operators {

using column::RowKind;

namespace {

column::RowRun run_of(std::uint64_t origin) {
  return {0, static_cast<std::int32_t>(origin & 0xffff'ffff), watermark_min,
          static_cast<std::int32_t>(origin >> 32)};
}

}  // namespace

void ChunkMaker::add(const StoredRow& row, RowKind kind) {
  column::Position position = row.position();
  add(row.time_ms(), run_of(position.origin), position.place, position.rest, kind);
  if (!position.rest.empty()) keep_texts_of(*row.block);
}

void ChunkMaker::add(std::int64_t time_ms, std::int32_t node, std::string_view rest, RowKind kind) {
  add(time_ms, run_of(column::origin_of(node, 0)), time_ms, keep_rest(rest), kind);
}

void ChunkMaker::add_made_of(const column::RowContext& context, std::span<const std::uint32_t> rows,
                             std::span<const std::int64_t> words) {
  ASSERT(this->rows() == 0);
  column::RowContext& made = *context_;
  made.buffers = context.buffers;  // who finds a row late looks for its record there
  made.event_times_ms.resize(rows.size());
  made.places.resize(rows.size());
  made.rests.resize(rows.size());
  if (!context.kinds.empty()) made.kinds.resize(rows.size());
  column::RunCursor runs(context);
  const column::RowRun* last = nullptr;
  rest_.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::uint32_t row = rows[i];
    made.event_times_ms[i] = context.event_times_ms[row];
    made.places[i] = context.places[row];
    if (!context.kinds.empty()) made.kinds[i] = context.kinds[row];
    const column::RowRun& run = runs.run_of(row);
    if (&run != last) made.runs.push_back(run);
    made.runs.back().end = static_cast<std::uint32_t>(i + 1);
    last = &run;
    if (!context.rests.empty()) rest_ += context.rests[row];
    column::append_word(rest_, words[i]);
  }
  const char* rest = keep_rest(rest_).data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::size_t before = context.rests.empty() ? 0 : context.rests[rows[i]].size();
    made.rests[i] = {rest, before + sizeof words[i]};
    rest += made.rests[i].size();
  }
}

void ChunkMaker::add_column(const column::Type& type, std::span<const StoredRow> rows,
                            std::size_t column) {
  ASSERT(rows.size() == this->rows());
  auto owned = expression::OwnedVector::make(type, rows.size());
  gather_stored(owned->vector, rows, column);
  auto kind = physical(type);
  if (kind == column::Physical::text || kind == column::Physical::list) {
    for (const auto& row : rows) {
      if (row.block != nullptr) keep_texts_of(*row.block);
    }
  }
  add_column(expression::OwnedVector::release(std::move(owned)));
}

void ChunkMaker::add_column(std::shared_ptr<const column::Vector> column) {
  columns_.push_back(std::move(column));
}

void ChunkMaker::keep(std::shared_ptr<const void> owner) {
  context_->buffers.push_back({std::move(owner)});
}

column::Chunk ChunkMaker::finish() {
  ASSERT(rows() > 0);
  column::Chunk chunk;
  chunk.rows = rows();
  chunk.selection = column::Selection::all(chunk.rows);
  chunk.columns = std::exchange(columns_, {});
  chunk.context = std::move(context_);
  start();
  return chunk;
}

void ChunkMaker::start() {
  context_ = std::make_shared<column::RowContext>();
  rests_.reset();
  kept_last_ = nullptr;
}

void ChunkMaker::add(std::int64_t time_ms, const column::RowRun& run, std::int64_t place,
                     std::string_view rest, RowKind kind) {
  column::RowContext& context = *context_;
  std::size_t before = rows();
  context.event_times_ms.push_back(time_ms);
  context.places.push_back(place);
  bool goes_on = !context.runs.empty() && context.runs.back().origin() == run.origin() &&
                 context.runs.back().watermark_ms == run.watermark_ms;
  if (!goes_on) context.runs.push_back(run);
  context.runs.back().end = static_cast<std::uint32_t>(before + 1);
  if (context.rests.empty() && !rest.empty()) context.rests.resize(before);
  if (!context.rests.empty() || !rest.empty()) context.rests.push_back(rest);
  if (context.kinds.empty() && kind != RowKind::insert) {
    context.kinds.resize(before, RowKind::insert);
  }
  if (!context.kinds.empty() || kind != RowKind::insert) context.kinds.push_back(kind);
}

std::string_view ChunkMaker::keep_rest(std::string_view rest) {
  if (rest.empty()) return {};
  if (!rests_) {
    rests_ = std::make_shared<column::TextArena>();
    keep(rests_);
  }
  return copy_text(rest, *rests_);
}

// Neighbours are mostly of one block.
void ChunkMaker::keep_texts_of(const RowBlock& block) {
  if (block.texts.get() == kept_last_) return;
  kept_last_ = block.texts.get();
  const auto& buffers = context_->buffers;
  bool kept = std::any_of(buffers.begin(), buffers.end(), [&](const column::Buffer& buffer) {
    return buffer.owner == block.texts;
  });
  if (!kept) keep(block.texts);
}

}  // namespace leat::operators
