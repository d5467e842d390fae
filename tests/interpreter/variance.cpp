#include "interpreter/variance.h"

#include <algorithm>
#include <cmath>

#include "interpreter/big.h"
#include "interpreter/evaluate.h"

namespace leat::interpreter {

using plan::Value;

namespace {

// `units` * 2^exponent divided by `divisor`, after it was rounded to 53 binary digits, halves to
// the even number.
double divide(const Big& units, int exponent, double divisor) {
  constexpr std::size_t digits = 53;
  std::size_t cut = std::max(units.bit_count(), digits) - digits;
  plan::Int128 rounded = 0;
  for (std::size_t i = units.bit_count(); i-- > cut;)
    rounded = rounded * 2 + (units.bit(i) ? 1 : 0);
  bool is_half = cut > 0 && units.bit(cut - 1), is_more = false;
  for (std::size_t i = 0; i + 1 < cut; ++i) is_more = is_more || units.bit(i);
  if (is_half && (is_more || rounded % 2 == 1)) ++rounded;
  return std::ldexp(static_cast<double>(rounded) / divisor, exponent + static_cast<int>(cut));
}

}  // namespace

std::optional<VarianceKind> variance_kind(std::string_view function) {
  if (function == "var_pop") return VarianceKind{false, false};
  if (function == "var_samp") return VarianceKind{true, false};
  if (function == "stddev_pop") return VarianceKind{false, true};
  if (function == "stddev_samp") return VarianceKind{true, true};
  return {};
}

Value variance(const Values& values, VarianceKind kind) {
  constexpr std::size_t unit_bits = 1074;
  if (values.size() < (kind.of_sample ? 2 : 1)) return {};
  ExactSum sum, squares;
  for (const auto& value : values) {
    double number = std::get<double>(value), square = number * number;
    if (std::isinf(square)) throw BadValue{"double out of range: overflow"};
    sum.add(number);
    squares.add(square);
    squares.add(std::fma(number, number, -square));
  }
  auto count = static_cast<plan::Int128>(values.size());
  Big all = (squares.units() * Big(count)).shifted_left(unit_bits);
  Big spread = all - sum.units() * sum.units();
  if (spread.sign() <= 0) return 0.0;
  auto n = static_cast<double>(count);
  double variance =
      divide(spread, -2 * static_cast<int>(unit_bits), n * (kind.of_sample ? n - 1 : n));
  if (std::isinf(variance)) throw BadValue{"double out of range: overflow"};
  return kind.root ? std::sqrt(variance) : variance;
}

}  // namespace leat::interpreter
