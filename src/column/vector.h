// One column of a chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "column/type.h"

namespace leat::column {

/// Cells of one type, each a value or NULL. Texts are views into buffers that the chunk keeps
/// alive. The value under a NULL is unspecified. Not thread-safe.
class Vector {
 public:
  explicit Vector(Type type) : type_(type) {}

  Type type() const { return type_; }
  std::size_t size() const { return nulls_.size(); }
  /// Makes room for cells `[0, cells)`; those added are unspecified until set.
  void resize(std::size_t cells) {
    nulls_.resize(cells);
    switch (physical(type_)) {
      case Physical::integer: integers_.resize(cells); break;
      case Physical::real: reals_.resize(cells); break;
      case Physical::text: texts_.resize(cells); break;
    }
  }
  /// Forgets that there were NULLs; the cells are unspecified afterwards.
  void reset() { has_nulls_ = false; }

  void set_null(std::size_t row) {
    nulls_[row] = 1;
    has_nulls_ = true;
    // Kernels look at every cell, and a text of earlier rows may point into freed bytes.
    if (type_ == Type::text) texts_[row] = {};
  }
  void set_integer(std::size_t row, std::int64_t value) {
    nulls_[row] = 0;
    integers_[row] = value;
  }
  void set_real(std::size_t row, double value) {
    nulls_[row] = 0;
    reals_[row] = value;
  }
  void set_text(std::size_t row, std::string_view value) {
    nulls_[row] = 0;
    texts_[row] = value;
  }
  /// Takes over one cell of another vector of the same type. Texts still point where they did.
  void set_from(std::size_t row, const Vector& from, std::size_t from_row);

  /// Takes over `count` cells from another vector of the same type, likewise.
  void copy_from(std::size_t row, const Vector& from, std::size_t from_row, std::size_t count);

  /// False only if no cell is NULL, so that a kernel may leave the mask alone.
  bool has_nulls() const { return has_nulls_; }
  bool is_null(std::size_t row) const { return nulls_[row] != 0; }
  std::int64_t integer(std::size_t row) const { return integers_[row]; }
  double real(std::size_t row) const { return reals_[row]; }
  std::string_view text(std::size_t row) const { return texts_[row]; }
  /// A copy of one cell.
  Value value(std::size_t row) const;

  /// 1 where the cell is NULL.
  std::span<const std::uint8_t> nulls() const { return nulls_; }
  std::span<const std::int64_t> integers() const { return integers_; }
  std::span<const double> reals() const { return reals_; }
  std::span<const std::string_view> texts() const { return texts_; }

 private:
  Type type_;
  bool has_nulls_ = false;
  std::vector<std::uint8_t> nulls_;
  // The one that physical(type_) names is as long as nulls_, the others are empty.
  std::vector<std::int64_t> integers_;
  std::vector<double> reals_;
  std::vector<std::string_view> texts_;
};

}  // namespace leat::column
