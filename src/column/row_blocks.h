// Rows that follow each other, among rows that are listed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace leat::column {

/// So many cells are looked at together where nothing depends on a single one.
inline constexpr std::size_t block_rows = 16;

/// Goes through `count` rows in turn: those that are listed in rising order, or all from 0 on if
/// `list` is null. Calls `block(i, row)` where the i-th of them and those behind it follow each
/// other from `row` on, so that their cells do too, and `one(i, row)` for each of the others. A
/// filter that lets most rows pass leaves such stretches.
template <class Block, class One>
void each_block(const std::uint32_t* list, std::size_t count, const Block& block, const One& one) {
  std::size_t i = 0;
  for (; i + block_rows <= count; i += block_rows) {
    if (list == nullptr) {
      block(i, static_cast<std::uint32_t>(i));
    } else if (list[i + block_rows - 1] - list[i] == block_rows - 1) {
      block(i, list[i]);
    } else {
      for (std::size_t at = i; at < i + block_rows; ++at) one(at, list[at]);
    }
  }
  for (; i < count; ++i) one(i, list == nullptr ? static_cast<std::uint32_t>(i) : list[i]);
}

/// Before a block of cells is read: asks for the memory of one that is read a while later, which
/// need not be there. The processor does so too, but not across pages, and a column has several.
inline void ask_ahead(const std::int64_t* block) {
  constexpr std::size_t ahead = 128, line = 64 / sizeof *block;
  static_assert(block_rows == 2 * line);
  __builtin_prefetch(block + ahead);
  __builtin_prefetch(block + ahead + line);
}

/// Whether one of these rows has a NULL. What a filter lets pass mostly has none, though its chunk
/// may: to know that costs less than to look at each row.
inline bool any_null(const std::uint8_t* nulls, const std::uint32_t* list, std::size_t count) {
  std::uint64_t found = 0;
  auto block = [&](std::size_t, std::uint32_t row) {
    std::uint64_t words[block_rows / sizeof found];
    std::memcpy(words, nulls + row, sizeof words);
    found |= words[0] | words[1];
  };
  each_block(list, count, block, [&](std::size_t, std::uint32_t row) { found |= nulls[row]; });
  return found != 0;
}

}  // namespace leat::column
