// Decimals as whole numbers of units that have to fit into a type.
#pragma once

#include <string>

#include "column/type.h"
#include "column/value.h"
#include "expression/kernel.h"
#include "expression/wide.h"

namespace leat::expression {

/// The numbers that a type of that many digits can hold.
class DigitLimit {
 public:
  explicit DigitLimit(const column::Type& type) : end_(column::power_of_ten(type.precision)) {}
  bool fits(column::Int128 units) const { return -end_ < units && units < end_; }
  Checked<column::Int128> check(column::Int128 units) const {
    return {units, fits(units) ? 0u : 1u};
  }

 private:
  column::Int128 end_;
};

/// What is no Int128 fits into no type.
inline constexpr Checked<column::Int128> no_decimal{0, 1};

inline std::string out_of_range_of(const column::Type& type) {
  return "out of range of " + column::name(type);
}

inline bool is_small(column::Int128 value) {
  return value == static_cast<std::int64_t>(value);
}

/// a / b without what is behind the point. REQUIRES: b > 0.
inline column::Int128 divide_whole(column::Int128 a, column::Int128 b) {
  if (is_small(a) && is_small(b)) {
    return static_cast<std::int64_t>(a) / static_cast<std::int64_t>(b);
  }
  return a / b;
}

/// a / b to the nearest whole number, halves away from zero. REQUIRES: b > 0.
inline column::Int128 divide_rounded(column::Int128 a, column::Int128 b) {
  column::Int128 quotient = 0, rest = 0;
  if (is_small(a) && is_small(b)) {
    quotient = static_cast<std::int64_t>(a) / static_cast<std::int64_t>(b);
    rest = static_cast<std::int64_t>(a) % static_cast<std::int64_t>(b);
  } else {
    quotient = a / b;
    rest = a - quotient * b;
  }
  if (magnitude(rest) * 2 < static_cast<column::Uint128>(b)) return quotient;
  return a < 0 ? quotient - 1 : quotient + 1;
}

/// Units of one scale as units of another, rounded if that has fewer digits behind the point.
class Rescale {
 public:
  Rescale(int from_scale, const column::Type& to)
      : up_(to.scale >= from_scale),
        power_(column::power_of_ten(up_ ? to.scale - from_scale : from_scale - to.scale)),
        limit_(to) {}

  Checked<column::Int128> operator()(column::Int128 units) const {
    if (!up_) return limit_.check(divide_rounded(units, power_));
    column::Int128 more = 0;
    if (__builtin_mul_overflow(units, power_, &more)) return no_decimal;
    return limit_.check(more);
  }

 private:
  bool up_;
  column::Int128 power_;
  DigitLimit limit_;
};

}  // namespace leat::expression
