// Powers, logarithms, angles and buckets of doubles. Their last digits are those of the machine's C
// library.
#include "expression/optimize.h"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "expression/kernel.h"

namespace leat::expression {

using column::Type;
using std::int64_t;

namespace {

constexpr double largest = std::numeric_limits<double>::max();

const char* range_error(double value) {
  return value == 0 ? "double out of range: underflow" : "double out of range: overflow";
}

// Without negative zero.
Checked<double> if_it_is(bool good, double value) {
  return {value + 0.0, good ? 0u : 1u};
}

// ---- Of one ------------------------------------------------------------------------------------

struct Exponential {
  Checked<double> operator()(double a) const {
    double power = std::exp(a);
    return if_it_is(power != 0 && power <= largest, power);
  }
  static std::string why(double a) { return range_error(std::exp(a)); }
};

template <double (*logarithm)(double)>
struct Logarithm {
  Checked<double> operator()(double a) const { return if_it_is(a > 0, logarithm(a)); }
  static std::string why(double a) {
    return a == 0 ? "cannot take logarithm of zero" : "cannot take logarithm of a negative number";
  }
};

// Of what is from -1 to 1.
template <double (*angle)(double)>
struct Angle {
  Checked<double> operator()(double a) const { return if_it_is(std::fabs(a) <= 1, angle(a)); }
  static std::string why(double) { return "input is out of range"; }
};

template <double (*function)(double)>
struct Anywhere {
  Checked<double> operator()(double a) const { return if_it_is(true, function(a)); }
  static std::string why(double) { return {}; }
};

struct Degrees {
  Checked<double> operator()(double a) const {
    double degrees = a / (std::numbers::pi / 180);
    return if_it_is(std::fabs(degrees) <= largest, degrees);
  }
  static std::string why(double) { return range_error(1); }
};

struct Radians {
  Checked<double> operator()(double a) const {
    double radians = a * (std::numbers::pi / 180);
    return if_it_is(radians != 0 || a == 0, radians);
  }
  static std::string why(double) { return range_error(0); }
};

template <class F>
void compute(const Call& call) {
  map_checked<double, double>(call, F{}, F::why);
}

// ---- Of several --------------------------------------------------------------------------------

struct Power {
  static bool is_defined(double a, double b) {
    return !(a == 0 && b < 0) && !(a < 0 && std::floor(b) != b);
  }
  Checked<double> operator()(double a, double b) const {
    double power = std::pow(a, b);
    bool good = std::fabs(power) <= largest && (power != 0 || a == 0);
    return if_it_is(good && is_defined(a, b), power);
  }
  static std::string why(double a, double b) {
    if (a == 0 && b < 0) return "zero raised to a negative power is undefined";
    if (is_defined(a, b)) return range_error(std::pow(a, b));
    return "a negative number raised to a non-integer power yields a complex result";
  }
};

// Of any base. More digits on the way than a double has, so that log(3, 243) is 5.
struct LogarithmToBase {
  static bool is_defined(double base, double number) { return base > 0 && base != 1 && number > 0; }
  Checked<double> operator()(double base, double number) const {
    auto logarithm =
        std::log(static_cast<long double>(number)) / std::log(static_cast<long double>(base));
    return if_it_is(is_defined(base, number), static_cast<double>(logarithm));
  }
  static std::string why(double base, double number) {
    std::string reason = "division by zero";  // as PostgreSQL says it
    if (base <= 0 || number <= 0) {
      reason = Logarithm<std::log>::why(base <= 0 ? base : number);
    }
    return fmt::format("log({}, {}): {}", base, number, reason);
  }
};

void find_logarithm(const Call& call) {
  map_checked<double, double, double>(call, LogarithmToBase{}, LogarithmToBase::why);
}

void raise(const Call& call) {
  map_checked<double, double, double>(call, Power{}, Power::why);
}

void find_angle(const Call& call) {
  map<double, double, double>(call, [](double y, double x) { return std::atan2(y, x) + 0.0; });
}

// Of `count` buckets from `low` to before `high`, which may lie below: the number of that which
// has the value, 0 before and count + 1 behind them.
int64_t bucket_of(double value, double low, double high, int64_t count) {
  bool rises = low < high;
  if (rises ? value < low : value > low) return 0;
  if (rises ? value >= high : value <= high) return count + 1;
  bool is_far = std::fabs(high - low) > largest;
  double part =
      is_far ? (value / 2 - low / 2) / (high / 2 - low / 2) : (value - low) / (high - low);
  auto before = static_cast<int64_t>(static_cast<double>(count) * part);
  return std::min(before, count - 1) + 1;
}

void find_bucket(const Call& call) {
  constexpr int64_t count_max = std::numeric_limits<std::int32_t>::max();
  Cells<double> values(call.arguments[0]), low(call.arguments[1]), high(call.arguments[2]);
  Cells<int64_t> counts(call.arguments[3]);
  for_known_rows(call, [&](std::uint32_t row) {
    if (counts[row] <= 0) return call.errors.add(row, "count must be greater than zero");
    if (counts[row] > count_max) return call.errors.add(row, "count is too large");
    if (low[row] == high[row]) {
      return call.errors.add(row, "lower bound cannot equal upper bound");
    }
    call.out().set_integer(row, bucket_of(values[row], low[row], high[row], counts[row]));
  });
}

struct Row {
  std::string_view name;
  void (*kernel)(const Call&);
};

constexpr Row rows[] = {
    {"exp", compute<Exponential>},
    {"ln", compute<Logarithm<std::log>>},
    {"log", compute<Logarithm<std::log10>>},
    {"sin", compute<Anywhere<std::sin>>},
    {"cos", compute<Anywhere<std::cos>>},
    {"tan", compute<Anywhere<std::tan>>},
    {"asin", compute<Angle<std::asin>>},
    {"acos", compute<Angle<std::acos>>},
    {"atan", compute<Anywhere<std::atan>>},
    {"atan2", find_angle},
    {"degrees", compute<Degrees>},
    {"radians", compute<Radians>},
    {"pi", [](const Call& call) { call.out().set_real(0, std::numbers::pi); }},
    {"power", raise},
    {"width_bucket", find_bucket},
};

}  // namespace

Kernel mathematics_kernel(const plan::BoundExpression& call) {
  if (call.function == "log" && call.arguments.size() == 2) return find_logarithm;
  const auto* row = std::find_if(std::begin(rows), std::end(rows),
                                 [&](const Row& each) { return each.name == call.function; });
  return row == std::end(rows) ? Kernel() : row->kernel;
}

}  // namespace leat::expression
