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
// The same for chunks that are kept. What is left of them will mostly be gone soon, too.
constexpr std::size_t kept_sparse_part = 16;
// A smaller chunk is copied: what it was read into may be much larger than its records.
constexpr std::size_t kept_rows_min = 1024;
// A chunk may hold so many times the memory that copies would take: its columns and records have
// what nobody reads.
constexpr std::size_t kept_bytes_part = 8;
// Where rows stay until there is no room for their chunk, so many of the next ones are copied.
constexpr std::size_t copied_for_long = 16;
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

// Behind each change of how many there are.
void point_at_copies(RowBlock& block) {
  const CopiedRows& copied = *block.copied;
  block.times_ms = copied.times_ms.data();
  block.origins = copied.origins.data();
  block.places = copied.places.data();
  block.rests = copied.rests.empty() ? nullptr : copied.rests.data();
  block.kinds = copied.kinds.data();
}

void reset(RowBlock& block) {
  CopiedRows& copied = *block.copied;
  for (auto& column : copied.columns) {
    column.reset();
    column.resize(0);
  }
  copied.times_ms.clear();
  copied.origins.clear();
  copied.places.clear();
  copied.rests.clear();
  copied.kinds.clear();
  block.ids.clear();
  block.texts = copied.texts = std::make_shared<column::TextArena>();
  block.text_bytes = 0;
  block.live = 0;
  block.sparse = false;
}

}  // namespace

RowStore::RowStore(std::vector<column::Type> types, std::size_t chunk_row_bytes)
    : types_(std::move(types)),
      row_bytes_(row_bytes_of(types_)),
      keeps_(chunk_row_bytes > 0),
      kept_(chunk_row_bytes) {}

void RowStore::add(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
                   std::vector<RowId>& ids) {
  empty_sparse_blocks();
  const column::RowContext& context = *chunk.context;
  while (!rows.empty()) {
    RowBlock& block = open_block();
    CopiedRows& copied = *block.copied;
    std::size_t begin = block.size(), count = std::min(block_rows - begin, rows.size());
    grow(block, count);
    for (std::size_t c = 0; c < types_.size(); ++c) {
      gather(copied.columns[c], begin, count, [&](std::size_t i) {
        return Cell{chunk.columns[c].get(), rows[i]};
      });
      block.text_bytes += own_texts(copied.columns[c], begin, begin + count, *copied.texts);
    }
    if (!context.rests.empty()) block.make_room_for_rests();
    auto run = context.runs.begin();
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t row = rows[i];
      bool here = row < run->end && (run == context.runs.begin() || row >= std::prev(run)->end);
      if (!here) {
        run = std::partition_point(context.runs.begin(), context.runs.end(),
                                   [&](const column::RowRun& r) { return r.end <= row; });
      }
      copied.times_ms[begin + i] = context.event_times_ms[row];
      copied.origins[begin + i] = run->origin();
      copied.places[begin + i] = context.places[row];
      if (!context.rests.empty()) {
        copied.rests[begin + i] = copy_text(context.rests[row], *copied.texts);
        block.text_bytes += context.rests[row].size();
      }
      if (!context.kinds.empty()) copied.kinds[begin + i] = context.kinds[row];
      ids.push_back(block.ids[begin + i]);
    }
    rows = rows.subspan(count);
  }
}

void RowStore::keep(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
                    std::vector<RowId>& ids) {
  auto bytes = bytes_to_keep(chunk, rows);
  if (!bytes || copies_left_ > 0) {
    copies_left_ -= copies_left_ > 0 ? 1 : 0;
    return add(chunk, rows, ids);
  }
  empty_sparse_blocks();
  RowBlock& block = kept_block(std::make_shared<const KeptChunk>(chunk, *bytes));
  std::size_t begin = ids.size();
  std::size_t again = std::min(rows.size(), free_ids_.size());
  auto first = free_ids_.end() - static_cast<std::ptrdiff_t>(again);
  ids.insert(ids.end(), first, free_ids_.end());
  free_ids_.erase(first, free_ids_.end());
  while (ids.size() < begin + rows.size()) ids.push_back(new_id());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    block.ids[rows[i]] = ids[begin + i];
    places_[ids[begin + i]] = {&block, rows[i]};
  }
  block.live = static_cast<std::uint32_t>(rows.size());
  while (kept_.bytes() > kept_bytes_max && kept_blocks_.size() > 1) copy_oldest_kept();
}

std::optional<std::size_t> RowStore::bytes_to_keep(const column::Chunk& chunk,
                                                   std::span<const std::uint32_t> rows) const {
  if (!keeps_ || chunk.rows < kept_rows_min || rows.size() < chunk.rows / 2) return {};
  auto records = kept_.record_bytes_more(chunk);
  if (!records) return {};
  std::size_t texts = text_bytes_of(chunk, rows);
  std::size_t bytes = kept_.bytes_of(chunk, texts);
  bool is_worth_it = *records + bytes <= (rows.size() * row_bytes_ + texts) * kept_bytes_part;
  return is_worth_it ? std::optional(bytes) : std::nullopt;
}

