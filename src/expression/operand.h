// What the parts of an expression hand to each other for one chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "column/text_arena.h"
#include "column/vector.h"
#include "expression/row_errors.h"

namespace leat::expression {

/// Rows to look at: all of `[0, count)`, or `count` of them that are listed in rising order.
struct Rows {
  std::size_t count = 0;
  const std::uint32_t* list = nullptr;  // nullptr: all

  bool is_all() const { return list == nullptr; }
  /// All up to the last one if that is not much more: for loops that go faster over rows that
  /// follow each other, and may set cells that nobody looks at.
  Rows without_gaps() const {
    if (list == nullptr || count == 0) return *this;
    std::size_t end = list[count - 1] + std::size_t{1};
    return count * 4 >= end * 3 ? Rows{end} : *this;
  }
  template <class Use>
  void each(Use use) const {
    if (list == nullptr) {
      for (std::uint32_t row = 0; row < count; ++row) use(row);
    } else {
      for (std::size_t i = 0; i < count; ++i) use(list[i]);
    }
  }
};

/// `rows` without those that have an error; they are listed in `kept`, which may be where `rows`
/// are listed.
Rows without_errors(const Rows& rows, const RowErrors& errors, std::vector<std::uint32_t>& kept);

/// A cell for each row, or one cell that counts for all rows.
struct Operand {
  std::shared_ptr<const column::Vector> vector;
  bool constant = false;

  std::size_t at(std::uint32_t row) const { return constant ? 0 : row; }
  bool is_null(std::uint32_t row) const { return vector->is_null(at(row)); }
};

/// A vector, and what its texts point to.
struct OwnedVector {
  explicit OwnedVector(column::Type type) : vector(type) {}
  /// No cell is NULL, all are yet to be set. The memory is that of one that this thread let go of,
  /// if there is any: it is in the cache, and need not be cleared. Each thread keeps a few.
  static std::shared_ptr<OwnedVector> make(const column::Type& type, std::size_t rows);

  /// Texts of `operand`, or of its arrays, may be in this vector too.
  void keep(const Operand& operand);
  /// Takes over the cells of these rows.
  void take(const Operand& from, const Rows& rows);
  /// The vector alone, which is never changed from here on.
  static std::shared_ptr<const column::Vector> release(std::shared_ptr<OwnedVector> owned);

  column::Vector vector;
  column::TextArena texts;
  std::vector<std::shared_ptr<const column::Vector>> kept;
};

}  // namespace leat::expression
