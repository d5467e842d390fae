#include "operators/row_store.h"

#include <algorithm>

#include "base/assert.h"
#include "operators/gather.h"

namespace leat::operators {

namespace {

constexpr std::size_t block_rows = column::chunk_rows;
// With long texts a block ends earlier, so that a row that stays does not hold much in memory.
constexpr std::size_t block_text_bytes = std::size_t{1} << 20;
// A block of which less than this part is left is emptied.
constexpr std::size_t sparse_part = 4;
// The block that takes rows is given up for that only if it has so many: what comes and soon goes
// stays in the cache.
constexpr std::size_t open_rows_min = 256;

std::size_t row_bytes_of(const std::vector<column::Type>& types) {
  std::size_t bytes = 2 * sizeof(std::int64_t) + sizeof(std::uint64_t) + sizeof(std::string_view) +
                      sizeof(column::RowKind) + sizeof(RowId);
  for (const auto& type : types) bytes += cell_bytes(type);
  return bytes;
}

bool is_full(const RowBlock& block) {
  return block.size() >= block_rows || block.text_bytes >= block_text_bytes;
}

void reset(RowBlock& block) {
  for (auto& column : block.columns) {
    column.reset();
    column.resize(0);
  }
  block.times_ms.clear();
  block.origins.clear();
  block.places.clear();
  block.rests.clear();
  block.kinds.clear();
  block.ids.clear();
  block.texts = std::make_shared<column::TextArena>();
  block.text_bytes = 0;
  block.live = 0;
  block.sparse = false;
}

}  // namespace

RowStore::RowStore(std::vector<column::Type> types)
    : types_(std::move(types)), row_bytes_(row_bytes_of(types_)) {}

void RowStore::add(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
                   std::vector<RowId>& ids) {
  empty_sparse_blocks();
  const column::RowContext& context = *chunk.context;
  while (!rows.empty()) {
    RowBlock& block = open_block();
    std::size_t begin = block.size(), count = std::min(block_rows - begin, rows.size());
    grow(block, count);
    for (std::size_t c = 0; c < types_.size(); ++c) {
      gather(block.columns[c], begin, count, [&](std::size_t i) {
        return Cell{chunk.columns[c].get(), rows[i]};
      });
      block.text_bytes += own_texts(block.columns[c], begin, begin + count, *block.texts);
    }
    auto run = context.runs.begin();
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t row = rows[i];
      bool here = row < run->end && (run == context.runs.begin() || row >= std::prev(run)->end);
      if (!here) {
        run = std::partition_point(context.runs.begin(), context.runs.end(),
                                   [&](const column::RowRun& r) { return r.end <= row; });
      }
      block.times_ms[begin + i] = context.event_times_ms[row];
      block.origins[begin + i] = run->origin();
      block.places[begin + i] = context.places[row];
      if (!context.rests.empty()) {
        block.rests[begin + i] = copy_text(context.rests[row], *block.texts);
        block.text_bytes += context.rests[row].size();
      }
      if (!context.kinds.empty()) block.kinds[begin + i] = context.kinds[row];
      ids.push_back(block.ids[begin + i]);
    }
    rows = rows.subspan(count);
  }
}

void RowStore::release(RowId id) {
  ASSERT(id < places_.size());
  Place& place = places_[id];
  RowBlock& block = *place.block;
  ASSERT(block.ids[place.row] == id);
  block.ids[place.row] = no_row;
  place = {};
  free_ids_.push_back(id);
  if (--block.live == 0) return drop(block);
  bool small = &block == open_ && block.size() < open_rows_min;
  if (small || block.sparse || block.live * sparse_part > block.size()) return;
  if (&block == open_) open_ = nullptr;
  block.sparse = true;
  sparse_.push_back(&block);
}

std::size_t RowStore::bytes() const {
  std::size_t bytes = places_.capacity() * sizeof(Place) + free_ids_.capacity() * sizeof(RowId);
  for (const auto& block : blocks_) bytes += block->size() * row_bytes_ + block->text_bytes;
  return bytes;
}

RowBlock& RowStore::open_block() {
  if (open_ != nullptr && !is_full(*open_)) return *open_;
  open_ = &new_block();
  return *open_;
}

RowBlock& RowStore::new_block() {
  if (!spare_) {
    spare_ = std::make_unique<RowBlock>();
    for (const auto& type : types_) spare_->columns.emplace_back(type);
  }
  blocks_.push_back(std::move(spare_));
  return *blocks_.back();
}

// The block that takes rows stays; of the others one is kept for later.
void RowStore::drop(RowBlock& block) {
  if (block.sparse) sparse_.erase(std::find(sparse_.begin(), sparse_.end(), &block));
  reset(block);
  if (&block == open_) return;
  auto found = std::find_if(blocks_.begin(), blocks_.end(),
                            [&](const auto& other) { return other.get() == &block; });
  spare_ = std::move(*found);
  *found = std::move(blocks_.back());
  blocks_.pop_back();
}

void RowStore::grow(RowBlock& block, std::size_t count) {
  std::size_t begin = block.size(), end = begin + count;
  for (auto& column : block.columns) column.resize(end);
  block.times_ms.resize(end);
  block.origins.resize(end);
  block.places.resize(end);
  block.rests.resize(end);
  block.kinds.resize(end, column::RowKind::insert);
  block.ids.resize(end);
  block.live += static_cast<std::uint32_t>(count);
  for (std::size_t i = begin; i < end; ++i) {
    block.ids[i] = new_id();
    places_[block.ids[i]] = {&block, static_cast<std::uint32_t>(i)};
  }
}

RowId RowStore::new_id() {
  if (!free_ids_.empty()) {
    RowId id = free_ids_.back();
    free_ids_.pop_back();
    return id;
  }
  ASSERT(places_.size() < no_row);
  places_.emplace_back();
  return static_cast<RowId>(places_.size() - 1);
}

void RowStore::empty_sparse_blocks() {
  while (!sparse_.empty()) {
    RowBlock& block = *sparse_.back();
    move_rows(block);
    drop(block);
  }
}

void RowStore::move_rows(RowBlock& from) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < from.size(); ++row) {
    if (from.ids[row] != no_row) rows.push_back(row);
  }
  for (std::span<const std::uint32_t> left = rows; !left.empty();) {
    RowBlock& block = open_block();
    std::size_t begin = block.size(), count = std::min(block_rows - begin, left.size());
    for (auto& column : block.columns) column.resize(begin + count);
    for (std::size_t c = 0; c < types_.size(); ++c) {
      gather(block.columns[c], begin, count, [&](std::size_t i) {
        return Cell{&from.columns[c], left[i]};
      });
      block.text_bytes += own_texts(block.columns[c], begin, begin + count, *block.texts);
    }
    for (std::uint32_t row : left.first(count)) {
      block.times_ms.push_back(from.times_ms[row]);
      block.origins.push_back(from.origins[row]);
      block.places.push_back(from.places[row]);
      block.rests.push_back(copy_text(from.rests[row], *block.texts));
      block.text_bytes += from.rests[row].size();
      block.kinds.push_back(from.kinds[row]);
      places_[from.ids[row]] = {&block, static_cast<std::uint32_t>(block.size())};
      block.ids.push_back(from.ids[row]);
    }
    block.live += static_cast<std::uint32_t>(count);
    left = left.subspan(count);
  }
}

RowBlock& RowStore::extend(std::size_t count) {
  RowBlock& open = open_block();
  bool fits = open.size() == 0 || open.size() + count <= block_rows;
  if (!fits) open_ = &new_block();
  grow(*open_, count);
  return *open_;
}

}  // namespace leat::operators
