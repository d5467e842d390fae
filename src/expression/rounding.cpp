// Numbers with so many digits behind the point, or with zeros before it.
#include "expression/optimize.h"

#include <array>
#include <charconv>
#include <cmath>

#include "expression/decimal_math.h"
#include "expression/kernel.h"

namespace leat::expression {

using column::Int128;
using column::power_of_ten;
using column::Type;

namespace {

// ---- Decimals ----------------------------------------------------------------------------------

/// Units of one type as units of another, after the digits that are not kept have gone.
template <bool rounds>
class KeptDigits {
 public:
  KeptDigits(const Type& from, std::int64_t digits, const Type& to)
      : lost_(static_cast<int>(std::max<std::int64_t>(from.scale - digits, 0))),
        back_(power_of_ten(static_cast<int>(
            digits < 0 ? -digits : std::max<std::int64_t>(digits - from.scale, 0)))),
        divisor_(power_of_ten(std::min(lost_, column::precision_max))),
        limit_(to) {}

  Checked<Int128> operator()(Int128 units) const {
    if (lost_ > column::precision_max) return {0, 0};  // no decimal has so many
    Int128 kept = rounds ? divide_rounded(units, divisor_) : divide_whole(units, divisor_), result;
    if (__builtin_mul_overflow(kept, back_, &result)) return no_decimal;
    return limit_.check(result);
  }

 private:
  int lost_;
  Int128 back_;
  Int128 divisor_;
  DigitLimit limit_;
};

template <bool rounds>
Kernel of_decimals(const Type& from, std::int64_t digits, const Type& to) {
  KeptDigits<rounds> keep(from, digits, to);
  auto why = [to](Int128) { return out_of_range_of(to); };
  return [=](const Call& call) {
    map_checked<Int128, Int128>(
        {call.arguments.first(1), call.rows, call.result, call.errors, call.now_ms}, keep, why);
  };
}

// ---- Doubles -----------------------------------------------------------------------------------

/// Of a double that many digits of the shortest decimal that is read as it; the double next to what
/// is left. Mostly a multiplication and a division tell, which is checked.
template <bool rounds>
class KeptRealDigits {
 public:
  explicit KeptRealDigits(int digits)
      : digits_(digits),
        power_(std::abs(digits) <= exact_powers ? std::pow(10, std::abs(digits)) : 0) {}

  Checked<double> operator()(double value) const {
    constexpr double margin = 0x1p-50;
    if (power_ != 0) {
      double scaled = digits_ < 0 ? value / power_ : value * power_;
      double whole = std::trunc(scaled), rest = std::fabs(scaled - whole);
      double error = std::fabs(scaled) * margin;
      bool is_sure = rounds ? std::fabs(rest - 0.5) > error : rest > error && rest < 1 - error;
      if (std::fabs(scaled) < 0x1p50 && is_sure) {
        if (rounds && rest > 0.5) whole += std::copysign(1.0, scaled);
        return {(digits_ < 0 ? whole * power_ : whole / power_) + 0.0, 0};
      }
    }
    return keep_by_digits(value);
  }

 private:
  // Powers of ten up to this one are doubles.
  static constexpr int exact_powers = 22;

  [[gnu::noinline]] Checked<double> keep_by_digits(double value) const {
    if (!std::isfinite(value) || value == 0) return {0, 0};  // under a NULL may be anything
    std::array<char, 40> room{};
    char* end = std::to_chars(room.data(), room.data() + room.size(), std::fabs(value),
                              std::chars_format::scientific)
                    .ptr;
    // d.ddde+x, up to 17 digits; a sign before the exponent.
    char* mark = std::find(room.data(), end, 'e');
    int exponent = 0;
    std::from_chars(mark[1] == '+' ? mark + 2 : mark + 1, end, exponent);
    int kept = exponent + 1 + digits_, count = 0;
    if (kept < 0) return {0, 0};
    // Those that are kept as a number, of units of 10^-digits.
    std::int64_t units = 0;
    bool up = false;
    for (const char* at = room.data(); at != mark; ++at) {
      if (*at == '.') continue;
      if (count < kept) units = units * 10 + (*at - '0');
      if (count == kept) up = rounds && *at >= '5';
      ++count;
    }
    if (kept >= count) return {value, 0};
    units += up ? 1 : 0;
    if (units == 0) return {0, 0};
    constexpr std::size_t units_max = 20;
    char* last = std::to_chars(room.data(), room.data() + units_max, units).ptr;
    *last++ = 'e';
    last = std::to_chars(last, room.data() + room.size(), -digits_).ptr;
    double result = 0;
    bool fits = std::from_chars(room.data(), last, result).ec == std::errc{};
    return {std::copysign(result, value), fits ? 0u : 1u};
  }

  int digits_;
  double power_;
};

template <bool rounds>
Kernel of_reals(std::int64_t digits) {
  KeptRealDigits<rounds> keep(static_cast<int>(digits));
  auto why = [](double) { return std::string("double out of range: overflow"); };
  return [=](const Call& call) {
    map_checked<double, double>(
        {call.arguments.first(1), call.rows, call.result, call.errors, call.now_ms}, keep, why);
  };
}

}  // namespace

Kernel rounding_kernel(const plan::BoundExpression& call) {
  bool rounds = call.function == "round";
  if ((!rounds && call.function != "trunc") || call.arguments.size() != 2) return {};
  const Type& from = call.arguments[0].type;
  auto digits = std::get<std::int64_t>(call.arguments[1].literal);
  if (from.kind == Type::decimal) {
    return rounds ? of_decimals<true>(from, digits, call.type)
                  : of_decimals<false>(from, digits, call.type);
  }
  return rounds ? of_reals<true>(digits) : of_reals<false>(digits);
}

}  // namespace leat::expression
