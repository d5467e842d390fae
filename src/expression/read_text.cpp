#include "expression/read_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "column/calendar.h"
#include "column/type.h"

namespace leat::expression {

using column::Int128;

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r\v\f";
  auto from = text.find_first_not_of(blanks);
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(blanks) + 1 - from);
}

std::string_view without_plus(std::string_view digits) {
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  return digits;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <class Number>
Reading read_whole(std::string_view digits, Number& out) {
  const char* behind = digits.data() + digits.size();
  auto [end, error] = std::from_chars(digits.data(), behind, out);
  if (error == std::errc::result_out_of_range) return Reading::out_of_range;
  return error == std::errc() && end == behind ? Reading::good : Reading::malformed;
}

// A number as it is written, taken apart.
struct Digits {
  std::string_view text;  // digits, perhaps with a point among them
  int count = 0;
  int behind_point = 0;
  int exponent = 0;
  bool negative = false;
};

constexpr int digits_max = 1000;

bool split_digits(std::string_view text, Digits& out) {
  out.negative = text.starts_with('-');
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  std::size_t at = 0;
  bool fraction = false;
  for (; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      ++out.count;
      out.behind_point += fraction ? 1 : 0;
    } else if (text[at] == '.' && !fraction) {
      fraction = true;
    } else {
      break;
    }
  }
  out.text = text.substr(0, at);
  if (out.count == 0 || out.count > digits_max) return false;
  text.remove_prefix(at);
  if (text.empty()) return true;
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return false;
  bool plus = text[1] == '+';
  text.remove_prefix(plus ? 2 : 1);
  if (plus && text.starts_with('-')) return false;
  if (read_whole(text, out.exponent) != Reading::good) return false;
  return -digits_max <= out.exponent && out.exponent <= digits_max;
}

}  // namespace

Reading read_boolean(std::string_view text, std::int64_t& out) {
  text = trimmed(text);
  std::array<char, 5> room{};
  if (text.empty() || text.size() > room.size()) return Reading::malformed;
  auto lower = [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c); };
  std::transform(text.begin(), text.end(), room.begin(), lower);
  std::string_view word(room.data(), text.size());
  auto begins = [&](std::string_view whole) { return whole.starts_with(word); };
  bool yes = begins("true") || begins("yes") || word == "on" || word == "1";
  bool no = begins("false") || begins("no") || (word.size() > 1 && begins("off")) || word == "0";
  out = yes ? 1 : 0;
  return yes || no ? Reading::good : Reading::malformed;
}

Reading read_integer(std::string_view text, std::int64_t& out) {
  return read_whole(without_plus(trimmed(text)), out);
}

Reading read_real(std::string_view text, double& out) {
  Reading reading = read_whole(without_plus(trimmed(text)), out);
  if (reading == Reading::good && !std::isfinite(out)) return Reading::malformed;
  out += 0.0;  // no negative zero
  return reading;
}

Reading read_decimal(std::string_view text, const column::Type& to, Int128& out) {
  Digits digits;
  if (!split_digits(trimmed(text), digits)) return Reading::malformed;
  // The first digits that are still there once the point is where the type has it; the next one
  // alone tells whether the rest is a half or more.
  int wanted = digits.count - digits.behind_point + digits.exponent + to.scale;
  const Int128 end = column::power_of_ten(to.precision);
  const Int128 full = end / 10;  // has no room for another digit
  Int128 units = 0;
  int taken = 0;
  for (std::size_t i = 0; i < digits.text.size() && taken <= wanted; ++i) {
    if (digits.text[i] == '.') continue;
    int digit = digits.text[i] - '0';
    if (taken++ == wanted) {
      units += digit >= 5 ? 1 : 0;
      break;
    }
    if (units >= full) return Reading::out_of_range;
    units = units * 10 + digit;
  }
  for (; taken < wanted && units != 0; ++taken) {
    if (units >= full) return Reading::out_of_range;
    units *= 10;
  }
  if (units >= end) return Reading::out_of_range;
  out = digits.negative ? -units : units;
  return Reading::good;
}

Reading read_timestamp(std::string_view text, column::TimestampReader& reader, std::int64_t& out) {
  text = trimmed(text);
  if (text.size() == 10) {
    if (read_date(text, out) != Reading::good) return Reading::malformed;
    out *= column::day_ms;
    return Reading::good;
  }
  bool zone_of_hours = text.size() > 19 && (text.end()[-3] == '+' || text.end()[-3] == '-');
  std::optional<column::Timestamp> time;
  std::array<char, 64> room;
  constexpr std::string_view minutes = ":00";
  if (!zone_of_hours) {
    time = reader.read(text);
  } else if (text.size() + minutes.size() <= room.size()) {
    char* end = std::copy(text.begin(), text.end(), room.begin());
    end = std::copy(minutes.begin(), minutes.end(), end);
    time = column::parse_timestamp({room.begin(), end});
  } else {
    time = column::parse_timestamp(std::string(text) + std::string(minutes));
  }
  if (!time) return Reading::malformed;
  out = time->ms;
  return Reading::good;
}

Reading read_date(std::string_view text, std::int64_t& out) {
  constexpr std::string_view midnight = "T00:00:00Z";
  constexpr std::size_t date_size = 10;
  text = trimmed(text);
  if (text.size() != date_size) return Reading::malformed;
  std::array<char, date_size + midnight.size()> room;
  std::copy(midnight.begin(), midnight.end(), std::copy(text.begin(), text.end(), room.begin()));
  auto time = column::parse_timestamp({room.begin(), room.end()});
  if (!time) return Reading::malformed;
  out = time->ms / column::day_ms;
  return Reading::good;
}

Reading read_bytes(std::string_view text, bool& is_hex, char* out) {
  is_hex = text.starts_with("\\x");
  if (!is_hex) return text.find('\\') == text.npos ? Reading::good : Reading::malformed;
  if (text.size() % 2 != 0) return Reading::malformed;
  auto digit = [](char c) {
    if (is_digit(c)) return c - '0';
    char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  for (std::size_t i = 2; i < text.size(); i += 2) {
    int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return Reading::malformed;
    *out++ = static_cast<char>(high * 16 + low);
  }
  return Reading::good;
}

}  // namespace leat::expression
