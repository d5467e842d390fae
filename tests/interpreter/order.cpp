#include "interpreter/order.h"

#include "base/assert.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

Int128 comparable_ms(const Interval& interval) {
  return (Int128{interval.months} * 30 + interval.days) * 86'400'000 + interval.ms;
}

int compare(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return order(a.is_null(), b.is_null());
  ASSERT(a.index() == b.index());
  if (const auto* x = std::get_if<bool>(&a)) return order(*x, std::get<bool>(b));
  if (const auto* x = std::get_if<std::int64_t>(&a)) return order(*x, std::get<std::int64_t>(b));
  if (const auto* x = std::get_if<double>(&a)) return order(*x, std::get<double>(b));
  if (const auto* x = std::get_if<std::string>(&a)) return order(*x, std::get<std::string>(b));
  if (const auto* x = std::get_if<Timestamp>(&a)) return order(*x, std::get<Timestamp>(b));
  if (const auto* x = std::get_if<Date>(&a)) return order(*x, std::get<Date>(b));
  if (const auto* x = std::get_if<Interval>(&a)) {
    return order(comparable_ms(*x), comparable_ms(std::get<Interval>(b)));
  }
  const auto& x = std::get<Decimal>(a);
  const auto& y = std::get<Decimal>(b);
  ASSERT(x.scale == y.scale);
  return order(x.units, y.units);
}

bool ValuesLess::operator()(const Values& a, const Values& b) const {
  ASSERT(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (int found = compare(a[i], b[i]); found != 0) return found < 0;
  }
  return false;
}

}  // namespace leat::interpreter
