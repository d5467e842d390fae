// Days as dates of the proleptic Gregorian calendar.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace leat::column {

inline constexpr std::int64_t day_ms = 86'400'000;

struct CivilDate {
  int year = 0;
  int month = 1;
  int day = 1;
};

/// Days since 1970-01-01. Counts in years that begin in March so that the leap day comes last.
constexpr std::int64_t days_of(const CivilDate& date) {
  int y = date.month <= 2 ? date.year - 1 : date.year;
  int era = (y >= 0 ? y : y - 399) / 400;
  int year_of_era = y - era * 400;
  int day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return std::int64_t{era} * 146'097 + day_of_era - 719'468;
}

constexpr CivilDate date_of(std::int64_t days) {
  days += 719'468;
  std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  int day_of_era = static_cast<int>(days - era * 146'097);
  int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int month_from_march = (5 * day_of_year + 2) / 153;
  int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  int year = static_cast<int>(era * 400) + year_of_era + (month <= 2 ? 1 : 0);
  return {year, month, day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

constexpr int days_in_month(int year, int month) {
  constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

/// The day that a moment is in.
constexpr std::int64_t day_of(std::int64_t ms) {
  return ms / day_ms - (ms % day_ms < 0 ? 1 : 0);
}

}  // namespace leat::column
