// Single JSON values as cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "column/timestamp.h"
#include "column/vector.h"

namespace leat::column {

/// Reads a whole JSON number without fraction and exponent. False if `token` is anything else or
/// out of range.
inline bool parse_integer(std::string_view token, std::int64_t& value) {
  bool negative = !token.empty() && token[0] == '-';
  std::string_view digits = token.substr(negative ? 1 : 0);
  constexpr std::size_t digits_max = 19;  // nothing of 19 digits overflows 64 unsigned bits
  if (digits.empty() || digits.size() > digits_max) return false;
  if (digits[0] == '0' && digits.size() > 1) return false;
  std::uint64_t magnitude = 0;
  for (char c : digits) {
    auto digit = static_cast<unsigned char>(c - '0');
    if (digit > 9) return false;
    magnitude = magnitude * 10 + digit;
  }
  constexpr auto limit = std::uint64_t{1} << 63;
  if (magnitude > (negative ? limit : limit - 1)) return false;
  value = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

/// Reads a whole JSON number. False if `token` is anything else or beyond the largest double.
bool parse_real(std::string_view token, double& value);

/// Whether `token` is a whole JSON number.
bool is_json_number(std::string_view token);

/// Whether a text between quotes has escapes. REQUIRES: eight bytes readable behind it.
bool has_escapes(std::string_view text);
/// Writes a text between quotes without its escapes to `out`, which has room for as many bytes.
/// Returns the bytes written, or -1 for an escape that is none.
std::ptrdiff_t unescape_json(std::string_view text, char* out);

/// Sets a cell from a value that is neither a string nor null. False if it is of another type or
/// out of range.
bool set_scalar(std::string_view token, Vector& out, std::size_t row);
/// Sets a cell from a string, its escapes taken out. The same.
bool set_string(std::string_view text, TimestampReader& times, Vector& out, std::size_t row);

}  // namespace leat::column
