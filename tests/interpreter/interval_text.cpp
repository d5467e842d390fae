#include "interpreter/interval_text.h"

#include <cmath>
#include <map>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

namespace leat::interpreter {

using plan::Interval;

namespace {

// A sign is written before a positive part that follows a negative one.
void append_part(std::string& text, std::int64_t value, const std::string& unit, bool& negative) {
  if (value == 0) return;
  if (!text.empty()) text += ' ';
  if (negative && value > 0) text += '+';
  text += fmt::format("{} {}{}", value, unit, value == 1 ? "" : "s");
  negative = value < 0;
}

bool add_part(Interval& interval, const std::string& number, const std::string& unit) {
  static const std::map<std::string, std::int64_t> month_units{
      {"month", 1}, {"mon", 1}, {"year", 12}, {"yr", 12}};
  static const std::map<std::string, std::int64_t> day_units{{"day", 1}, {"week", 7}};
  static const std::map<std::string, std::int64_t> ms_units{
      {"millisecond", 1}, {"second", 1000},    {"sec", 1000},    {"minute", 60'000},
      {"min", 60'000},    {"hour", 3'600'000}, {"hr", 3'600'000}};
  std::string one = unit.ends_with('s') ? unit.substr(0, unit.size() - 1) : unit;
  bool whole = number.find('.') == number.npos;
  if (number.size() > 12) return false;
  if (auto found = ms_units.find(one); found != ms_units.end()) {
    interval.ms += std::llround(std::stod(number) * static_cast<double>(found->second));
    return true;
  }
  if (!whole) return false;
  if (auto found = day_units.find(one); found != day_units.end()) {
    interval.days += std::stoll(number) * found->second;
    return true;
  }
  auto found = month_units.find(one);
  if (found == month_units.end()) return false;
  interval.months += std::stoll(number) * found->second;
  return true;
}

// `[-]HH:MM[:SS[.mmm]]`
bool add_time(Interval& interval, const std::string& word) {
  static const RE2 pattern("([-+]?)(\\d{1,6}):(\\d\\d)(?::(\\d\\d(?:\\.\\d{1,3})?))?");
  std::string sign, seconds;
  std::int64_t hours = 0, minutes = 0;
  if (!RE2::FullMatch(word, pattern, &sign, &hours, &minutes, &seconds)) return false;
  double rest = seconds.empty() ? 0 : std::stod(seconds);
  if (minutes > 59 || rest >= 60) return false;
  std::int64_t ms = (hours * 60 + minutes) * 60'000 + std::llround(rest * 1000);
  interval.ms += sign == "-" ? -ms : ms;
  return true;
}

}  // namespace

std::string interval_text(const Interval& interval) {
  std::string text;
  bool negative = false;
  append_part(text, interval.months / 12, "year", negative);
  append_part(text, interval.months % 12, "mon", negative);
  append_part(text, interval.days, "day", negative);
  if (interval.ms == 0 && !text.empty()) return text;
  if (!text.empty()) text += ' ';
  if (interval.ms < 0)
    text += '-';
  else if (negative)
    text += '+';
  std::uint64_t ms = interval.ms < 0 ? 0 - static_cast<std::uint64_t>(interval.ms)
                                     : static_cast<std::uint64_t>(interval.ms);
  text += fmt::format("{:02}:{:02}:{:02}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60);
  if (ms % 1000 == 0) return text;
  text += fmt::format(".{:03}", ms % 1000);
  return text.substr(0, text.find_last_not_of('0') + 1);
}

std::optional<Interval> parse_interval(const std::string& text) {
  static const RE2 number_pattern("([-+]?\\d+(?:\\.\\d+)?)([a-z]*)");
  Interval interval;
  std::istringstream words(text);
  bool any = false;
  for (std::string word; words >> word; any = true) {
    if (add_time(interval, word)) continue;
    std::string number, unit;
    if (!RE2::FullMatch(word, number_pattern, &number, &unit)) return {};
    if (unit.empty() && !(words >> unit)) return {};
    if (!add_part(interval, number, unit)) return {};
  }
  if (!any) return {};
  return interval;
}

}  // namespace leat::interpreter
