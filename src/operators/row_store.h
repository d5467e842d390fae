// Rows that are kept longer than the chunk they came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "column/chunk.h"
#include "column/text_arena.h"
#include "operators/kept_chunks.h"

namespace leat::operators {

/// Names a row of a RowStore until it is released; then another one may get the number.
using RowId = std::uint32_t;
inline constexpr RowId no_row = 0xffff'ffff;

/// Rows one behind the other, column by column, as a store has copied them.
struct CopiedRows {
  std::vector<column::Vector> columns;
  std::vector<std::int64_t> times_ms;
  std::vector<std::uint64_t> origins;
  std::vector<std::int64_t> places;
  std::vector<std::string_view> rests;  // none if all are empty
  std::vector<column::RowKind> kinds;
  /// What all texts and rests are in.
  std::shared_ptr<column::TextArena> texts;
};

/// Some rows of a store: copies, or a chunk that is kept as it came.
struct RowBlock {
  /// What rows have, by their places in the block.
  std::vector<const column::Vector*> columns;
  const std::int64_t* times_ms = nullptr;
  const std::uint64_t* origins = nullptr;
  const std::int64_t* places = nullptr;
  const std::string_view* rests = nullptr;  // none if all are empty
  const column::RowKind* kinds = nullptr;   // none if all are inserts
  std::vector<RowId> ids;                   // no_row where there is none, or it is gone
  /// What all texts and rests are in: whoever borrows some keeps it.
  std::shared_ptr<const void> texts;
  std::size_t text_bytes = 0;  // of copied rows
  std::uint32_t live = 0;
  bool sparse = false;  // listed to be emptied
  /// Where all that is: one of both.
  std::unique_ptr<CopiedRows> copied;
  std::shared_ptr<const KeptChunk> kept;

  std::size_t size() const { return ids.size(); }
  /// Before one of its copied rows gets a rest: all have had none so far.
  void make_room_for_rests() {
    copied->rests.resize(size());
    rests = copied->rests.data();
  }
};

/// Where a row lies now: good until rows are added to its store, or it is released.
struct StoredRow {
  const RowBlock* block = nullptr;
  std::uint32_t row = 0;

  const column::Vector& column(std::size_t i) const { return *block->columns[i]; }
  std::int64_t time_ms() const { return block->times_ms[row]; }
  column::RowKind kind() const {
    return block->kinds == nullptr ? column::RowKind::insert : block->kinds[row];
  }
  std::string_view rest() const {
    return block->rests == nullptr ? std::string_view() : block->rests[row];
  }
  column::Position position() const { return {block->origins[row], block->places[row], rest()}; }
};

/// Copies rows, with all that they need, into blocks of its own. A block whose rows are all gone is
/// freed or used again; of one with few left these are moved together. So memory is at most some
/// four times that of the rows in it, and a small block.
///
/// Of rows that will soon be gone it may keep the chunks in place of copies. What these hold in
/// memory, columns and records that nobody needs among it, is counted and bounded: beyond
/// kept_bytes_max the rows of the oldest chunks are copied, and so are the last ones of a chunk.
/// Not thread-safe.
class RowStore {
 public:
  /// `chunk_row_bytes` is that of the chunks to be kept; none are if it is 0.
  explicit RowStore(std::vector<column::Type> types, std::size_t chunk_row_bytes = 0);

  /// How much memory chunks may hold that are not copied.
  static constexpr std::size_t kept_bytes_max = std::size_t{64} << 20;

  /// Appends the numbers that they get to `ids`. `rows` need not be in order.
  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
           std::vector<RowId>& ids);
  /// The same for rows most of which will be gone soon: keeps the chunk, if what it holds in memory
  /// is known and most of it is of these rows.
  void keep(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
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

  /// What the chunk holds in memory without records; nothing if it is better copied.
  std::optional<std::size_t> bytes_to_keep(const column::Chunk& chunk,
                                           std::span<const std::uint32_t> rows) const;
  RowBlock& kept_block(std::shared_ptr<const KeptChunk> kept);
  void copy_oldest_kept();
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
  bool keeps_;
  KeptChunks kept_;
  std::deque<RowBlock*> kept_blocks_;  // from the oldest on
  std::size_t copies_left_ = 0;        // so many chunks are copied, before one is kept again
};

}  // namespace leat::operators
