// Arithmetic of times, date_trunc, extract, date_part.
#include "expression/optimize.h"

#include <cmath>

#include "expression/decimal_math.h"
#include "expression/kernel.h"
#include "expression/time_parts.h"

namespace leat::expression {

using column::CivilDate;
using column::day_ms;
using column::Int128;
using column::Interval;
using column::Type;
using std::int64_t;

namespace {

const auto time_error = [](auto...) { return std::string("timestamp out of range"); };
const auto date_error = [](auto...) { return std::string("date out of range"); };

Checked<int64_t> checked_time(int64_t ms) {
  bool good = column::timestamp_min.ms <= ms && ms <= column::timestamp_max.ms;
  return {ms, good ? 0u : 1u};
}

// ---- Sums --------------------------------------------------------------------------------------

// Moves a day by months; where the month is too short it becomes its last day.
Checked<int64_t> add_months(int64_t day, int64_t months) {
  constexpr int64_t months_max = 10'000 * 12;
  CivilDate date = column::date_of(day);
  int64_t month = int64_t{date.year} * 12 + date.month - 1;
  if (__builtin_add_overflow(month, months, &month) || month < 0 || month >= months_max) {
    return {0, 1};
  }
  date.year = static_cast<int>(month / 12);
  date.month = static_cast<int>(month % 12) + 1;
  date.day = std::min(date.day, column::days_in_month(date.year, date.month));
  return {column::days_of(date), 0};
}

// Months first, then days, then the rest. The sum after the months must be a time too.
Checked<int64_t> add_interval(int64_t time, const Interval& interval, int sign) {
  constexpr int64_t plain_max = int64_t{1} << 62;
  bool is_plain = (interval.months | interval.days) == 0;
  if (is_plain && -plain_max < interval.ms && interval.ms < plain_max) {
    // What stands under a NULL may be any number.
    auto sum = static_cast<std::uint64_t>(time) + static_cast<std::uint64_t>(interval.ms * sign);
    return checked_time(static_cast<int64_t>(sum));
  }
  int64_t ms = time;
  if (interval.months != 0) {
    DayTime moment(time);
    int64_t months = 0;
    if (__builtin_mul_overflow(interval.months, int64_t{sign}, &months)) return {0, 1};
    auto day = add_months(moment.day, months);
    if (day.bad != 0) return day;
    ms = day.value * day_ms + moment.of_day;
  }
  Int128 sum = ms + (Int128{interval.days} * day_ms + interval.ms) * sign;
  bool good = column::timestamp_min.ms <= sum && sum <= column::timestamp_max.ms;
  return {static_cast<int64_t>(sum), good ? 0u : 1u};
}

void add_to_time(const Call& call) {
  auto add = [](int64_t time, const Interval& interval) { return add_interval(time, interval, 1); };
  map_checked<int64_t, int64_t, Interval>(call, add, time_error);
}

void add_time(const Call& call) {
  auto add = [](const Interval& interval, int64_t time) { return add_interval(time, interval, 1); };
  map_checked<int64_t, Interval, int64_t>(call, add, time_error);
}

void subtract_from_time(const Call& call) {
  auto subtract = [](int64_t time, const Interval& interval) {
    return add_interval(time, interval, -1);
  };
  map_checked<int64_t, int64_t, Interval>(call, subtract, time_error);
}

void subtract_times(const Call& call) {
  Cells<int64_t> a(call.arguments[0]), b(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    int64_t ms = a[row] - b[row];
    call.out().set_interval(row, {0, ms / day_ms, ms % day_ms});
  });
}

Checked<int64_t> add_days(int64_t date, int64_t days) {
  int64_t sum = 0;
  bool bad = __builtin_add_overflow(date, days, &sum) || sum < column::date_min.days ||
             sum > column::date_max.days;
  return {sum, bad};
}

void add_to_date(const Call& call) {  // in either order
  map_checked<int64_t, int64_t, int64_t>(call, add_days, date_error);
}

void subtract_from_date(const Call& call) {
  auto subtract = [](int64_t date, int64_t days) {
    int64_t difference = 0;
    bool bad = __builtin_sub_overflow(date, days, &difference) ||
               difference < column::date_min.days || difference > column::date_max.days;
    return Checked<int64_t>{difference, bad};
  };
  map_checked<int64_t, int64_t, int64_t>(call, subtract, date_error);
}

void subtract_dates(const Call& call) {
  map<int64_t, int64_t, int64_t>(call, [](int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  });
}

void to_timestamp(const Call& call) {
  auto convert = [](double seconds) {
    double ms = std::rint(seconds * 1000);
    bool near = std::fabs(ms) <= 1e15;
    auto time = checked_time(near ? static_cast<int64_t>(ms) : 0);
    return Checked<int64_t>{time.value, near ? time.bad : 1u};
  };
  map_checked<int64_t, double>(call, convert, time_error);
}

Kernel sum_kernel(const plan::BoundExpression& call) {
  auto are = [&](Type::Kind a, Type::Kind b) {
    return call.arguments[0].type == Type(a) && call.arguments[1].type == Type(b);
  };
  if (call.arguments.size() != 2) return {};
  if (call.function == "+") {
    if (are(Type::timestamp, Type::interval)) return add_to_time;
    if (are(Type::interval, Type::timestamp)) return add_time;
    if (are(Type::date, Type::bigint) || are(Type::bigint, Type::date)) return add_to_date;
    return {};
  }
  if (are(Type::timestamp, Type::interval)) return subtract_from_time;
  if (are(Type::timestamp, Type::timestamp)) return subtract_times;
  if (are(Type::date, Type::bigint)) return subtract_from_date;
  if (are(Type::date, Type::date)) return subtract_dates;
  return {};
}

// ---- date_trunc --------------------------------------------------------------------------------

template <class F>
Kernel truncation(F f) {
  return [f](const Call& call) {
    std::uint64_t bad = 0;
    Cells<int64_t> times(call.arguments[1]);
    int64_t* out = cells_of<int64_t>(call.out());
    for_known_rows(call, [&](std::uint32_t row) {
      Checked<int64_t> begin = f(times[row]);
      out[row] = begin.value;
      bad |= begin.bad;
    });
    if (bad == 0) return;
    for_known_rows(call, [&](std::uint32_t row) {
      if (f(times[row]).bad != 0) call.errors.add(row, time_error());
    });
  };
}

template <int64_t ms>
Kernel to_multiple() {
  return truncation([](int64_t time) { return Checked<int64_t>{floor_divide(time, ms) * ms, 0}; });
}

// The begin of a year and month that hang on those of the time.
template <class F>
Kernel to_month(F f) {
  return truncation([f](int64_t time) {
    CivilDate date = f(column::date_of(column::day_of(time)));
    return checked_time(column::days_of(date) * day_ms);
  });
}

Kernel trunc_kernel(std::string_view unit) {
  if (unit == "millisecond") return to_multiple<1>();
  if (unit == "second") return to_multiple<1000>();
  if (unit == "minute") return to_multiple<60'000>();
  if (unit == "hour") return to_multiple<3'600'000>();
  if (unit == "day") return to_multiple<day_ms>();
  if (unit == "week") {
    return truncation([](int64_t time) {
      int64_t day = column::day_of(time);
      return checked_time((day - iso_weekday(day) + 1) * day_ms);
    });
  }
  if (unit == "month")
    return to_month([](const CivilDate& date) { return CivilDate{date.year, date.month, 1}; });
  if (unit == "quarter") {
    return to_month([](const CivilDate& date) {
      return CivilDate{date.year, (date.month - 1) / 3 * 3 + 1, 1};
    });
  }
  if (unit == "year")
    return to_month([](const CivilDate& date) { return CivilDate{date.year, 1, 1}; });
  if (unit == "decade")
    return to_month([](const CivilDate& date) { return CivilDate{date.year / 10 * 10, 1, 1}; });
  ASSERT(unit == "century");  // begins with its year 1
  return to_month([](const CivilDate& date) {
    return CivilDate{static_cast<int>(floor_divide(date.year - 1, 100)) * 100 + 1, 1, 1};
  });
}

// ---- Parts -------------------------------------------------------------------------------------

/// Calls `use` with a function from a time to one of its parts that is a whole number.
template <class Use>
Kernel with_whole_part(std::string_view unit, Use use) {
  auto of_date = [&](auto f) {
    return use([f](int64_t time) -> int64_t { return f(column::date_of(column::day_of(time))); });
  };
  auto of_day = [&](auto f) {
    return use([f](int64_t time) -> int64_t { return f(column::day_of(time)); });
  };
  if (unit == "year") return of_date([](const CivilDate& date) { return date.year; });
  if (unit == "quarter") return of_date([](const CivilDate& d) { return (d.month - 1) / 3 + 1; });
  if (unit == "month") return of_date([](const CivilDate& date) { return date.month; });
  if (unit == "day") return of_date([](const CivilDate& date) { return date.day; });
  if (unit == "decade") return of_date([](const CivilDate& date) { return date.year / 10; });
  if (unit == "century")
    return of_date([](const CivilDate& date) { return floor_divide(date.year - 1, 100) + 1; });
  if (unit == "week") return of_day([](int64_t day) { return IsoWeek(day).week; });
  if (unit == "isoyear") return of_day([](int64_t day) { return IsoWeek(day).year; });
  if (unit == "dow") return of_day([](int64_t day) { return iso_weekday(day) % 7; });
  if (unit == "isodow") return of_day(iso_weekday);
  if (unit == "doy") return of_day(day_of_year);
  if (unit == "hour") return use([](int64_t time) { return DayTime(time).of_day / 3'600'000; });
  ASSERT(unit == "minute");
  return use([](int64_t time) { return DayTime(time).of_day / 60'000 % 60; });
}

bool has_fraction(std::string_view unit) {
  return unit == "second" || unit == "milliseconds" || unit == "epoch";
}

// `second`, `milliseconds` or `epoch`, in thousandths.
template <class Use>
Kernel with_thousandths(std::string_view unit, Use use) {
  if (unit == "epoch") return use([](int64_t time) { return time; });
  if (unit == "second") return use([](int64_t time) { return DayTime(time).of_day % 60'000; });
  ASSERT(unit == "milliseconds");
  return use([](int64_t time) { return DayTime(time).of_day % 60'000 * 1000; });
}

// result = f(the second argument); the first is the unit.
template <class R, class A, class F>
Kernel of_second(F f) {
  return [f](const Call& call) {
    map<R, A>({call.arguments.subspan(1), call.rows, call.result, call.errors, call.now_ms}, f);
  };
}

int64_t whole_part(std::string_view unit, const Interval& interval) {
  if (unit == "year") return interval.months / 12;
  if (unit == "month") return interval.months % 12;
  if (unit == "day") return interval.days;
  if (unit == "hour") return interval.ms / 3'600'000;
  ASSERT(unit == "minute");
  return interval.ms / 60'000 % 60;
}

// A year has 365.25 days and a month 30.
Int128 thousandths_of(std::string_view unit, const Interval& interval) {
  if (unit == "second") return interval.ms % 60'000;
  if (unit == "milliseconds") return Int128{interval.ms % 60'000} * 1000;
  Int128 days = Int128{interval.months % 12} * 30 + interval.days;
  return Int128{interval.months / 12} * 31'557'600'000 + days * day_ms + interval.ms;
}

void extract_thousandths(const Call& call, const std::string& unit, const Type& type) {
  Cells<Interval> intervals(call.arguments[1]);
  DigitLimit limit(type);
  for_known_rows(call, [&](std::uint32_t row) {
    auto value = limit.check(thousandths_of(unit, intervals[row]));
    if (value.bad != 0)
      call.errors.add(row, out_of_range_of(type));
    else
      call.out().set_decimal(row, value.value);
  });
}

Kernel extract_kernel(const plan::BoundExpression& call, const std::string& unit) {
  bool of_time = call.arguments[1].type.kind == Type::timestamp;
  if (of_time && !has_fraction(unit))
    return with_whole_part(unit, [](auto f) { return of_second<int64_t, int64_t>(f); });
  if (of_time) {  // none has as many digits as its type
    return with_thousandths(unit, [](auto f) {
      return of_second<Int128, int64_t>([f](int64_t time) { return Int128{f(time)}; });
    });
  }
  if (!has_fraction(unit)) {
    return of_second<int64_t, Interval>(
        [unit](const Interval& interval) { return whole_part(unit, interval); });
  }
  return [unit, type = call.type](const Call& each) { extract_thousandths(each, unit, type); };
}

Kernel date_part_kernel(const std::string& unit) {
  if (!has_fraction(unit)) {
    return with_whole_part(unit, [](auto f) {
      return of_second<double, int64_t>([f](int64_t time) { return static_cast<double>(f(time)); });
    });
  }
  return with_thousandths(unit, [](auto f) {
    return of_second<double, int64_t>(
        [f](int64_t time) { return static_cast<double>(f(time)) / 1000; });
  });
}

}  // namespace

Kernel time_kernel(const plan::BoundExpression& call) {
  const std::string& name = call.function;
  if (name == "+" || name == "-") return sum_kernel(call);
  if (name == "to_timestamp" && call.arguments.size() == 1) return to_timestamp;
  if (name == "now") return [](const Call& each) { each.out().set_integer(0, each.now_ms); };
  if (name != "date_trunc" && name != "extract" && name != "date_part") return {};
  const auto& unit = std::get<std::string>(call.arguments[0].literal);
  if (name == "date_trunc") return trunc_kernel(unit);
  return name == "extract" ? extract_kernel(call, unit) : date_part_kernel(unit);
}

}  // namespace leat::expression
