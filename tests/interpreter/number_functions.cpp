#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "interpreter/big.h"
#include "interpreter/decimal_number.h"
#include "interpreter/evaluate.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

double in_range(double value, bool may_be_zero) {
  if (std::isinf(value)) throw BadValue{"double out of range: overflow"};
  if (value == 0 && !may_be_zero) throw BadValue{"double out of range: underflow"};
  return value;
}

double power(double a, double b) {
  if (a == 0 && b < 0) throw BadValue{"zero raised to a negative power is undefined"};
  if (a < 0 && std::rint(b) != b) {
    throw BadValue{"a negative number raised to a non-integer power yields a complex result"};
  }
  return in_range(std::pow(a, b), a == 0);
}

double with_logarithm(double a) {
  if (a == 0) throw BadValue{"cannot take logarithm of zero"};
  if (a < 0) throw BadValue{"cannot take logarithm of a negative number"};
  return a;
}

double logarithm(double base, double number) {
  try {
    long double divisor = std::log(static_cast<long double>(with_logarithm(base)));
    long double dividend = std::log(static_cast<long double>(with_logarithm(number)));
    if (base == 1) throw BadValue{"division by zero"};
    return static_cast<double>(dividend / divisor);
  } catch (const BadValue& bad) {
    throw BadValue{fmt::format("log({}, {}): {}", base, number, bad.why)};
  }
}

double with_angle(double a) {
  if (a < -1 || a > 1) throw BadValue{"input is out of range"};
  return a;
}

std::optional<Value> of_real(const std::string& name, double a) {
  constexpr double degree = std::numbers::pi / 180;
  if (name == "exp") return in_range(std::exp(a), false);
  if (name == "ln") return std::log(with_logarithm(a));
  if (name == "log") return std::log10(with_logarithm(a));
  if (name == "sin") return std::sin(a);
  if (name == "cos") return std::cos(a);
  if (name == "tan") return std::tan(a);
  if (name == "asin") return std::asin(with_angle(a));
  if (name == "acos") return std::acos(with_angle(a));
  if (name == "atan") return std::atan(a);
  if (name == "degrees") return in_range(a / degree, true);
  if (name == "radians") return in_range(a * degree, a == 0);
  if (name == "sign") return a > 0 ? 1.0 : a < 0 ? -1.0 : 0.0;
  if (name == "trunc") return a < 0 ? std::ceil(a) : std::floor(a);
  return {};
}

// The bucket of `count` between two ends that has the value.
std::int64_t width_bucket(double value, double low, double high, std::int64_t count) {
  if (count <= 0) throw BadValue{"count must be greater than zero"};
  if (count > 2'147'483'647) throw BadValue{"count is too large"};
  if (low == high) throw BadValue{"lower bound cannot equal upper bound"};
  if (low > high) return width_bucket(-value, -low, -high, count);
  if (value < low) return 0;
  if (value >= high) return count + 1;
  double part = std::isinf(high - low) ? (value / 2 - low / 2) / (high / 2 - low / 2)
                                       : (value - low) / (high - low);
  auto bucket = static_cast<std::int64_t>(std::floor(static_cast<double>(count) * part)) + 1;
  return std::min(bucket, count);
}

Value keep_digits(const Decimal& a, std::int64_t digits, bool rounds, const Type& result) {
  Big units(a.units);
  for (std::int64_t scale = a.scale; scale < digits; ++scale) units = units * Big(10);
  Big lost(1);
  for (std::int64_t scale = a.scale; scale > digits; --scale) lost = lost * Big(10);
  Big kept = rounds ? divide_rounded(units, lost) : units.magnitude().divided_by(lost).quotient;
  if (!rounds && units.sign() < 0) kept = kept.negated();
  for (; digits < 0; ++digits) kept = kept * Big(10);
  return decimal_value(kept, static_cast<int>(digits), result);
}

// The number as it is written, all digits of it, without those that are not kept.
double keep_digits(double a, std::int64_t digits, bool rounds) {
  std::string text = fmt::format("{}", std::fabs(a));
  std::int64_t exponent = 0;
  if (auto mark = text.find('e'); mark != text.npos) {
    exponent = std::stoll(text.substr(mark + 1));
    text.erase(mark);
  }
  auto point = std::min(text.find('.'), text.size());
  std::string all = text.substr(0, point);
  if (point < text.size()) all += text.substr(point + 1);
  exponent += static_cast<std::int64_t>(point);  // the number is 0.all * 10^exponent
  while (exponent + digits < 1) all = "0" + all, ++exponent;
  auto kept = static_cast<std::size_t>(exponent + digits);
  while (all.size() <= kept) all += "0";
  bool up = rounds && all[kept] >= '5';
  all = "0" + all.substr(0, kept);
  for (std::size_t i = all.size(); up && i-- > 0;) {
    up = all[i] == '9';
    all[i] = static_cast<char>(up ? '0' : all[i] + 1);
  }
  double magnitude = std::strtod(fmt::format("{}e{}", all, -digits).c_str(), nullptr);
  return std::copysign(in_range(magnitude, true), a);
}

}  // namespace

std::optional<Value> number_function(const Call& call) {
  const std::string& name = call.expression.function;
  if (name == "pi") return std::numbers::pi;
  if (name == "width_bucket") {
    return width_bucket(call.real(0), call.real(1), call.real(2), call.integer(3));
  }
  if (name == "log" && call.has(1)) return logarithm(call.real(0), call.real(1));
  if (name == "power") return power(call.real(0), call.real(1));
  if (name == "atan2") return std::atan2(call.real(0), call.real(1));
  if ((name == "round" || name == "trunc") && call.has(1)) {
    std::int64_t digits = call.integer(1);
    if (call.type(0).kind == Type::Kind::decimal) {
      return keep_digits(call.decimal(0), digits, name == "round", call.result());
    }
    return keep_digits(call.real(0), digits, name == "round");
  }
  if (call.arguments.empty() || call.type(0).array) return {};
  if (name == "sign" && call.type(0).kind == Type::Kind::bigint) {
    return std::int64_t{call.integer(0) > 0 ? 1 : call.integer(0) < 0 ? -1 : 0};
  }
  if (name == "sign" && call.type(0).kind == Type::Kind::decimal) {
    return Decimal{Big(call.decimal(0).units).sign(), 0};
  }
  if (name == "trunc" && call.type(0).kind == Type::Kind::decimal) {
    return keep_digits(call.decimal(0), 0, false, call.result());
  }
  if (call.type(0).kind != Type::Kind::double_precision) return {};
  return of_real(name, call.real(0));
}

}  // namespace leat::interpreter
