// Where a row is from: what decides between rows of one event time.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::column {

// A position is a sequence of words, compared from the front, the shorter one first:
//
//   of a source's row             source partition offset
//   behind an unnest, a union     the same, and the number of the item, or of the input
//   of a window's or join's row   node time, and what tells apart its rows of one time: a window's
//                                 start and key (column/row_key.h), the positions of joined rows
//
// Sources and nodes count by their place in the plan, so the first word tells what the others are.
// It follows from the log alone, not from how fast or by how many workers it was read.

/// The words in a form that is quick to compare. `rest` is borrowed, mostly empty.
struct Position {
  /// node << 32 | partition; of a window's or join's row the partition is 0.
  std::uint64_t origin = 0;
  /// An offset, or a time.
  std::int64_t place = 0;
  /// All other words: numbers as append_word() writes them.
  std::string_view rest;

  friend auto operator<=>(const Position&, const Position&) = default;
};

constexpr std::uint64_t origin_of(std::int32_t node, std::int32_t partition) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(node)) << 32 |
         static_cast<std::uint32_t>(partition);
}

/// Appends a number so that bytes compare as numbers do.
void append_word(std::string& out, std::int64_t word);
/// Appends a whole position, as part of another one.
void append_position(std::string& out, const Position& position);

}  // namespace leat::column
