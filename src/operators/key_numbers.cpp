#include "operators/key_numbers.h"

namespace leat::operators {

const column::Vector* integer_key(const column::Chunk& chunk, std::span<const std::size_t> columns,
                                  std::span<const std::uint32_t> rows) {
  if (columns.size() != 1) return nullptr;
  const column::Vector& key = *chunk.columns[columns[0]];
  if (physical(key.type()) != column::Physical::integer) return nullptr;
  auto is_null = [&](std::uint32_t row) { return key.is_null(row); };
  return key.has_nulls() && std::any_of(rows.begin(), rows.end(), is_null) ? nullptr : &key;
}

std::span<const KeyTable::Number> KeyNumbers::find_or_add(KeyTable& table,
                                                          const column::Chunk& chunk,
                                                          std::span<const std::uint32_t> rows) {
  numbers_.resize(rows.size());
  if (const column::Vector* key = integer_key(chunk, columns_, rows)) {
    find_integers(table, key->integers(), rows);
    return numbers_;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    numbers_[i] = writer_.find_or_add_in(table, ChunkRow{&chunk, rows[i]}).first;
  }
  return numbers_;
}

void KeyNumbers::find_integers(KeyTable& table, std::span<const std::int64_t> cells,
                               std::span<const std::uint32_t> rows) {
  // Where runs are shorter they are not looked for in the rows behind.
  constexpr std::size_t run_min = 16, without_runs = 256;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::int64_t key = cells[rows[begin]];
    KeyTable::Number number = table.find_or_add(key).first;
    std::size_t end = begin;
    while (end < rows.size() && cells[rows[end]] == key) numbers_[end++] = number;
    bool is_run = end - begin >= run_min;
    begin = end;
    if (is_run) continue;
    end = std::min(begin + without_runs, rows.size());
    look_up(
        table, begin, end, [&](std::size_t i) { return cells[rows[i]]; },
        [&](const HashedKey& each) { return table.find_or_add(each).first; },
        [&](std::size_t i, KeyTable::Number found) { numbers_[i] = found; });
    begin = end;
  }
}

}  // namespace leat::operators
