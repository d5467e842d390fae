// What cells of one type are compared by.
#pragma once

#include "column/value.h"

namespace leat::expression {

template <class T>
const T& comparable(const T& cell) {
  return cell;
}

/// Months have 30 days and days 24 hours.
inline column::Int128 comparable(const column::Interval& interval) {
  constexpr std::int64_t day_ms = 86'400'000;
  return (column::Int128{interval.months} * 30 + interval.days) * day_ms + interval.ms;
}

}  // namespace leat::expression
