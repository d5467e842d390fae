#include "expression/write_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "column/calendar.h"
#include "expression/wide.h"

namespace leat::expression {

using column::CivilDate;
using column::day_ms;
using column::Interval;
using column::Uint128;

namespace {

char* write(char* out, std::string_view text) {
  return std::copy(text.begin(), text.end(), out);
}

// `.5`, `.05`, `.005`, or nothing at all.
char* write_fraction(char* out, std::uint64_t thousandths) {
  if (thousandths == 0) return out;
  *out++ = '.';
  char* end = write_padded(out, thousandths, 3);
  while (end[-1] == '0') --end;
  return end;
}

// `04:05:06.7`
char* write_time(char* out, std::uint64_t ms) {
  out = write_padded(out, ms / 3'600'000, 2);
  *out++ = ':';
  out = write_padded(out, ms / 60'000 % 60, 2);
  *out++ = ':';
  out = write_padded(out, ms / 1000 % 60, 2);
  return write_fraction(out, ms % 1000);
}

}  // namespace

char* write_integer(char* out, std::int64_t value) {
  return std::to_chars(out, out + written_max, value).ptr;
}

char* write_padded(char* out, std::uint64_t value, int width) {
  int digits = 1;
  for (std::uint64_t rest = value / 10; rest != 0; rest /= 10) ++digits;
  char* end = out + std::max(digits, width);
  for (char* at = end; at != out; value /= 10) *--at = static_cast<char>('0' + value % 10);
  return end;
}

char* write_real(char* out, double value) {
  char* end = std::to_chars(out, out + written_max, value, std::chars_format::scientific).ptr;
  const char* sign = std::find(out, end, 'e') + 1;
  int exponent = 0;
  std::from_chars(sign + 1, end, exponent);
  bool plain = *sign == '-' ? exponent <= 4 : exponent < 15;
  if (!plain) return end;
  return std::to_chars(out, out + written_max, value, std::chars_format::fixed).ptr;
}

char* write_decimal(char* out, column::Int128 units, int scale) {
  std::array<char, 48> room;  // from its end on
  char* at = room.end();
  Uint128 rest = magnitude(units);
  constexpr std::uint64_t group = 1'000'000'000'000'000'000;
  int written = 0;
  auto put = [&](std::uint64_t digit) {
    if (written++ == scale && scale > 0) *--at = '.';
    *--at = static_cast<char>('0' + digit);
  };
  while (rest > ~std::uint64_t{0}) {  // one long division for 18 digits
    auto low = static_cast<std::uint64_t>(rest % group);
    rest /= group;
    for (int i = 0; i < 18; ++i, low /= 10) put(low % 10);
  }
  for (auto low = static_cast<std::uint64_t>(rest); low != 0; low /= 10) put(low % 10);
  while (written <= scale) put(0);
  if (units < 0) *--at = '-';
  return std::copy(at, room.end(), out);
}

char* write_date(char* out, std::int64_t days) {
  CivilDate date = column::date_of(days);
  out = write_padded(out, static_cast<std::uint64_t>(date.year), 4);
  *out++ = '-';
  out = write_padded(out, static_cast<std::uint64_t>(date.month), 2);
  *out++ = '-';
  return write_padded(out, static_cast<std::uint64_t>(date.day), 2);
}

char* write_timestamp(char* out, std::int64_t ms) {
  std::int64_t days = column::day_of(ms);
  out = write_date(out, days);
  *out++ = ' ';
  out = write_time(out, static_cast<std::uint64_t>(ms - days * day_ms));
  return write(out, "+00");
}

char* write_interval(char* out, const Interval& interval) {
  const char* begin = out;
  bool negative = false;
  auto add = [&](std::int64_t value, std::string_view unit) {
    if (value == 0) return;
    if (out != begin) *out++ = ' ';
    if (negative && value > 0) *out++ = '+';
    out = write_integer(out, value);
    *out++ = ' ';
    out = write(out, unit);
    if (value != 1) *out++ = 's';
    negative = value < 0;
  };
  add(interval.months / 12, "year");
  add(interval.months % 12, "mon");
  add(interval.days, "day");
  if (interval.ms == 0 && out != begin) return out;
  if (out != begin) *out++ = ' ';
  if (interval.ms < 0)
    *out++ = '-';
  else if (negative)
    *out++ = '+';
  auto bits = static_cast<std::uint64_t>(interval.ms);
  return write_time(out, interval.ms < 0 ? 0 - bits : bits);
}

char* write_bytes(char* out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  out = write(out, "\\x");
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
  return out;
}

}  // namespace leat::expression
