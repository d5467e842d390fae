// Arithmetic of whole numbers, doubles and intervals. Never a wrong number: what does not fit is an
// error.
#include "expression/optimize.h"

#include <cmath>

#include "expression/kernel.h"
#include "expression/small_divisor.h"

namespace leat::expression {

using column::Interval;
using column::Type;

namespace {

constexpr std::int64_t integer_min = std::numeric_limits<std::int64_t>::min();

std::uint64_t unsigned_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

// The sums wrap around, and are wrong if their sign is that of neither operand: no branch, and
// nothing that a wide instruction could not do.
struct Add {
  Checked<std::int64_t> operator()(std::int64_t a, std::int64_t b) const {
    auto sum = static_cast<std::int64_t>(unsigned_of(a) + unsigned_of(b));
    return {sum, unsigned_of((a ^ sum) & (b ^ sum)) >> 63};
  }
};

struct Subtract {
  Checked<std::int64_t> operator()(std::int64_t a, std::int64_t b) const {
    auto difference = static_cast<std::int64_t>(unsigned_of(a) - unsigned_of(b));
    return {difference, unsigned_of((a ^ b) & (a ^ difference)) >> 63};
  }
};

// Of numbers of 32 bits, which instructions multiply several of at once; bad for all others.
struct MultiplySmall {
  Checked<std::int64_t> operator()(std::int64_t a, std::int64_t b) const {
    constexpr std::uint64_t middle = 0x8000'0000;
    std::uint64_t high_bits = (unsigned_of(a) + middle) | (unsigned_of(b) + middle);
    std::int64_t product =
        std::int64_t{static_cast<std::int32_t>(a)} * static_cast<std::int32_t>(b);
    return {product, high_bits >> 32};
  }
};

struct Multiply {
  Checked<std::int64_t> operator()(std::int64_t a, std::int64_t b) const {
    std::int64_t product = 0;
    bool bad = __builtin_mul_overflow(a, b, &product);
    return {product, bad};
  }
};

struct Divide {
  Checked<std::int64_t> operator()(std::int64_t a, std::int64_t b) const {
    bool bad = b == 0 || (b == -1 && a == integer_min);
    return {bad ? 0 : a / b, bad};
  }
};

struct Remainder {
  Checked<std::int64_t> operator()(std::int64_t a, std::int64_t b) const {
    bool alone = b == 0 || b == -1;
    return {alone ? 0 : a % b, b == 0};
  }
};

constexpr auto out_of_range = [](auto...) { return std::string("bigint out of range"); };

std::string division_error(std::int64_t, std::int64_t b) {
  return b == 0 ? "division by zero" : "bigint out of range";
}

template <class F, class Why>
Kernel of_integers(F f, Why why) {
  return [=](const Call& call) {
    map_checked<std::int64_t, std::int64_t, std::int64_t>(call, f, why);
  };
}

void multiply(const Call& call) {
  using std::int64_t;
  if (map_cells<int64_t, int64_t, int64_t>(call, MultiplySmall{}) == 0) return set_nulls(call);
  map_checked<int64_t, int64_t, int64_t>(call, Multiply{}, out_of_range);
}

void divide(const Call& call) {
  using std::int64_t;
  if (auto divisor = SmallDivisor::of(call.arguments[1])) {
    auto quotient = [divisor](int64_t a) { return divisor->divide(a); };
    if (map_cells<int64_t, int64_t>(call, quotient) == 0) return set_nulls(call);
  }
  map_checked<int64_t, int64_t, int64_t>(call, Divide{}, division_error);
}

void take_remainder(const Call& call) {
  using std::int64_t;
  if (auto divisor = SmallDivisor::of(call.arguments[1])) {
    auto rest = [divisor](int64_t a) { return divisor->remainder(a); };
    if (map_cells<int64_t, int64_t>(call, rest) == 0) return set_nulls(call);
  }
  map_checked<int64_t, int64_t, int64_t>(call, Remainder{}, division_error);
}

Kernel integer_kernel(std::string_view name, std::size_t arguments) {
  if (arguments == 1) {
    auto negate = [](std::int64_t a) { return Subtract{}(0, a); };
    auto absolute = [](std::int64_t a) { return a < 0 ? Subtract{}(0, a) : Add{}(a, 0); };
    using std::int64_t;
    if (name == "negate")
      return [=](const Call& call) { map_checked<int64_t, int64_t>(call, negate, out_of_range); };
    if (name == "abs")
      return [=](const Call& call) { map_checked<int64_t, int64_t>(call, absolute, out_of_range); };
    auto sign = [](int64_t a) -> int64_t { return (a > 0) - (a < 0); };
    if (name == "sign") return [=](const Call& call) { map<int64_t, int64_t>(call, sign); };
    return {};
  }
  if (name == "+") return of_integers(Add{}, out_of_range);
  if (name == "-") return of_integers(Subtract{}, out_of_range);
  if (name == "*") return multiply;
  if (name == "/") return divide;
  if (name == "%") return take_remainder;
  return {};
}

// Finite and without negative zero.
Checked<double> checked(double value) {
  bool finite = std::fabs(value) <= std::numeric_limits<double>::max();
  return {value + 0.0, finite ? 0u : 1u};
}

template <class F>
Kernel of_reals(F f) {
  return [=](const Call& call) { map<double, double>(call, [=](double a) { return f(a) + 0.0; }); };
}

Kernel real_kernel(std::string_view name) {
  if (name == "negate") return of_reals([](double a) { return -a; });
  if (name == "abs") return of_reals([](double a) { return std::fabs(a); });
  if (name == "ceil") return of_reals([](double a) { return std::ceil(a); });
  if (name == "floor") return of_reals([](double a) { return std::floor(a); });
  if (name == "round") return of_reals([](double a) { return std::rint(a); });  // halves to even
  if (name == "trunc") return of_reals([](double a) { return std::trunc(a); });
  if (name == "sign") return of_reals([](double a) { return (a > 0 ? 1.0 : 0) - (a < 0 ? 1 : 0); });
  if (name != "sqrt") return {};
  return [](const Call& call) {
    auto root = [](double a) { return Checked<double>{std::sqrt(a), a < 0 ? 1u : 0u}; };
    auto why = [](double) { return std::string("square root of a negative number"); };
    map_checked<double, double>(call, root, why);
  };
}

std::string real_error(double value) {
  return value == 0 ? "double out of range: underflow" : "double out of range: overflow";
}

template <class F, class Why>
Kernel of_two_reals(F f, Why why) {
  return [=](const Call& call) { map_checked<double, double, double>(call, f, why); };
}

Kernel two_reals_kernel(std::string_view name) {
  auto overflow = [](double, double) { return std::string("double out of range: overflow"); };
  if (name == "+") return of_two_reals([](double a, double b) { return checked(a + b); }, overflow);
  if (name == "-") return of_two_reals([](double a, double b) { return checked(a - b); }, overflow);
  if (name == "*") {
    auto multiply = [](double a, double b) {
      Checked<double> product = checked(a * b);
      std::uint64_t underflow = product.value == 0 && a != 0 && b != 0 ? 1u : 0u;
      return Checked<double>{product.value, product.bad | underflow};
    };
    return of_two_reals(multiply, [](double a, double b) { return real_error(a * b); });
  }
  if (name != "/") return {};
  auto divide = [](double a, double b) {
    Checked<double> quotient = checked(a / b);
    std::uint64_t bad = b == 0 || (quotient.value == 0 && a != 0) ? 1u : 0u;
    return Checked<double>{quotient.value, quotient.bad | bad};
  };
  return of_two_reals(divide, [](double a, double b) {
    return b == 0 ? std::string("division by zero") : real_error(a / b);
  });
}

// Puts an interval of which each part is `part` of the parts, or adds the error.
template <class Part>
void set_interval(const Call& call, std::uint32_t row, Part part) {
  Interval result;
  bool bad = part(&Interval::months, result.months);
  bad = part(&Interval::days, result.days) || bad;
  bad = part(&Interval::ms, result.ms) || bad;
  if (bad)
    call.errors.add(row, out_of_range());
  else
    call.out().set_interval(row, result);
}

void add_intervals(const Call& call) {
  Cells<Interval> a(call.arguments[0]), b(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    set_interval(call, row, [&](auto part, std::int64_t& out) {
      return __builtin_add_overflow(a[row].*part, b[row].*part, &out);
    });
  });
}

void subtract_intervals(const Call& call) {
  Cells<Interval> a(call.arguments[0]), b(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    set_interval(call, row, [&](auto part, std::int64_t& out) {
      return __builtin_sub_overflow(a[row].*part, b[row].*part, &out);
    });
  });
}

