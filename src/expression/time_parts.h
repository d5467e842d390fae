// What people call the parts of a moment, in UTC.
#pragma once

#include <cstdint>

#include "column/calendar.h"

namespace leat::expression {

/// A moment as a day and what is left of it.
struct DayTime {
  explicit DayTime(std::int64_t ms) : day(column::day_of(ms)), of_day(ms - day * column::day_ms) {}
  std::int64_t day;
  std::int64_t of_day;  // ms
};

/// Monday is 1, Sunday 7.
constexpr std::int64_t iso_weekday(std::int64_t day) {
  std::int64_t from_monday = (day + 3) % 7;  // 1970 began on a Thursday
  return (from_monday < 0 ? from_monday + 7 : from_monday) + 1;
}

/// 1 for the first of January.
constexpr std::int64_t day_of_year(std::int64_t day) {
  return day - column::days_of({column::date_of(day).year, 1, 1}) + 1;
}

/// The week of ISO 8601 begins on Monday, and belongs to the year that has its Thursday.
struct IsoWeek {
  constexpr explicit IsoWeek(std::int64_t day) {
    std::int64_t thursday = day + 4 - iso_weekday(day);
    year = column::date_of(thursday).year;
    week = (thursday - column::days_of({static_cast<int>(year), 1, 1})) / 7 + 1;
  }
  std::int64_t year = 0;
  std::int64_t week = 0;
};

constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  std::int64_t quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

}  // namespace leat::expression