// None of its rows has a number yet.
RowBlock& RowStore::kept_block(std::shared_ptr<const KeptChunk> kept) {
  const column::RowContext& context = *kept->chunk.context;
  RowBlock& block = *blocks_.emplace_back(std::make_unique<RowBlock>());
  for (const auto& column : kept->chunk.columns) block.columns.push_back(column.get());
  block.times_ms = context.event_times_ms.data();
  block.origins = kept->origins.data();
  block.places = context.places.data();
  block.rests = context.rests.empty() ? nullptr : context.rests.data();
  block.kinds = context.kinds.empty() ? nullptr : context.kinds.data();
  block.ids.resize(kept->chunk.rows, no_row);
  kept_.add(*kept);
  kept_blocks_.push_back(&block);
  block.texts = kept;
  block.kept = std::move(kept);
  return block;
}

// Rows that stay for so long had better been copied at once, and so had those behind them.
void RowStore::copy_oldest_kept() {
  RowBlock& oldest = *kept_blocks_.front();
  if (oldest.live * sparse_part > oldest.size()) copies_left_ = copied_for_long;
  move_rows(oldest);
  drop(oldest);
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
  std::size_t part = block.copied ? sparse_part : kept_sparse_part;
  if (small || block.sparse || block.live * part > block.size()) return;
  if (&block == open_) open_ = nullptr;
  block.sparse = true;
  sparse_.push_back(&block);
}

std::size_t RowStore::bytes() const {
  std::size_t bytes = places_.capacity() * sizeof(Place) + free_ids_.capacity() * sizeof(RowId);
  for (const auto& block : blocks_) {
    bytes += block->size() * (block->copied ? row_bytes_ : sizeof(RowId)) + block->text_bytes;
  }
  return bytes + kept_.bytes();
}

RowBlock& RowStore::open_block() {
  if (open_ != nullptr && !is_full(*open_)) return *open_;
  open_ = &new_block();
  return *open_;
}

RowBlock& RowStore::new_block() {
  if (!spare_) {
    spare_ = std::make_unique<RowBlock>();
    spare_->copied = std::make_unique<CopiedRows>();
    auto& columns = spare_->copied->columns;
    for (const auto& type : types_) columns.emplace_back(type);
    for (const auto& column : columns) spare_->columns.push_back(&column);
    reset(*spare_);
  }
  blocks_.push_back(std::move(spare_));
  return *blocks_.back();
}

// The block that takes rows stays; of the others one is there for later.
void RowStore::drop(RowBlock& block) {
  if (block.sparse) sparse_.erase(std::find(sparse_.begin(), sparse_.end(), &block));
  if (block.copied) reset(block);
  if (&block == open_) return;
  if (block.kept) {
    kept_.remove(*block.kept);
    kept_blocks_.erase(std::find(kept_blocks_.begin(), kept_blocks_.end(), &block));
  }
  auto found = std::find_if(blocks_.begin(), blocks_.end(),
                            [&](const auto& other) { return other.get() == &block; });
  if (block.copied) spare_ = std::move(*found);
  *found = std::move(blocks_.back());
  blocks_.pop_back();
}

void RowStore::grow(RowBlock& block, std::size_t count) {
  std::size_t begin = block.size(), end = begin + count;
  CopiedRows& copied = *block.copied;
  for (auto& column : copied.columns) column.resize(end);
  copied.times_ms.resize(end);
  copied.origins.resize(end);
  copied.places.resize(end);
  if (!copied.rests.empty()) copied.rests.resize(end);
  copied.kinds.resize(end, column::RowKind::insert);
  block.ids.resize(end);
  point_at_copies(block);
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
    CopiedRows& copied = *block.copied;
    for (auto& column : copied.columns) column.resize(begin + count);
    for (std::size_t c = 0; c < types_.size(); ++c) {
      gather(copied.columns[c], begin, count, [&](std::size_t i) {
        return Cell{from.columns[c], left[i]};
      });
      block.text_bytes += own_texts(copied.columns[c], begin, begin + count, *copied.texts);
    }
    for (std::uint32_t row : left.first(count)) {
      StoredRow moved{&from, row};
      copied.times_ms.push_back(moved.time_ms());
      copied.origins.push_back(from.origins[row]);
      copied.places.push_back(from.places[row]);
      copied.kinds.push_back(moved.kind());
      places_[from.ids[row]] = {&block, static_cast<std::uint32_t>(block.size())};
      block.ids.push_back(from.ids[row]);
    }
    if (from.rests != nullptr) {
      block.make_room_for_rests();
      for (std::size_t i = 0; i < count; ++i) {
        std::string_view rest = from.rests[left[i]];
        copied.rests[begin + i] = copy_text(rest, *copied.texts);
        block.text_bytes += rest.size();
      }
    } else if (!copied.rests.empty()) {
      copied.rests.resize(block.size());
    }
    point_at_copies(block);
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
