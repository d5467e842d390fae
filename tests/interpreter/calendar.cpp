#include "interpreter/calendar.h"

#include "interpreter/evaluate.h"

namespace leat::interpreter {

using namespace leat::plan;
using namespace std::chrono;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

std::int64_t days_of(Timestamp time) {
  return floor_divide(time.ms, day_ms);
}

std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) {
  return sys_days(std::chrono::year(static_cast<int>(year)) / std::chrono::month(month) /
                  std::chrono::day(day))
      .time_since_epoch()
      .count();
}

}  // namespace

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  std::int64_t quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

Civil civil_of(Timestamp time) {
  std::int64_t count = days_of(time);
  year_month_day date{sys_days(days(count))};
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()), time.ms - count * day_ms};
}

Timestamp checked_timestamp(Int128 ms) {
  if (ms < column::timestamp_min.ms || ms > column::timestamp_max.ms) {
    throw BadValue{"timestamp out of range"};
  }
  return {static_cast<std::int64_t>(ms)};
}

Timestamp timestamp_of(const Civil& civil) {
  if (civil.year < 0 || civil.year > 9999) throw BadValue{"timestamp out of range"};
  Int128 days = days_of(civil.year, civil.month, civil.day);
  return checked_timestamp(days * day_ms + civil.ms);
}

unsigned iso_weekday_of(Timestamp time) {
  return weekday(sys_days(days(days_of(time)))).iso_encoding();
}

unsigned day_of_year(Timestamp time) {
  return static_cast<unsigned>(days_of(time) - days_of(civil_of(time).year, 1, 1)) + 1;
}

IsoWeek iso_week_of(Timestamp time) {
  std::int64_t thursday = days_of(time) + 4 - iso_weekday_of(time);
  std::int64_t year = static_cast<int>(year_month_day{sys_days(days(thursday))}.year());
  return {year, static_cast<unsigned>((thursday - days_of(year, 1, 1)) / 7) + 1};
}

}  // namespace leat::interpreter
