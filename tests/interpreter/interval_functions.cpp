#include "interpreter/interval_functions.h"

#include <chrono>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "interpreter/calendar.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

bool is_whole(Int128 value) {
  return value >= std::numeric_limits<std::int64_t>::min() &&
         value <= std::numeric_limits<std::int64_t>::max();
}

std::int64_t days_in(const Civil& civil) {
  auto last = std::chrono::year(static_cast<int>(civil.year)) / std::chrono::month(civil.month) /
              std::chrono::last;
  return static_cast<unsigned>(std::chrono::year_month_day_last(last).day());
}

// Field by field, with what is missing taken from the next larger one.
Interval age(Timestamp time, Timestamp since) {
  if (time < since) {
    Interval other = age(since, time);
    return {-other.months, -other.days, -other.ms};
  }
  Civil end = civil_of(time), begin = civil_of(since);
  std::int64_t years = end.year - begin.year;
  std::int64_t months = std::int64_t{end.month} - begin.month;
  std::int64_t days = std::int64_t{end.day} - begin.day;
  std::int64_t ms = end.ms - begin.ms;
  if (ms < 0) ms += day_ms, --days;
  if (days < 0) days += days_in(begin), --months;
  if (months < 0) months += 12, --years;
  return {years * 12 + months, days, ms};
}

/// Numbers of one unit each, the largest first.
struct Moved {
  Int128 months, days, ms;
};

void move_up(Int128& large, Int128& small, std::int64_t size) {
  large += small / size;
  small %= size;
}

// Makes what is left have the sign of what is larger.
void align(Int128& large, Int128& small, std::int64_t size) {
  if (large > 0 && small < 0) small += size, --large;
  if (large < 0 && small > 0) small -= size, ++large;
}

Value justify(const std::string& name, const Interval& given) {
  Moved all{given.months, given.days, given.ms};
  if (name != "justify_days") move_up(all.days, all.ms, day_ms);
  if (name == "justify_hours") align(all.days, all.ms, day_ms);
  if (name != "justify_hours") {
    move_up(all.months, all.days, 30);
    bool rest_is_negative =
        all.days < 0 || (name == "justify_interval" && all.days == 0 && all.ms < 0);
    bool rest_is_positive =
        all.days > 0 || (name == "justify_interval" && all.days == 0 && all.ms > 0);
    if (all.months > 0 && rest_is_negative)
      all.days += 30, --all.months;
    else if (all.months < 0 && rest_is_positive)
      all.days -= 30, ++all.months;
  }
  if (name == "justify_interval") align(all.days, all.ms, day_ms);
  if (!is_whole(all.months) || !is_whole(all.days)) {
    throw BadValue{fmt::format("{}: {} months, {} days and {} ms are out of range", name,
                               given.months, given.days, given.ms)};
  }
  return Interval{static_cast<std::int64_t>(all.months), static_cast<std::int64_t>(all.days),
                  static_cast<std::int64_t>(all.ms)};
}

Interval make_interval(const Call& call) {
  auto part = [&](std::size_t i) { return call.has(i) ? call.integer(i) : 0; };
  double seconds = call.has(6) ? call.real(6) : 0;
  Int128 months = Int128{part(0)} * 12 + part(1);
  if (!is_whole(months)) {
    throw BadValue{
        fmt::format("make_interval: {} years and {} months are out of range", part(0), part(1))};
  }
  Int128 days = Int128{part(2)} * 7 + part(3);
  if (!is_whole(days)) {
    throw BadValue{
        fmt::format("make_interval: {} weeks and {} days are out of range", part(2), part(3))};
  }
  auto refuse = [&] {
    return BadValue{
        fmt::format("make_interval: {} hours, {} minutes and {} seconds are out of range", part(4),
                    part(5), seconds)};
  };
  double ms_of_seconds = std::rint(seconds * 1000);
  if (std::fabs(ms_of_seconds) > 1e30) throw refuse();
  Int128 ms =
      Int128{part(4)} * 3'600'000 + Int128{part(5)} * 60'000 + static_cast<Int128>(ms_of_seconds);
  if (!is_whole(ms)) throw refuse();
  return {static_cast<std::int64_t>(months), static_cast<std::int64_t>(days),
          static_cast<std::int64_t>(ms)};
}

}  // namespace

std::optional<Value> interval_function(const Call& call) {
  const std::string& name = call.expression.function;
  if (name == "age") {
    return age(std::get<Timestamp>(call.arguments[0]), std::get<Timestamp>(call.arguments[1]));
  }
  if (name.starts_with("justify_")) return justify(name, std::get<Interval>(call.arguments[0]));
  if (name == "make_interval") return make_interval(call);
  return {};
}

}  // namespace leat::interpreter
