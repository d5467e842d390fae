#include "column/vector.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace leat::column {

Vector::Vector(Type type) : type_(type), physical_(physical(type)) {
  if (type.array) items_ = std::make_unique<Vector>(element_of(type));
}

Vector::~Vector() = default;
Vector::Vector(Vector&&) noexcept = default;
Vector& Vector::operator=(Vector&&) noexcept = default;

void Vector::reset() {
  has_nulls_ = false;
  if (!items_) return;
  items_->reset();
  items_->resize(0);
}

void Vector::become(const Type& type) {
  ASSERT(physical(type) == physical_ && !items_);
  type_ = type;
  if (has_nulls_) set_all_known();
}

void Vector::set_all_known() {
  std::fill(nulls_.begin(), nulls_.end(), std::uint8_t{0});
  has_nulls_ = false;
}

void Vector::set_nulls_of(const Vector& other) {
  if (!other.has_nulls_) return;
  ASSERT(other.size() >= size());
  std::uint8_t* own = nulls_.data();
  const std::uint8_t* others = other.nulls_.data();
  std::size_t row = 0;
  for (; row + sizeof(std::uint64_t) <= size(); row += sizeof(std::uint64_t)) {
    std::uint64_t some, more;
    std::memcpy(&some, own + row, sizeof some);
    std::memcpy(&more, others + row, sizeof more);
    some |= more;
    std::memcpy(own + row, &some, sizeof some);
  }
  for (; row < size(); ++row) own[row] |= others[row];
  has_nulls_ = true;
}

void Vector::set_from(std::size_t row, const Vector& from, std::size_t from_row) {
  if (from.nulls_[from_row] != 0) return set_null(row);
  switch (physical_) {
    case Physical::integer: return set_integer(row, from.integers_[from_row]);
    case Physical::real: return set_real(row, from.reals_[from_row]);
    case Physical::decimal: return set_decimal(row, from.decimals_[from_row]);
    case Physical::text: return set_text(row, from.texts_[from_row]);
    case Physical::interval: return set_interval(row, from.intervals_[from_row]);
    case Physical::list: break;
  }
  auto [begin, count] = from.lists_[from_row];
  auto at = static_cast<std::uint32_t>(items_->size());
  items_->resize(at + count);
  items_->copy_from(at, *from.items_, begin, count);
  set_list(row, {at, count});
}

void Vector::set_value(std::size_t row, const Value& value) {
  if (value.is_null()) return set_null(row);
  if (const auto* array = std::get_if<Array>(&value)) {
    auto at = items_->size();
    items_->resize(at + array->items.size());
    for (std::size_t i = 0; i < array->items.size(); ++i)
      items_->set_value(at + i, array->items[i]);
    return set_list(
        row, {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(array->items.size())});
  }
  switch (type_.kind) {
    case Type::Kind::boolean: return set_integer(row, std::get<bool>(value) ? 1 : 0);
    case Type::Kind::bigint: return set_integer(row, std::get<std::int64_t>(value));
    case Type::Kind::double_precision: return set_real(row, std::get<double>(value));
    case Type::Kind::decimal: return set_decimal(row, std::get<Decimal>(value).units);
    case Type::Kind::text:
    case Type::Kind::bytes: return set_text(row, std::get<std::string>(value));
    case Type::Kind::timestamp: return set_integer(row, std::get<Timestamp>(value).ms);
    case Type::Kind::date: return set_integer(row, std::get<Date>(value).days);
    case Type::Kind::interval: return set_interval(row, std::get<Interval>(value));
  }
}

void Vector::copy_from(std::size_t row, const Vector& from, std::size_t from_row,
                       std::size_t count) {
  if (physical_ == Physical::list) {
    for (std::size_t i = 0; i < count; ++i) set_from(row + i, from, from_row + i);
    return;
  }
  auto copy = [&](auto& to, const auto& cells) {
    std::copy_n(cells.begin() + static_cast<std::ptrdiff_t>(from_row), count,
                to.begin() + static_cast<std::ptrdiff_t>(row));
  };
  copy(nulls_, from.nulls_);
  has_nulls_ = has_nulls_ || from.has_nulls_;
  switch (physical_) {
    case Physical::integer: return copy(integers_, from.integers_);
    case Physical::real: return copy(reals_, from.reals_);
    case Physical::decimal: return copy(decimals_, from.decimals_);
    case Physical::text: return copy(texts_, from.texts_);
    case Physical::interval: return copy(intervals_, from.intervals_);
    case Physical::list: return;
  }
}

Value Vector::value(std::size_t row) const {
  if (is_null(row)) return {};
  if (type_.array) {
    Array array;
    auto [begin, count] = lists_[row];
    for (std::uint32_t i = 0; i < count; ++i) array.items.push_back(items_->value(begin + i));
    return array;
  }
  switch (type_.kind) {
    case Type::Kind::boolean: return integers_[row] != 0;
    case Type::Kind::bigint: return integers_[row];
    case Type::Kind::double_precision: return reals_[row];
    case Type::Kind::decimal: return Decimal{decimals_[row], type_.scale};
    case Type::Kind::text:
    case Type::Kind::bytes: return std::string(texts_[row]);
    case Type::Kind::timestamp: return Timestamp{integers_[row]};
    case Type::Kind::date: return Date{integers_[row]};
    case Type::Kind::interval: return intervals_[row];
  }
  ASSERT(false);
}

}  // namespace leat::column
