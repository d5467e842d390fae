// The keys of a chunk's rows as numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "column/chunk.h"
#include "operators/hashed_keys.h"
#include "operators/key_table.h"

namespace leat::operators {

/// Looks up the keys of a chunk's rows in a table. Where many rows, one behind the other, have the
/// same integer, as those of one window or day have, that is looked up once. Not thread-safe.
class KeyNumbers {
 public:
  /// `columns` are those of the key.
  explicit KeyNumbers(const std::vector<std::size_t>& columns)
      : columns_(columns), hashed_(columns) {}

  /// One number for each of `rows`, valid until the next call. Keys that are new are added, in the
  /// order of rows.
  std::span<const KeyTable::Number> find_or_add(KeyTable& table, const column::Chunk& chunk,
                                                std::span<const std::uint32_t> rows);

 private:
  void find_runs(KeyTable& table, const column::Chunk& chunk, std::span<const std::uint32_t> rows);
  void find_each(KeyTable& table, const column::Chunk& chunk, std::span<const std::uint32_t> rows,
                 std::size_t begin, std::size_t end);

  std::vector<std::size_t> columns_;
  HashedKeys hashed_;
  std::vector<KeyTable::Number> numbers_;
};

}  // namespace leat::operators
