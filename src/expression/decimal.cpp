// Arithmetic of decimals. Results are exact but for quotients, which are rounded, halves away from
// zero; numbers on the way may have more digits than any decimal.
#include "expression/optimize.h"

#include <algorithm>

#include "expression/decimal_math.h"
#include "expression/kernel.h"

namespace leat::expression {

using column::Int128;
using column::power_of_ten;
using column::Type;
using column::Uint128;

namespace {

Checked<Int128> with_sign(const Wide& value, bool negative, const DigitLimit& limit) {
  if (!value.fits_int128()) return no_decimal;
  return limit.check(negative ? -value.to_int128() : value.to_int128());
}

Wide scaled(Int128 units, Int128 power) {
  return Wide(magnitude(units)) * Wide(magnitude(power));
}

/// Two decimals brought to as many digits behind the point.
struct Scales {
  Scales(const Type& a, const Type& b) {
    int scale = std::max(a.scale, b.scale);
    left = power_of_ten(scale - a.scale);
    right = power_of_ten(scale - b.scale);
  }
  bool same() const { return left == 1 && right == 1; }
  bool apply(Int128& a, Int128& b) const {
    return !__builtin_mul_overflow(a, left, &a) && !__builtin_mul_overflow(b, right, &b);
  }

  Int128 left;
  Int128 right;
};

Checked<Int128> add_wide(Int128 a, Int128 b, const Scales& scales, const DigitLimit& limit) {
  Wide left = scaled(a, scales.left), right = scaled(b, scales.right);
  if ((a < 0) == (b < 0)) return with_sign(left + right, a < 0, limit);
  return left < right ? with_sign(right - left, b < 0, limit)
                      : with_sign(left - right, a < 0, limit);
}

[[gnu::always_inline]] inline Checked<Int128> add(Int128 a, Int128 b, const Scales& scales,
                                                  const DigitLimit& limit) {
  Int128 left = a, right = b, sum = 0;
  if (!scales.same() && !scales.apply(left, right)) return add_wide(a, b, scales, limit);
  if (__builtin_add_overflow(left, right, &sum)) return no_decimal;
  return limit.check(sum);
}

// The digits of the product are all there, so what does not fit 127 bits fits no type.
Checked<Int128> multiply(Int128 a, Int128 b, const DigitLimit& limit) {
  Int128 product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return no_decimal;
  return limit.check(product);
}

// Most have 18 digits at most: one multiplication, and no branch.
void multiply_all(const Call& call, const Type& type) {
  DigitLimit limit(type);
  auto of_small = [=](Int128 a, Int128 b) {
    Int128 product = Int128{static_cast<std::int64_t>(a)} * static_cast<std::int64_t>(b);
    bool good = (int{is_small(a)} & int{is_small(b)} & int{limit.fits(product)}) != 0;
    return Checked<Int128>{product, good ? 0u : 1u};
  };
  if (map_cells<Int128, Int128, Int128>(call, of_small) == 0) return set_nulls(call);
  auto of_all = [=](Int128 a, Int128 b) { return multiply(a, b, limit); };
  map_checked<Int128, Int128, Int128>(call, of_all,
                                      [=](Int128, Int128) { return out_of_range_of(type); });
}

// The power of ten that a quotient of units is multiplied by for its scale may have 77 digits.
struct Quotient {
  Quotient(const Type& a, const Type& b, const Type& result)
      : digits(result.scale + b.scale - a.scale),
        power(power_of_ten(std::min(digits, column::precision_max))),
        limit(result) {}

  Checked<Int128> operator()(Int128 a, Int128 b) const {
    if (b == 0) return no_decimal;
    Int128 units = 0;
    bool wide = digits > column::precision_max || __builtin_mul_overflow(a, power, &units);
    if (wide) return divide_wide(a, b);
    return limit.check(b < 0 ? divide_rounded(-units, -b) : divide_rounded(units, b));
  }
  Checked<Int128> divide_wide(Int128 a, Int128 b) const {
    Wide units = scaled(a, power);
    if (digits > column::precision_max) {
      units = units * Wide(magnitude(power_of_ten(digits - column::precision_max)));
    }
    Wide divisor{magnitude(b)};
    auto [quotient, rest] = units.divided_by(divisor);
    if (rest + rest >= divisor) quotient = quotient + Wide(1);
    return with_sign(quotient, (a < 0) != (b < 0), limit);
  }

  int digits;
  Int128 power;
  DigitLimit limit;
};

// Takes the sign of the dividend.
Checked<Int128> remainder(Int128 a, Int128 b, const Scales& scales, const DigitLimit& limit) {
  if (b == 0) return no_decimal;
  Int128 left = a, right = b;
  if (scales.apply(left, right)) return limit.check(left % right);
  auto rest = scaled(a, scales.left).divided_by(scaled(b, scales.right)).rest;
  return with_sign(rest, a < 0, limit);
}

template <class F, class Why>
Kernel of_two(F f, Why why) {
  return [=](const Call& call) { map_checked<Int128, Int128, Int128>(call, f, why); };
}

Kernel two_decimals_kernel(std::string_view name, const Type& a, const Type& b,
                           const Type& result) {
  DigitLimit limit(result);
  Scales scales(a, b);
  auto range = [=](Int128, Int128) { return out_of_range_of(result); };
  auto division = [=](Int128, Int128 divisor) {
    return divisor == 0 ? std::string("division by zero") : out_of_range_of(result);
  };
  if (name == "+")
    return of_two([=](Int128 x, Int128 y) { return add(x, y, scales, limit); }, range);
  if (name == "-")
    return of_two([=](Int128 x, Int128 y) { return add(x, -y, scales, limit); }, range);
  if (name == "*") return [=](const Call& call) { multiply_all(call, result); };
  if (name == "/") return of_two(Quotient(a, b, result), division);
  if (name == "%")
    return of_two([=](Int128 x, Int128 y) { return remainder(x, y, scales, limit); }, division);
  return {};
}

template <class F>
Kernel of_one(F f) {
  return [=](const Call& call) { map<Int128, Int128>(call, f); };
}

// None of these has more digits than its type.
Kernel one_decimal_kernel(std::string_view name, const Type& type) {
  Int128 one = power_of_ten(type.scale);
  if (name == "negate") return of_one([](Int128 a) { return -a; });
  if (name == "abs") return of_one([](Int128 a) { return a < 0 ? -a : a; });
  if (name == "sign") return of_one([](Int128 a) { return Int128{a > 0} - Int128{a < 0}; });
  if (name == "round") return of_one([=](Int128 a) { return divide_rounded(a, one); });
  if (name == "trunc") return of_one([=](Int128 a) { return divide_whole(a, one); });
  if (name == "ceil") {
    return of_one([=](Int128 a) {
      Int128 whole = divide_whole(a, one);
      return whole + (a > whole * one ? 1 : 0);
    });
  }
  if (name == "floor") {
    return of_one([=](Int128 a) {
      Int128 whole = divide_whole(a, one);
      return whole - (a < whole * one ? 1 : 0);
    });
  }
  return {};
}

}  // namespace

Kernel decimal_kernel(const plan::BoundExpression& call) {
  const auto& arguments = call.arguments;
  if (arguments.empty() || arguments.size() > 2) return {};
  for (const auto& argument : arguments) {
    if (argument.type.array || argument.type.kind != Type::decimal) return {};
  }
  if (arguments.size() == 1) return one_decimal_kernel(call.function, arguments[0].type);
  return two_decimals_kernel(call.function, arguments[0].type, arguments[1].type, call.type);
}

}  // namespace leat::expression
