// What was given of each key: a row of results, or nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/state.h"
#include "column/chunk.h"
#include "column/text_arena.h"
#include "column/vector.h"

namespace leat::operators {

/// Results by the numbers of keys, column by column. Texts are copied; those of results that were
/// replaced are freed once they are half of all. Not thread-safe.
class GivenResults {
 public:
  explicit GivenResults(std::span<const column::Type> types);

  /// Makes room for keys `[0, keys)`, of which nothing was given.
  void resize(std::size_t keys);
  bool has(std::uint32_t key) const { return there_[key] != 0; }
  void forget(std::uint32_t key) { there_[key] = 0; }
  /// Takes the results of that row, the chunk's columns from `first` on.
  void set(std::uint32_t key, const column::Chunk& chunk, std::size_t first, std::uint32_t row);
  /// Whether that row has the same results. REQUIRES: has(key).
  bool is_same(std::uint32_t key, const column::Chunk& chunk, std::size_t first,
               std::uint32_t row) const;
  const column::Vector& column(std::size_t i) const { return columns_[i]; }
  /// What the texts are in: whoever borrows some keeps it.
  std::shared_ptr<const column::TextArena> texts() const { return texts_; }
  std::size_t bytes() const;

  //   given := 0x00 | 0x01 cell*        of one key, cells as cell_codec.h has them
  void write(StateWriter& writer, std::uint32_t key) const;
  void read(StateReader& reader, std::uint32_t key);

 private:
  void free_texts();

  std::vector<column::Vector> columns_;
  std::vector<std::uint8_t> there_;  // by key
  std::shared_ptr<column::TextArena> texts_ = std::make_shared<column::TextArena>();
  std::size_t text_bytes_ = 0;  // in all, of these as many as were there when some were last freed
  std::size_t live_bytes_ = 0;
};

}  // namespace leat::operators
