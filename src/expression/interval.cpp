// Intervals between times, made of parts, and with parts that are full moved up.
#include "expression/optimize.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "expression/kernel.h"
#include "expression/time_parts.h"

namespace leat::expression {

using column::CivilDate;
using column::day_ms;
using column::Int128;
using column::Interval;
using std::int64_t;

namespace {

constexpr int64_t days_of_month = 30;

bool fits(Int128 value) {
  return value == static_cast<int64_t>(value);
}

// ---- age ---------------------------------------------------------------------------------------

// Years and months as a calendar counts them; the days that are left, in the earlier one's month.
Interval age(int64_t time, int64_t since) {
  DayTime later(std::max(time, since)), earlier(std::min(time, since));
  CivilDate end = column::date_of(later.day), begin = column::date_of(earlier.day);
  int64_t months = int64_t{end.year - begin.year} * 12 + end.month - begin.month;
  int64_t days = end.day - begin.day, ms = later.of_day - earlier.of_day;
  if (ms < 0) {
    ms += day_ms;
    --days;
  }
  if (days < 0) {
    days += column::days_in_month(begin.year, begin.month);
    --months;
  }
  int64_t sign = time < since ? -1 : 1;
  return {sign * months, sign * days, sign * ms};
}

void find_age(const Call& call) {
  Cells<int64_t> times(call.arguments[0]), since(call.arguments[1]);
  for_known_rows(
      call, [&](std::uint32_t row) { call.out().set_interval(row, age(times[row], since[row])); });
}

// ---- justify -----------------------------------------------------------------------------------

// Each says whether there is such an interval: all that is moved has one sign in the end.

bool justify_hours(Interval& interval) {
  Int128 ms = Int128{interval.days} * day_ms + interval.ms;
  interval.days = static_cast<int64_t>(ms / day_ms);
  interval.ms = static_cast<int64_t>(ms % day_ms);
  return fits(ms / day_ms);
}

bool justify_days(Interval& interval) {
  Int128 days = Int128{interval.months} * days_of_month + interval.days;
  interval.months = static_cast<int64_t>(days / days_of_month);
  interval.days = static_cast<int64_t>(days % days_of_month);
  return fits(days / days_of_month);
}

bool justify_interval(Interval& interval) {
  Int128 ms =
      (Int128{interval.months} * days_of_month + interval.days) * day_ms + Int128{interval.ms};
  Int128 days = ms / day_ms;
  interval.months = static_cast<int64_t>(days / days_of_month);
  interval.days = static_cast<int64_t>(days % days_of_month);
  interval.ms = static_cast<int64_t>(ms % day_ms);
  return fits(days / days_of_month);
}

Kernel justification(const std::string& name, bool (*justify)(Interval&)) {
  return [=](const Call& call) {
    Cells<Interval> intervals(call.arguments[0]);
    for_known_rows(call, [&](std::uint32_t row) {
      Interval interval = intervals[row];
      if (justify(interval)) return call.out().set_interval(row, interval);
      const Interval& given = intervals[row];
      call.errors.add(row, fmt::format("{}: {} months, {} days and {} ms are out of range", name,
                                       given.months, given.days, given.ms));
    });
  };
}

// ---- make_interval -----------------------------------------------------------------------------

/// The parts of one row; those that were left out are 0.
struct Parts {
  int64_t years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0;
  double seconds = 0;
};

// Why there is no such interval; empty if there is.
std::string make(const Parts& parts, Interval& made) {
  Int128 months = Int128{parts.years} * 12 + parts.months;
  if (!fits(months)) {
    return fmt::format("make_interval: {} years and {} months are out of range", parts.years,
                       parts.months);
  }
  Int128 days = Int128{parts.weeks} * 7 + parts.days;
  if (!fits(days)) {
    return fmt::format("make_interval: {} weeks and {} days are out of range", parts.weeks,
                       parts.days);
  }
  constexpr double ms_end = 0x1p100;
  double ms_of_seconds = std::rint(parts.seconds * 1000);
  bool is_near = std::fabs(ms_of_seconds) < ms_end;
  Int128 minutes = Int128{parts.hours} * 60 + parts.minutes;
  Int128 ms = minutes * 60'000 + static_cast<Int128>(is_near ? ms_of_seconds : ms_end);
  if (!fits(ms)) {
    return fmt::format("make_interval: {} hours, {} minutes and {} seconds are out of range",
                       parts.hours, parts.minutes, parts.seconds);
  }
  made = {static_cast<int64_t>(months), static_cast<int64_t>(days), static_cast<int64_t>(ms)};
  return {};
}

void make_interval(const Call& call) {
  constexpr int64_t Parts::*fields[] = {&Parts::years, &Parts::months, &Parts::weeks,
                                        &Parts::days,  &Parts::hours,  &Parts::minutes};
  std::size_t count = std::min(call.arguments.size(), std::size(fields));
  std::vector<Cells<int64_t>> wholes(call.arguments.begin(), call.arguments.begin() + count);
  std::optional<Cells<double>> seconds;
  if (call.arguments.size() > std::size(fields)) seconds.emplace(call.arguments.back());
  for_known_rows(call, [&](std::uint32_t row) {
    Parts parts;
    for (std::size_t i = 0; i < count; ++i) parts.*fields[i] = wholes[i][row];
    if (seconds) parts.seconds = (*seconds)[row];
    Interval made;
    auto why = make(parts, made);
    if (!why.empty()) return call.errors.add(row, std::move(why));
    call.out().set_interval(row, made);
  });
}

}  // namespace

Kernel interval_kernel(const plan::BoundExpression& call) {
  const std::string& name = call.function;
  if (name == "age") return find_age;
  if (name == "justify_hours") return justification(name, justify_hours);
  if (name == "justify_days") return justification(name, justify_days);
  if (name == "justify_interval") return justification(name, justify_interval);
  if (name == "make_interval") return make_interval;
  return {};
}

}  // namespace leat::expression
