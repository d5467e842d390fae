#include "column/vector.h"

#include <algorithm>

#include "base/assert.h"

namespace leat::column {

std::string_view name(Type type) {
  switch (type) {
    case Type::boolean: return "boolean";
    case Type::bigint: return "bigint";
    case Type::double_precision: return "double";
    case Type::text: return "text";
    case Type::timestamp: return "timestamp";
  }
  return "unknown";
}

void Vector::set_from(std::size_t row, const Vector& from, std::size_t from_row) {
  if (from.nulls_[from_row] != 0) return set_null(row);
  switch (physical(type_)) {
    case Physical::integer: return set_integer(row, from.integers_[from_row]);
    case Physical::real: return set_real(row, from.reals_[from_row]);
    case Physical::text: return set_text(row, from.texts_[from_row]);
  }
}

void Vector::copy_from(std::size_t row, const Vector& from, std::size_t from_row,
                       std::size_t count) {
  auto copy = [&](auto& to, const auto& cells) {
    std::copy_n(cells.begin() + static_cast<std::ptrdiff_t>(from_row), count,
                to.begin() + static_cast<std::ptrdiff_t>(row));
  };
  copy(nulls_, from.nulls_);
  has_nulls_ = has_nulls_ || from.has_nulls_;
  switch (physical(type_)) {
    case Physical::integer: return copy(integers_, from.integers_);
    case Physical::real: return copy(reals_, from.reals_);
    case Physical::text: return copy(texts_, from.texts_);
  }
}

Value Vector::value(std::size_t row) const {
  if (is_null(row)) return {};
  switch (type_) {
    case Type::boolean: return integers_[row] != 0;
    case Type::bigint: return integers_[row];
    case Type::double_precision: return reals_[row];
    case Type::text: return std::string(texts_[row]);
    case Type::timestamp: return Timestamp{integers_[row]};
  }
  ASSERT(false);
}

}  // namespace leat::column
