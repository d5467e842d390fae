// One column of a chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "column/type.h"
#include "column/value.h"

namespace leat::column {

/// Cells of one type, each a value or NULL. Texts are views into buffers that the chunk keeps
/// alive. The value under a NULL is unspecified. Not thread-safe.
class Vector {
 public:
  /// An array's items: `count` cells of items() from `begin` on.
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t count = 0;
  };

  explicit Vector(Type type);
  ~Vector();
  Vector(Vector&&) noexcept;
  Vector& operator=(Vector&&) noexcept;

  const Type& type() const { return type_; }
  std::size_t size() const { return nulls_.size(); }
  /// Makes room for cells `[0, cells)`; those added are unspecified until set.
  void resize(std::size_t cells) {
    nulls_.resize(cells);
    switch (physical_) {
      case Physical::integer: integers_.resize(cells); break;
      case Physical::real: reals_.resize(cells); break;
      case Physical::decimal: decimals_.resize(cells); break;
      case Physical::text: texts_.resize(cells); break;
      case Physical::interval: intervals_.resize(cells); break;
      case Physical::list: lists_.resize(cells); break;
    }
  }
  /// Forgets that there were NULLs, and arrays' items; the cells are unspecified afterwards.
  void reset();
  /// The same memory for cells of another type, none of them NULL. REQUIRES: they are kept the same
  /// way, and are no arrays.
  void become(const Type& type);

  void set_null(std::size_t row) {
    nulls_[row] = 1;
    has_nulls_ = true;
    // Kernels look at every cell, and a text of earlier rows may point into freed bytes.
    if (physical_ == Physical::text) texts_[row] = {};
    if (physical_ == Physical::list) lists_[row] = {};
  }
  void set_integer(std::size_t row, std::int64_t value) {
    nulls_[row] = 0;
    integers_[row] = value;
  }
  void set_real(std::size_t row, double value) {
    nulls_[row] = 0;
    reals_[row] = value;
  }
  /// `units` / 10^scale of the type.
  void set_decimal(std::size_t row, Int128 units) {
    nulls_[row] = 0;
    decimals_[row] = units;
  }
  void set_text(std::size_t row, std::string_view value) {
    nulls_[row] = 0;
    texts_[row] = value;
  }
  void set_interval(std::size_t row, const Interval& value) {
    nulls_[row] = 0;
    intervals_[row] = value;
  }
  /// The items `[begin, begin + count)` of items(), which are there.
  void set_list(std::size_t row, Range range) {
    nulls_[row] = 0;
    lists_[row] = range;
  }
  /// Takes over one cell of another vector of the same type. Texts still point where they did.
  void set_from(std::size_t row, const Vector& from, std::size_t from_row);
  /// The same, of a value of this type. Texts point into `value`.
  void set_value(std::size_t row, const Value& value);

  /// Takes over `count` cells from another vector of the same type, likewise.
  void copy_from(std::size_t row, const Vector& from, std::size_t from_row, std::size_t count);

  /// False only if no cell is NULL, so that a kernel may leave the mask alone.
  bool has_nulls() const { return has_nulls_; }
  bool is_null(std::size_t row) const { return nulls_[row] != 0; }
  std::int64_t integer(std::size_t row) const { return integers_[row]; }
  double real(std::size_t row) const { return reals_[row]; }
  Int128 decimal(std::size_t row) const { return decimals_[row]; }
  std::string_view text(std::size_t row) const { return texts_[row]; }
  const Interval& interval(std::size_t row) const { return intervals_[row]; }
  Range list(std::size_t row) const { return lists_[row]; }
  /// Of arrays: all items of all cells. To be appended to, before a cell refers to them.
  Vector& items() { return *items_; }
  const Vector& items() const { return *items_; }
  /// A copy of one cell.
  Value value(std::size_t row) const;

  /// 1 where the cell is NULL.
  std::span<const std::uint8_t> nulls() const { return nulls_; }
  std::span<const std::int64_t> integers() const { return integers_; }
  std::span<const double> reals() const { return reals_; }
  std::span<const Int128> decimals() const { return decimals_; }
  std::span<const std::string_view> texts() const { return texts_; }
  std::span<const Interval> intervals() const { return intervals_; }
  std::span<const Range> lists() const { return lists_; }
  /// For kernels that write many cells; set_null() or set_all_known() say which of them count.
  std::span<std::int64_t> integers() { return integers_; }
  std::span<double> reals() { return reals_; }
  std::span<Int128> decimals() { return decimals_; }
  std::span<std::string_view> texts() { return texts_; }
  /// No cell is NULL.
  void set_all_known();
  /// Cells are NULL also where those of a vector are that has no fewer. Their values stay.
  void set_nulls_of(const Vector& other);

 private:
  Type type_;
  Physical physical_;
  bool has_nulls_ = false;
  std::vector<std::uint8_t> nulls_;
  // The one that physical_ names is as long as nulls_, the others are empty.
  std::vector<std::int64_t> integers_;
  std::vector<double> reals_;
  std::vector<Int128> decimals_;
  std::vector<std::string_view> texts_;
  std::vector<Interval> intervals_;
  std::vector<Range> lists_;
  std::unique_ptr<Vector> items_;  // of arrays
};

}  // namespace leat::column
