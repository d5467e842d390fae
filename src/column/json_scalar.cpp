#include "column/json_scalar.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

namespace leat::column {

namespace {

std::size_t count_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  return count;
}

// number := -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
bool is_number(std::string_view text) {
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

}  // namespace

bool parse_real(std::string_view token, double& value) {
  if (!is_number(token)) return false;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error == std::errc()) return true;
  // Too large or too small, which from_chars does not tell apart.
  value = std::strtod(std::string(token).c_str(), nullptr);
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
    default: return false;
  }
}

bool set_string(std::string_view text, TimestampReader& times, Vector& out, std::size_t row) {
  if (out.type() == Type::text) {
    out.set_text(row, text);
    return true;
  }
  if (out.type() != Type::timestamp) return false;
  auto time = times.read(text);
  if (!time) return false;
  out.set_integer(row, time->ms);
  return true;
}

}  // namespace leat::column
