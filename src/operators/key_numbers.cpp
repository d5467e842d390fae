#include "operators/key_numbers.h"

#include <algorithm>

#include "column/row_blocks.h"
#include "operators/row_tools.h"

namespace leat::operators {

namespace {

// Whether the key is one integer, which none of these rows has as NULL.
bool is_integer(const column::Chunk& chunk, std::span<const std::size_t> columns,
                std::span<const std::uint32_t> rows) {
  if (columns.size() != 1) return false;
  const column::Vector& key = *chunk.columns[columns[0]];
  if (physical(key.type()) != column::Physical::integer) return false;
  return !key.has_nulls() || !column::any_null(key.nulls().data(), rows.data(), rows.size());
}

// Whether the first rows, as many as a block has, are of this key.
bool is_block_of(std::int64_t key, std::span<const std::int64_t> cells,
                 std::span<const std::uint32_t> rows) {
  if (rows.size() < column::block_rows) return false;
  std::int64_t differing = 0;
  for (std::uint32_t row : rows.first(column::block_rows)) differing |= cells[row] ^ key;
  return differing == 0;
}

}  // namespace

std::span<const KeyTable::Number> KeyNumbers::find_or_add(KeyTable& table,
                                                          const column::Chunk& chunk,
                                                          std::span<const std::uint32_t> rows) {
  numbers_.resize(rows.size());
  if (is_integer(chunk, columns_, rows))
    find_runs(table, chunk, rows);
  else
    find_each(table, chunk, rows, 0, rows.size());
  return numbers_;
}

void KeyNumbers::find_runs(KeyTable& table, const column::Chunk& chunk,
                           std::span<const std::uint32_t> rows) {
  // Where runs are shorter they are not looked for in the rows behind.
  constexpr std::size_t run_min = 16, without_runs = 256;
  auto cells = chunk.columns[columns_[0]]->integers();
  for (std::size_t begin = 0; begin < rows.size();) {
    std::int64_t key = cells[rows[begin]];
    KeyTable::Number number = table.find_or_add(key).first;
    std::size_t end = begin;
    while (is_block_of(key, cells, rows.subspan(end))) end += column::block_rows;
    while (end < rows.size() && cells[rows[end]] == key) ++end;
    std::fill(numbers_.data() + begin, numbers_.data() + end, number);
    bool is_run = end - begin >= run_min;
    begin = end;
    if (is_run) continue;
    end = std::min(begin + without_runs, rows.size());
    find_each(table, chunk, rows, begin, end);
    begin = end;
  }
}

void KeyNumbers::find_each(KeyTable& table, const column::Chunk& chunk,
                           std::span<const std::uint32_t> rows, std::size_t begin,
                           std::size_t end) {
  hashed_.for_each(
      table, end - begin,
      [&](std::size_t i) {
        return ChunkRow{&chunk, rows[begin + i]};
      },
      [&](std::size_t i, const HashedKey& key) {
        numbers_[begin + i] = table.find_or_add(key).first;
      });
}

}  // namespace leat::operators
