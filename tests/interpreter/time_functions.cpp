#include <array>
#include <cctype>
#include <chrono>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/assert.h"
#include "interpreter/calendar.h"
#include "interpreter/decimal_number.h"
#include "interpreter/evaluate.h"
#include "plan/literal_words.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

Value trunc(const std::string& unit, Timestamp time) {
  auto to_multiple = [&](std::int64_t ms) { return Timestamp{floor_divide(time.ms, ms) * ms}; };
  Civil civil = civil_of(time);
  if (unit == "millisecond") return time;
  if (unit == "second") return to_multiple(1000);
  if (unit == "minute") return to_multiple(60'000);
  if (unit == "hour") return to_multiple(3'600'000);
  if (unit == "day") return to_multiple(day_ms);
  if (unit == "week") {
    return checked_timestamp(Int128{to_multiple(day_ms).ms} - (iso_weekday_of(time) - 1) * day_ms);
  }
  if (unit == "month") return timestamp_of(Civil{civil.year, civil.month});
  if (unit == "quarter") return timestamp_of(Civil{civil.year, (civil.month - 1) / 3 * 3 + 1});
  if (unit == "year") return timestamp_of(Civil{civil.year});
  if (unit == "decade") return timestamp_of(Civil{floor_divide(civil.year, 10) * 10});
  ASSERT(unit == "century");  // begins with its year 1
  return timestamp_of(Civil{floor_divide(civil.year - 1, 100) * 100 + 1});
}

// The last of the times before, or the time itself, that is a number of strides from the origin.
Value bin(const Interval& stride, Timestamp time, Timestamp origin) {
  constexpr auto ms_max = std::numeric_limits<std::int64_t>::max();
  if (stride.months != 0) {
    throw BadValue{"timestamps cannot be binned into intervals containing months or years"};
  }
  Int128 ms = Int128{stride.days} * day_ms + stride.ms;
  if (ms > ms_max || ms < -Int128{ms_max} - 1) throw BadValue{"interval out of range"};
  if (ms <= 0) throw BadValue{"stride must be greater than zero"};
  Int128 strides = (Int128{time.ms} - origin.ms) / ms;
  if (origin.ms + strides * ms > time.ms) --strides;
  return checked_timestamp(origin.ms + strides * ms);
}

// One of the words `unit` of plan/literal_words.h.
std::int64_t whole_part(const std::string& unit, Timestamp time) {
  Civil civil = civil_of(time);
  if (unit == "year") return civil.year;
  if (unit == "quarter") return (civil.month - 1) / 3 + 1;
  if (unit == "month") return civil.month;
  if (unit == "week") return iso_week_of(time).week;
  if (unit == "isoyear") return iso_week_of(time).year;
  if (unit == "day") return civil.day;
  if (unit == "hour") return civil.ms / 3'600'000;
  if (unit == "minute") return civil.ms / 60'000 % 60;
  if (unit == "dow") return iso_weekday_of(time) % 7;
  if (unit == "isodow") return iso_weekday_of(time);
  if (unit == "doy") return day_of_year(time);
  if (unit == "decade") return floor_divide(civil.year, 10);
  ASSERT(unit == "century");
  return floor_divide(civil.year - 1, 100) + 1;
}

std::int64_t whole_part(const std::string& unit, const Interval& interval) {
  if (unit == "year") return interval.months / 12;
  if (unit == "month") return interval.months % 12;
  if (unit == "day") return interval.days;
  if (unit == "hour") return interval.ms / 3'600'000;
  ASSERT(unit == "minute");
  return interval.ms / 60'000 % 60;
}

// `second`, `milliseconds` or `epoch`, in thousandths.
Int128 part(const std::string& unit, Int128 ms_of_minute, Int128 epoch_ms) {
  if (unit == "epoch") return epoch_ms;
  return unit == "second" ? ms_of_minute : ms_of_minute * 1000;
}

bool has_fraction(const std::string& unit) {
  return unit == "second" || unit == "milliseconds" || unit == "epoch";
}

Int128 thousandths_of(const std::string& unit, Timestamp time) {
  return part(unit, civil_of(time).ms % 60'000, time.ms);
}

// A year has 365.25 days and a month 30.
Int128 thousandths_of(const std::string& unit, const Interval& interval) {
  Int128 days = Int128{interval.months % 12} * 30 + interval.days;
  Int128 epoch = Int128{interval.months / 12} * 31'557'600'000 + days * day_ms + interval.ms;
  return part(unit, interval.ms % 60'000, epoch);
}

Value extract(const Call& call) {
  const std::string& unit = call.text(0);
  const auto* time = std::get_if<Timestamp>(&call.arguments[1]);
  if (!has_fraction(unit)) {
    return time != nullptr ? whole_part(unit, *time)
                           : whole_part(unit, std::get<Interval>(call.arguments[1]));
  }
  Int128 thousandths = time != nullptr
                           ? thousandths_of(unit, *time)
                           : thousandths_of(unit, std::get<Interval>(call.arguments[1]));
  return decimal_value(Big(thousandths), 3, call.result());
}

Value date_part(const std::string& unit, Timestamp time) {
  if (!has_fraction(unit)) return static_cast<double>(whole_part(unit, time));
  return static_cast<double>(thousandths_of(unit, time)) / 1000;
}

std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  return text;
}

std::string in_small_letters(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

std::string fill_pattern(const std::string& pattern, Timestamp time) {
  constexpr std::array<const char*, 12> months{"January",   "February", "March",    "April",
                                               "May",       "June",     "July",     "August",
                                               "September", "October",  "November", "December"};
  constexpr std::array<const char*, 7> days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};
  Civil civil = civil_of(time);
  std::int64_t hour = civil.ms / 3'600'000;
  std::string month = months[civil.month - 1], day = days[iso_weekday_of(time) - 1];
  if (pattern == "YYYY") return fmt::format("{:04}", civil.year);
  if (pattern == "YY") return fmt::format("{:02}", civil.year % 100);
  if (pattern == "IYYY") return fmt::format("{:04}", iso_week_of(time).year);
  if (pattern == "Q") return fmt::format("{}", (civil.month - 1) / 3 + 1);
  if (pattern == "MM") return fmt::format("{:02}", civil.month);
  if (pattern == "Mon") return month.substr(0, 3);
  if (pattern == "MON") return in_capitals(month.substr(0, 3));
  if (pattern == "mon") return in_small_letters(month.substr(0, 3));
  if (pattern == "Month") return fmt::format("{:9}", month);
  if (pattern == "MONTH") return in_capitals(fmt::format("{:9}", month));
  if (pattern == "month") return in_small_letters(fmt::format("{:9}", month));
  if (pattern == "DD") return fmt::format("{:02}", civil.day);
  if (pattern == "DDD") return fmt::format("{:03}", day_of_year(time));
  if (pattern == "IDDD") {
    auto monday = (iso_week_of(time).week - 1) * 7;
    return fmt::format("{:03}", monday + iso_weekday_of(time));
  }
  if (pattern == "Dy") return day.substr(0, 3);
  if (pattern == "DY") return in_capitals(day.substr(0, 3));
  if (pattern == "dy") return in_small_letters(day.substr(0, 3));
  if (pattern == "Day") return fmt::format("{:9}", day);
  if (pattern == "DAY") return in_capitals(fmt::format("{:9}", day));
  if (pattern == "day") return in_small_letters(fmt::format("{:9}", day));
  if (pattern == "ID") return fmt::format("{}", iso_weekday_of(time));
  if (pattern == "IW") return fmt::format("{:02}", iso_week_of(time).week);
  if (pattern == "HH24") return fmt::format("{:02}", hour);
  if (pattern == "HH12") return fmt::format("{:02}", (hour + 11) % 12 + 1);
  if (pattern == "MI") return fmt::format("{:02}", civil.ms / 60'000 % 60);
  if (pattern == "SS") return fmt::format("{:02}", civil.ms / 1000 % 60);
  if (pattern == "SSSS") return fmt::format("{}", civil.ms / 1000);
  if (pattern == "MS") return fmt::format("{:03}", civil.ms % 1000);
  if (pattern == "US") return fmt::format("{:03}000", civil.ms % 1000);
  if (pattern == "am" || pattern == "pm") return hour < 12 ? "am" : "pm";
  ASSERT(pattern == "AM" || pattern == "PM");
  return hour < 12 ? "AM" : "PM";
}

// FM takes the zeros and blanks that fill a part up, but not those of thousandths.
std::string shortened_part(std::string text, const std::string& pattern) {
  if (pattern == "MS" || pattern == "US") return text;
  if (auto end = text.find_last_not_of(' '); end != text.npos) text.erase(end + 1);
  std::string sign = text[0] == '-' ? "-" : "";
  text.erase(0, sign.size());
  text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
  return sign + text;
}

std::string to_char(Timestamp time, const std::string& format) {
  std::string text;
  auto parts = split_template(format);
  for (const auto& part : *parts) {
    std::string filled = part.pattern ? fill_pattern(part.text, time) : part.text;
    text += part.is_short ? shortened_part(filled, part.text) : filled;
  }
  return text;
}

Timestamp to_timestamp(double seconds) {
  double ms = std::rint(seconds * 1000);
  if (std::fabs(ms) > 1e15) throw BadValue{"timestamp out of range"};
  return checked_timestamp(static_cast<std::int64_t>(ms));
}

// Months first, where the day is cut to the month's last, then days, then the rest.
Timestamp add(Timestamp time, const Interval& interval, int sign) {
  Civil civil = civil_of(time);
  Int128 months = Int128{civil.year} * 12 + (civil.month - 1) + Int128{interval.months} * sign;
  if (months < 0 || months >= 120'000) throw BadValue{"timestamp out of range"};
  civil.year = static_cast<std::int64_t>(months / 12);
  civil.month = static_cast<unsigned>(months % 12) + 1;
  auto last = std::chrono::year(static_cast<int>(civil.year)) / std::chrono::month(civil.month) /
              std::chrono::last;
  civil.day =
      std::min(civil.day, static_cast<unsigned>(std::chrono::year_month_day_last(last).day()));
  Int128 ms = timestamp_of(civil).ms;
  return checked_timestamp(ms + Int128{interval.days} * day_ms * sign + Int128{interval.ms} * sign);
}

Date add_days(Date date, Int128 days) {
  Int128 sum = date.days + days;
  if (sum < date_min.days || sum > date_max.days) throw BadValue{"date out of range"};
  return {static_cast<std::int64_t>(sum)};
}

// + and - with a time on one side.
std::optional<Value> add_times(const std::string& name, const Value& a, const Value& b) {
  const auto* time = std::get_if<Timestamp>(&a);
  const auto* date = std::get_if<Date>(&a);
  if (name == "+") {
    if (time != nullptr) return add(*time, std::get<Interval>(b), 1);
    if (date != nullptr) return add_days(*date, std::get<std::int64_t>(b));
    if (std::holds_alternative<Timestamp>(b) || std::holds_alternative<Date>(b)) {
      return add_times("+", b, a);
    }
  }
  if (name == "-" && time != nullptr) {
    const auto* other = std::get_if<Timestamp>(&b);
    if (other == nullptr) return add(*time, std::get<Interval>(b), -1);
    std::int64_t ms = time->ms - other->ms;
    return Interval{0, ms / day_ms, ms % day_ms};
  }
  if (name == "-" && date != nullptr) {
    const auto* other = std::get_if<Date>(&b);
    if (other == nullptr) return add_days(*date, -Int128{std::get<std::int64_t>(b)});
    return date->days - other->days;
  }
  return {};
}

}  // namespace

std::optional<Value> time_function(const Call& call) {
  const std::string& name = call.expression.function;
  auto time = [&](std::size_t i) { return std::get<Timestamp>(call.arguments[i]); };
  if (name == "now") return Timestamp{call.now_ms};
  if (name == "date_trunc") return trunc(call.text(0), time(1));
  if (name == "date_bin") return bin(std::get<Interval>(call.arguments[0]), time(1), time(2));
  if (name == "extract") return extract(call);
  if (name == "date_part") return date_part(call.text(0), time(1));
  if (name == "to_char") return to_char(time(0), call.text(1));
  if (name == "to_timestamp") return to_timestamp(call.real(0));
  if (name == "+" || name == "-") return add_times(name, call.arguments[0], call.arguments[1]);
  return {};
}

}  // namespace leat::interpreter
