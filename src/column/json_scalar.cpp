#include "column/json_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "column/text_scalar.h"

namespace leat::column {

namespace {

std::size_t count_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  return count;
}

// The code point of `\uXXXX` without its surrogate, or -1.
std::int32_t read_unit(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return -1;
  std::int32_t unit = 0;
  for (char c : text.substr(2, 4)) {
    char low = static_cast<char>(c | 0x20);
    bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (low < 'a' || low > 'f')) return -1;
    unit = unit * 16 + (is_digit ? c - '0' : low - 'a' + 10);
  }
  return unit;
}

char* write_utf8(char* out, std::int32_t point) {
  auto tail = [&](int shift) { *out++ = static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) {
    *out++ = static_cast<char>(point);
  } else if (point < 0x800) {
    *out++ = static_cast<char>(0xc0 | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    *out++ = static_cast<char>(0xe0 | (point >> 12));
    tail(6), tail(0);
  } else {
    *out++ = static_cast<char>(0xf0 | (point >> 18));
    tail(12), tail(6), tail(0);
  }
  return out;
}

// Writes what the escape that `text` begins with stands for; how long it is, 0 if it is none.
std::size_t write_escape(std::string_view text, char*& out) {
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  if (text.size() < 2) return 0;
  if (auto letter = letters.find(text[1]); letter != letters.npos) {
    *out++ = meanings[letter];
    return 2;
  }
  constexpr std::size_t unit_bytes = 6;
  std::int32_t point = read_unit(text);
  if (point < 0 || (point >= 0xdc00 && point < 0xe000)) return 0;
  if (point < 0xd800 || point >= 0xdc00) {
    out = write_utf8(out, point);
    return unit_bytes;
  }
  std::int32_t low = read_unit(text.substr(unit_bytes));
  if (low < 0xdc00 || low >= 0xe000) return 0;
  out = write_utf8(out, 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00));
  return 2 * unit_bytes;
}

}  // namespace

// number := -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
bool is_json_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  std::size_t whole = count_digits(text);
  if (whole == 0 || (whole > 1 && text[0] == '0')) return false;
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    std::size_t digits = count_digits(text.substr(1));
    if (digits == 0) return false;
    text.remove_prefix(1 + digits);
  }
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && count_digits(text) == text.size();
}

bool parse_real(std::string_view token, double& value) {
  if (!is_json_number(token)) return false;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  // Too large or too small, which from_chars does not tell apart.
  if (error != std::errc()) value = std::strtod(std::string(token).c_str(), nullptr);
  value += 0.0;  // makes a negative zero a zero
  return std::isfinite(value);
}

bool has_escapes(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  constexpr std::uint64_t highs = 0x8080'8080'8080'8080;
  for (std::size_t at = 0; at < text.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    // Bytes behind the text do not count.
    std::size_t left = text.size() - at;
    if (left < 8) word &= (std::uint64_t{1} << (left * 8)) - 1;
    std::uint64_t zero_where_escape = word ^ (ones * '\\');
    if (((zero_where_escape - ones) & ~zero_where_escape & highs) != 0) return true;
  }
  return false;
}

std::ptrdiff_t unescape_json(std::string_view text, char* out) {
  char* to = out;
  while (!text.empty()) {
    std::size_t plain = std::min(text.find('\\'), text.size());
    std::memcpy(to, text.data(), plain);
    to += plain;
    text.remove_prefix(plain);
    if (text.empty()) break;
    std::size_t escape = write_escape(text, to);
    if (escape == 0) return -1;
    text.remove_prefix(escape);
  }
  return to - out;
}

bool set_scalar(std::string_view token, Vector& out, std::size_t row) {
  std::int64_t integer;
  switch (out.type().kind) {
    case Type::boolean:
      if (token != "true" && token != "false") return false;
      out.set_integer(row, token == "true" ? 1 : 0);
      return true;
    case Type::bigint:
      if (!parse_integer(token, integer)) return false;
      out.set_integer(row, integer);
      return true;
    case Type::timestamp:
      if (!parse_integer(token, integer)) return false;
      if (integer < timestamp_min.ms || integer > timestamp_max.ms) return false;
      out.set_integer(row, integer);
      return true;
    case Type::double_precision: {
      double real;
      if (!parse_real(token, real)) return false;
      out.set_real(row, real);
      return true;
    }
    case Type::decimal: {
      Int128 units;
      if (!is_json_number(token)) return false;
      if (read_decimal(token, out.type(), units) != ReadDecimal::good) return false;
      out.set_decimal(row, units);
      return true;
    }
    default: return false;
  }
}

bool set_string(std::string_view text, TimestampReader& times, Vector& out, std::size_t row) {
  if (out.type() == Type::text) {
    out.set_text(row, text);
    return true;
  }
  if (out.type() == Type::date) {
    auto date = parse_date(text);
    if (date) out.set_integer(row, date->days);
    return date.has_value();
  }
  if (out.type() != Type::timestamp) return false;
  auto time = times.read(text);
  if (!time) return false;
  out.set_integer(row, time->ms);
  return true;
}

}  // namespace leat::column
