// Rows that are kept longer than the chunk they came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "column/chunk.h"
#include "column/text_arena.h"

namespace leat::operators {

/// Names a row of a RowStore until it is released; then another one may get the number.
using RowId = std::uint32_t;
inline constexpr RowId no_row = 0xffff'ffff;

/// Rows one behind the other, column by column.
struct RowBlock {
  std::vector<column::Vector> columns;
  std::vector<std::int64_t> times_ms;
  std::vector<std::uint64_t> origins;
  std::vector<std::int64_t> places;
  std::vector<std::string_view> rests;
  std::vector<column::RowKind> kinds;
  std::vector<RowId> ids;  // no_row where one is gone
  /// What all texts and rests are in: whoever borrows some keeps it.
  std::shared_ptr<column::TextArena> texts = std::make_shared<column::TextArena>();
  std::size_t text_bytes = 0;
  std::uint32_t live = 0;
  bool sparse = false;  // listed to be emptied

  std::size_t size() const { return ids.size(); }
};

/// Where a row lies now: good until rows are added to its store, or it is released.
struct StoredRow {
  const RowBlock* block = nullptr;
  std::uint32_t row = 0;

  const column::Vector& column(std::size_t i) const { return block->columns[i]; }
  std::int64_t time_ms() const { return block->times_ms[row]; }
  column::RowKind kind() const { return block->kinds[row]; }
  std::string_view rest() const { return block->rests[row]; }
  column::Position position() const {
    return {block->origins[row], block->places[row], block->rests[row]};
  }
};

/// Copies rows, with all that they need, into blocks of its own. A block whose rows are all gone is
/// freed or used again; of one with few left these are moved together. So memory is at most some
/// four times that of the rows in it, and a small block. Not thread-safe.
class RowStore {
 public:
  explicit RowStore(std::vector<column::Type> types);

  /// Appends the numbers that they get to `ids`. `rows` need not be in order.
  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
           std::vector<RowId>& ids);
  StoredRow row(RowId id) const {
    const Place& place = places_[id];
    return {place.block, place.row};
  }
  /// REQUIRES: it is there.
  void release(RowId id);
  /// How many are there.
  std::size_t size() const { return places_.size() - free_ids_.size(); }
  /// All numbers are below.
  std::size_t id_end() const { return places_.size(); }
  std::size_t bytes() const;
  const std::vector<column::Type>& types() const { return types_; }

  /// In no order. Some of their rows may be gone.
  std::span<const std::unique_ptr<RowBlock>> blocks() const { return blocks_; }
  /// A block with so many more rows at its end, which the caller sets at once.
  RowBlock& extend(std::size_t count);

 private:
  struct Place {
    RowBlock* block = nullptr;
    std::uint32_t row = 0;
  };

  RowBlock& open_block();
  RowBlock& new_block();
  void drop(RowBlock& block);
  /// Makes room for so many more rows, of which nothing is set.
  void grow(RowBlock& block, std::size_t count);
  RowId new_id();
  void empty_sparse_blocks();
  void move_rows(RowBlock& from);

  std::vector<column::Type> types_;
  std::size_t row_bytes_;  // without texts
  std::vector<Place> places_;
  std::vector<RowId> free_ids_;
  std::vector<std::unique_ptr<RowBlock>> blocks_;
  RowBlock* open_ = nullptr;
  std::unique_ptr<RowBlock> spare_;
  std::vector<RowBlock*> sparse_;
};

}  // namespace leat::operators
