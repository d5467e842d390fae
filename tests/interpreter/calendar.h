// Times as people write them, in UTC.
#pragma once

#include <chrono>
#include <cstdint>

#include "plan/expression.h"

namespace leat::interpreter {

/// A moment taken apart.
struct Civil {
  std::int64_t year = 0;
  unsigned month = 1;
  unsigned day = 1;
  std::int64_t ms = 0;  // since midnight
};

Civil civil_of(plan::Timestamp time);
/// Throws BadValue beyond the years 0000 to 9999.
plan::Timestamp timestamp_of(const Civil& civil);
/// The same, of a number of milliseconds.
plan::Timestamp checked_timestamp(plan::Int128 ms);

/// The week of ISO 8601: it begins on Monday, and belongs to the year that has its Thursday.
struct IsoWeek {
  std::int64_t year;
  unsigned week;
};
IsoWeek iso_week_of(plan::Timestamp time);
/// Monday is 1, Sunday 7.
unsigned iso_weekday_of(plan::Timestamp time);
unsigned day_of_year(plan::Timestamp time);

std::int64_t floor_divide(std::int64_t a, std::int64_t b);

}  // namespace leat::interpreter