void negate_intervals(const Call& call) {
  Cells<Interval> a(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    set_interval(call, row, [&](auto part, std::int64_t& out) {
      return __builtin_sub_overflow(std::int64_t{0}, a[row].*part, &out);
    });
  });
}

void multiply_intervals(const Call& call, std::size_t interval, std::size_t number) {
  Cells<Interval> a(call.arguments[interval]);
  Cells<std::int64_t> times(call.arguments[number]);
  for_known_rows(call, [&](std::uint32_t row) {
    std::int64_t ms = 0;
    bool is_plain = (a[row].months | a[row].days) == 0;
    if (is_plain && !__builtin_mul_overflow(a[row].ms, times[row], &ms)) {
      return call.out().set_interval(row, {0, 0, ms});
    }
    set_interval(call, row, [&](auto part, std::int64_t& out) {
      return __builtin_mul_overflow(a[row].*part, times[row], &out);
    });
  });
}

}  // namespace

Kernel arithmetic_kernel(const plan::BoundExpression& call) {
  const std::string& name = call.function;
  std::size_t count = call.arguments.size();
  if (count == 0 || count > 2) return {};
  auto are = [&](Type::Kind first, Type::Kind last) {
    const Type &a = call.arguments.front().type, &b = call.arguments.back().type;
    return a == Type(first) && b == Type(last);
  };
  if (are(Type::bigint, Type::bigint)) return integer_kernel(name, count);
  if (are(Type::double_precision, Type::double_precision))
    return count == 1 ? real_kernel(name) : two_reals_kernel(name);
  if (are(Type::interval, Type::interval)) {
    if (name == "negate") return negate_intervals;
    if (name == "+") return add_intervals;
    if (name == "-") return subtract_intervals;
  }
  if (name != "*") return {};
  if (are(Type::interval, Type::bigint))
    return [](const Call& each) { multiply_intervals(each, 0, 1); };
  if (are(Type::bigint, Type::interval))
    return [](const Call& each) { multiply_intervals(each, 1, 0); };
  return {};
}

}  // namespace leat::expression
