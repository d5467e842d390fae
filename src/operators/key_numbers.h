// The keys of many rows as numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "column/chunk.h"
#include "operators/key_table.h"
#include "operators/row_tools.h"

namespace leat::operators {

/// Looks up integers in a table some at a time, so that what it reads is asked for before it is
/// needed, and each key is hashed once: `use(i, number)` for `key_of(i)`, `find(key)` being the
/// table's.
template <class Table, class KeyOf, class Find, class Use>
void look_up(const Table& table, std::size_t begin, std::size_t end, const KeyOf& key_of,
             const Find& find, const Use& use) {
  constexpr std::size_t block = 32;
  std::array<HashedKey, block> keys;
  for (; begin < end; begin += block) {
    std::size_t count = std::min(block, end - begin);
    for (std::size_t i = 0; i < count; ++i) {
      keys[i] = HashedKey(key_of(begin + i));
      table.prefetch(keys[i]);
    }
    for (std::size_t i = 0; i < count; ++i) table.prefetch_entry(keys[i]);
    for (std::size_t i = 0; i < count; ++i) use(begin + i, find(keys[i]));
  }
}

/// The column of a key that is one integer, which none of these rows has as NULL; null of others.
const column::Vector* integer_key(const column::Chunk& chunk, std::span<const std::size_t> columns,
                                  std::span<const std::uint32_t> rows);

/// Looks up the keys of a chunk's rows in a table. Where many rows, one behind the other, have the
/// same integer, as those of one window or day have, that is looked up once. Not thread-safe.
class KeyNumbers {
 public:
  /// `columns` are those of the key.
  explicit KeyNumbers(const std::vector<std::size_t>& columns)
      : columns_(columns), writer_(columns) {}

  /// One number for each of `rows`, valid until the next call. Keys that are new are added, in the
  /// order of rows.
  std::span<const KeyTable::Number> find_or_add(KeyTable& table, const column::Chunk& chunk,
                                                std::span<const std::uint32_t> rows);

 private:
  void find_integers(KeyTable& table, std::span<const std::int64_t> cells,
                     std::span<const std::uint32_t> rows);

  std::vector<std::size_t> columns_;
  KeyWriter writer_;
  std::vector<KeyTable::Number> numbers_;
};

}  // namespace leat::operators
