#include "plan/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace leat::plan {

namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t day_ms = 86'400'000;
constexpr int day_minutes = 24 * 60;
// February 29th and a day of the week meet once in 28 years; where a century has no leap year, 12
// years later.
constexpr std::int64_t days_looked_at = 41 * 366;

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed",
                                                        "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> names;  // of values, from `least` on
};

constexpr std::array<Field, 5> fields{{{"minute", 0, 59, {}},
                                       {"hour", 0, 23, {}},
                                       {"day", 1, 31, {}},
                                       {"month", 1, 12, month_names},
                                       {"weekday", 0, 7, weekday_names}}};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || number < 0) {
    return {};
  }
  return number;
}

std::optional<int> parse_value(const Field& field, std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  auto name = std::find(field.names.begin(), field.names.end(), lower);
  if (name != field.names.end()) {
    return field.least + static_cast<int>(name - field.names.begin());
  }
  auto number = parse_number(text);
  if (!number || *number < field.least || *number > field.most) return {};
  return number;
}

// Sets the bits of one part. False if it is none.
template <std::size_t size>
bool read_part(const Field& field, std::string_view part, std::bitset<size>& out) {
  auto slash = part.find('/');
  std::string_view range = part.substr(0, slash);
  std::optional<int> step = 1;
  if (slash != part.npos) step = parse_number(part.substr(slash + 1));
  std::optional<int> first, last;
  auto dash = range.find('-');
  if (range == "*") {
    first = field.least;
    last = field.most;
  } else if (dash != range.npos) {
    first = parse_value(field, range.substr(0, dash));
    last = parse_value(field, range.substr(dash + 1));
  } else if (slash == part.npos) {
    first = last = parse_value(field, range);
  }
  if (!step || *step < 1 || !first || !last || *first > *last) return false;
  for (int value = *first; value <= *last; value += *step) out.set(static_cast<std::size_t>(value));
  return true;
}

template <std::size_t size>
Result<void> read_field(const Field& field, std::string_view text, std::bitset<size>& out) {
  for (std::string_view part : split(text, ',')) {
    if (read_part(field, part, out)) continue;
    return fail(Errc::plan_error,
                fmt::format("schedule: '{}' is no {}: a number from {} to {}{}, A-B, *, each with "
                            "/STEP behind a range, or several with commas between them",
                            text, field.name, field.least, field.most,
                            field.names.empty() ? "" : ", a name"));
  }
  return {};
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

Result<Cron> Cron::parse(std::string_view schedule) {
  std::vector<std::string_view> texts = split(schedule, ' ');
  std::erase_if(texts, [](std::string_view text) { return text.empty(); });
  if (texts.size() != fields.size()) {
    return fail(Errc::plan_error,
                fmt::format("schedule: '{}' has {} fields, not the five of cron: minute hour day "
                            "month weekday, as in '0 2 * * *'",
                            schedule, texts.size()));
  }
  Cron cron;
  if (auto ok = read_field(fields[0], texts[0], cron.minutes_); !ok) return fail(ok);
  if (auto ok = read_field(fields[1], texts[1], cron.hours_); !ok) return fail(ok);
  if (auto ok = read_field(fields[2], texts[2], cron.days_); !ok) return fail(ok);
  if (auto ok = read_field(fields[3], texts[3], cron.months_); !ok) return fail(ok);
  if (auto ok = read_field(fields[4], texts[4], cron.weekdays_); !ok) return fail(ok);
  if (cron.weekdays_[7]) cron.weekdays_.set(0);
  cron.any_day_ = texts[2].starts_with('*');
  cron.any_weekday_ = texts[4].starts_with('*');
  std::int64_t day = 0;
  while (day < days_looked_at && !cron.has_day(day)) ++day;
  if (day == days_looked_at) {
    return fail(Errc::plan_error, fmt::format("schedule: no year has a day of '{}'", schedule));
  }
  return cron;
}

bool Cron::has_day(std::int64_t days_since_1970) const {
  std::chrono::sys_days day{std::chrono::days(days_since_1970)};
  std::chrono::year_month_day date(day);
  if (!months_[static_cast<unsigned>(date.month())]) return false;
  bool of_month = days_[static_cast<unsigned>(date.day())];
  bool of_week = weekdays_[std::chrono::weekday(day).c_encoding()];
  return any_day_ || any_weekday_ ? of_month && of_week : of_month || of_week;
}

int Cron::find_minute(int minute) const {
  while (minute < day_minutes) {
    if (!hours_[static_cast<std::size_t>(minute / 60)]) {
      minute = (minute / 60 + 1) * 60;
    } else if (!minutes_[static_cast<std::size_t>(minute % 60)]) {
      ++minute;
    } else {
      return minute;
    }
  }
  return -1;
}

std::int64_t Cron::next_after(std::int64_t time_ms) const {
  std::int64_t day = floor_divide(time_ms, day_ms);
  auto minute = static_cast<int>((time_ms - day * day_ms) / minute_ms) + 1;
  while (true) {
    int found = has_day(day) ? find_minute(minute) : -1;
    if (found >= 0) return day * day_ms + found * minute_ms;
    ++day;
    minute = 0;
  }
}

}  // namespace leat::plan
