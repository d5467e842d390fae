#include <cmath>
#include <limits>

#include "interpreter/big.h"
#include "interpreter/decimal_number.h"
#include "interpreter/evaluate.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

using Kind = Type::Kind;

constexpr std::int64_t integer_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t integer_max = std::numeric_limits<std::int64_t>::max();

std::int64_t checked(Int128 value) {
  if (value < integer_min || value > integer_max) throw BadValue{"bigint out of range"};
  return static_cast<std::int64_t>(value);
}

std::optional<Value> of_integers(const std::string& name, Int128 a, Int128 b) {
  if (name == "+") return checked(a + b);
  if (name == "-") return checked(a - b);
  if (name == "*") return checked(a * b);
  if (name != "/" && name != "%") return {};
  if (b == 0) throw BadValue{"division by zero"};
  return checked(name == "/" ? a / b : a % b);
}

std::optional<Value> of_integer(const std::string& name, Int128 a) {
  if (name == "negate") return checked(-a);
  if (name == "abs") return checked(a < 0 ? -a : a);
  return {};
}

double checked(double value) {
  if (!std::isfinite(value)) throw BadValue{"double out of range: overflow"};
  return value;
}

std::optional<Value> of_reals(const std::string& name, double a, double b) {
  if (name == "+") return checked(a + b);
  if (name == "-") return checked(a - b);
  if (name != "*" && name != "/") return {};
  if (name == "/" && b == 0) throw BadValue{"division by zero"};
  double result = checked(name == "*" ? a * b : a / b);
  if (result == 0 && a != 0 && (name == "/" || b != 0)) {
    throw BadValue{"double out of range: underflow"};
  }
  return result;
}

std::optional<Value> of_real(const std::string& name, double a) {
  if (name == "negate") return -a;
  if (name == "abs") return std::fabs(a);
  if (name == "ceil") return std::ceil(a);
  if (name == "floor") return std::floor(a);
  if (name == "round") return std::rint(a);  // halves to the even one, as PostgreSQL
  if (name != "sqrt") return {};
  if (a < 0) throw BadValue{"square root of a negative number"};
  return std::sqrt(a);
}

// Of a sum or difference, after both have as many digits behind the point.
std::optional<Value> of_decimals(const std::string& name, const Decimal& a, const Decimal& b,
                                 const Type& result) {
  int scale = std::max(a.scale, b.scale);
  Big left = Big(a.units) * Big(power_of_ten(scale - a.scale));
  Big right = Big(b.units) * Big(power_of_ten(scale - b.scale));
  if (name == "+") return decimal_value(left + right, scale, result);
  if (name == "-") return decimal_value(left - right, scale, result);
  if (name == "*") return decimal_value(Big(a.units) * Big(b.units), a.scale + b.scale, result);
  if (name != "/" && name != "%") return {};
  if (right.sign() == 0) throw BadValue{"division by zero"};
  if (name == "/") {
    return decimal_value(divide_rounded(left * Big(power_of_ten(result.scale)), right),
                         result.scale, result);
  }
  Big rest = left.divided_by(right).rest;  // takes the sign of the dividend
  return decimal_value(left.sign() < 0 ? rest.negated() : rest, scale, result);
}

std::optional<Value> of_decimal(const std::string& name, const Decimal& a, const Type& result) {
  Big units(a.units), one(power_of_ten(a.scale));
  if (name == "negate") return decimal_value(units.negated(), a.scale, result);
  if (name == "abs") return decimal_value(units.magnitude(), a.scale, result);
  if (name == "round") return decimal_value(divide_rounded(units, one), 0, result);
  auto [quotient, rest] = units.divided_by(one);
  bool up = rest.sign() != 0;  // away from zero
  bool away = (name == "ceil" && a.units > 0) || (name == "floor" && a.units < 0);
  if (name != "ceil" && name != "floor") return {};
  if (up && away) quotient = quotient + Big(1);
  return decimal_value(a.units < 0 ? quotient.negated() : quotient, 0, result);
}

Interval checked_interval(Int128 months, Int128 days, Int128 ms) {
  return {checked(months), checked(days), checked(ms)};
}

std::optional<Value> of_intervals(const std::string& name, const Call& call) {
  const auto* a = std::get_if<Interval>(&call.arguments[0]);
  if (call.arguments.size() == 1) {
    if (a == nullptr || name != "negate") return {};
    return checked_interval(-Int128{a->months}, -Int128{a->days}, -Int128{a->ms});
  }
  const auto* b = std::get_if<Interval>(&call.arguments[1]);
  if (name == "*" && (a != nullptr || b != nullptr)) {
    const Interval& span = a != nullptr ? *a : *b;
    Int128 times = call.integer(a != nullptr ? 1 : 0);
    return checked_interval(span.months * times, span.days * times, span.ms * times);
  }
  if (a == nullptr || b == nullptr || (name != "+" && name != "-")) return {};
  Int128 sign = name == "+" ? 1 : -1;
  return checked_interval(a->months + sign * b->months, a->days + sign * b->days,
                          a->ms + sign * b->ms);
}

}  // namespace

std::optional<Value> arithmetic(const Call& call) {
  const std::string& name = call.expression.function;
  if (call.arguments.empty() || call.arguments.size() > 2) return {};
  auto all = [&](Kind kind) {
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      if (call.type(i).array || call.type(i).kind != kind) return false;
    }
    return true;
  };
  bool two = call.arguments.size() == 2;
  if (all(Kind::bigint)) {
    return two ? of_integers(name, call.integer(0), call.integer(1))
               : of_integer(name, call.integer(0));
  }
  if (all(Kind::double_precision)) {
    return two ? of_reals(name, call.real(0), call.real(1)) : of_real(name, call.real(0));
  }
  if (all(Kind::decimal)) {
    return two ? of_decimals(name, call.decimal(0), call.decimal(1), call.result())
               : of_decimal(name, call.decimal(0), call.result());
  }
  return of_intervals(name, call);
}

}  // namespace leat::interpreter
