#include "pipeline/log_position.h"

#include <algorithm>
#include <charconv>
#include <string>

#include <fmt/core.h>

#include "column/timestamp.h"

namespace leat::pipeline {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!is_number(text) || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

std::optional<std::int64_t> unit_ms(std::string_view unit) {
  constexpr std::int64_t second = 1000;
  if (unit == "ms") return 1;
  if (unit == "s") return second;
  if (unit == "m") return 60 * second;
  if (unit == "h") return 3600 * second;
  if (unit == "d") return 24 * 3600 * second;
  if (unit == "w") return 7 * 24 * 3600 * second;
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t sum_ms = 0;
  while (!text.empty()) {
    auto digits_end = std::find_if_not(text.begin(), text.end(), is_digit);
    auto unit_end = std::find_if_not(digits_end, text.end(), is_letter);
    auto count = parse_number({text.begin(), digits_end});
    auto unit = unit_ms({digits_end, unit_end});
    std::int64_t part_ms = 0;
    if (!count || !unit || __builtin_mul_overflow(*count, *unit, &part_ms) ||
        __builtin_add_overflow(sum_ms, part_ms, &sum_ms))
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(unit_end - text.begin()));
  }
  return sum_ms;
}

namespace {

/// RFC 3339, of which the seconds or the whole time of day may be left out.
std::optional<std::int64_t> parse_date_ms(std::string_view text) {
  constexpr std::size_t date_size = 10;    // 2015-09-12
  constexpr std::size_t minute_size = 16;  // 2015-09-12T10:00
  std::string whole(text);
  if (whole.size() == date_size)
    whole += "T00:00:00";
  else if (whole.size() >= minute_size &&
           (whole.size() == minute_size || whole[minute_size] != ':'))
    whole.insert(minute_size, ":00");
  auto time = column::parse_timestamp(whole);
  if (!time) return std::nullopt;
  return time->ms;
}

std::optional<std::int64_t> parse_time_ms(std::string_view text, std::int64_t now_ms) {
  if (is_number(text)) return parse_number(text);
  if (!text.starts_with('-')) return parse_date_ms(text);
  auto ago_ms = parse_duration_ms(text.substr(1));
  if (!ago_ms) return std::nullopt;
  return now_ms - *ago_ms;
}

}  // namespace

Result<LogPosition> LogPosition::parse(std::string_view text, std::int64_t now_ms) {
  if (text == "start") return LogPosition{Kind::start, 0};
  if (text == "end") return LogPosition{Kind::end, 0};
  if (text.starts_with('@')) {
    if (auto time = parse_time_ms(text.substr(1), now_ms)) return LogPosition{Kind::time, *time};
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is no time: @2015-09-12T10:00:00Z, @2015-09-12, @1442016000000 "
                            "and @-2h are",
                            text));
  }
  Kind kind = text.starts_with('-')   ? Kind::before_end
              : text.starts_with('+') ? Kind::after_start
                                      : Kind::offset;
  auto number = parse_number(
      kind == Kind::offset ? text : text.substr(std::min<std::size_t>(1, text.size())));
  if (number) return LogPosition{kind, *number};
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is no position: start, end, N, -N, +N and @TIME are", text));
}

std::int64_t LogPosition::in(std::int64_t start, std::int64_t end,
                             std::optional<std::int64_t> at_time) const {
  switch (kind) {
    case Kind::start: return start;
    case Kind::end: return end;
    case Kind::offset: return number;
    case Kind::before_end: return std::max(start, end - number);
    case Kind::after_start: return std::min(end - start, number) + start;
    case Kind::time: return std::min(at_time.value_or(end), end);
  }
  return start;
}

}  // namespace leat::pipeline
