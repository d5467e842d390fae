// Casts, and with them how values are written as text.
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/assert.h"
#include "interpreter/decimal_number.h"
#include "interpreter/evaluate.h"
#include "interpreter/interval_text.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

using Kind = Type::Kind;

constexpr std::int64_t day_ms = 86'400'000;

BadValue no_such(const Type& type, const std::string& text) {
  return {"invalid input syntax for " + name(type) + ": \"" + text + "\""};
}

std::string trimmed(const std::string& text) {
  constexpr const char* blanks = " \t\n\r\v\f";
  auto from = text.find_first_not_of(blanks);
  if (from == text.npos) return "";
  return text.substr(from, text.find_last_not_of(blanks) + 1 - from);
}

// As many digits as are needed to read the same double again; as PostgreSQL lays them out.
std::string double_text(double value) {
  char buffer[64];
  auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string scientific(buffer, end);
  int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent >= 15) return scientific;
  end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  return {buffer, end};
}

// `-12.5e3` and the like, exactly.
Decimal decimal_of(const std::string& text, const Type& to) {
  std::string digits = trimmed(text);
  std::size_t at = 0;
  bool negative = !digits.empty() && digits[0] == '-';
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) ++at;
  Big units;
  int scale = 0, count = 0;
  constexpr int digits_max = 1000;  // a text of more is refused, however long it is
  bool fraction = false;
  for (; at < digits.size(); ++at) {
    if (digits[at] == '.' && !fraction) {
      fraction = true;
    } else if (std::isdigit(static_cast<unsigned char>(digits[at])) != 0) {
      if (++count <= digits_max) units = units * Big(10) + Big(digits[at] - '0');
      scale += fraction ? 1 : 0;
    } else {
      break;
    }
  }
  int exponent = 0;
  if (count > 0 && at + 1 < digits.size() && (digits[at] == 'e' || digits[at] == 'E')) {
    std::size_t from = digits[at + 1] == '+' ? at + 2 : at + 1;
    auto [end, error] =
        std::from_chars(digits.data() + from, digits.data() + digits.size(), exponent);
    bool two_signs = from == at + 2 && digits[from] == '-';
    at = error == std::errc() && !two_signs ? static_cast<std::size_t>(end - digits.data()) : at;
  }
  if (count == 0 || at != digits.size() || count > digits_max || std::abs(exponent) > 1000) {
    throw no_such(to, text);
  }
  for (; scale - exponent < 0; --exponent) units = units * Big(10);
  return decimal_value(negative ? units.negated() : units, scale - exponent, to);
}

bool boolean_of(const std::string& text, const Type& to) {
  std::string word = trimmed(text);
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  auto begins = [&](std::string_view whole, std::size_t least) {
    return word.size() >= least && whole.starts_with(word);
  };
  if (begins("true", 1) || begins("yes", 1) || word == "on" || word == "1") return true;
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0") return false;
  throw no_such(to, text);
}

std::int64_t integer_of(const std::string& text, const Type& to) {
  std::string digits = trimmed(text);
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.erase(0, 1);
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) throw BadValue{"bigint out of range"};
  if (error != std::errc() || end != digits.data() + digits.size()) throw no_such(to, text);
  return value;
}

double real_of(const std::string& text, const Type& to) {
  std::string digits = trimmed(text);
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.erase(0, 1);
  double value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) throw BadValue{"double out of range"};
  bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!whole || !std::isfinite(value)) throw no_such(to, text);
  return value + 0.0;  // makes a negative zero a zero
}

// RFC 3339; also a date alone, which is its midnight, and a zone of hours alone, as PostgreSQL
// writes it.
Timestamp timestamp_of(const std::string& text, const Type& to) {
  std::string time = trimmed(text);
  if (auto date = parse_date(time)) return {date->days * day_ms};
  if (time.size() > 19 && (time[time.size() - 3] == '+' || time[time.size() - 3] == '-')) {
    time += ":00";
  }
  auto value = column::parse_timestamp(time);
  if (!value) throw no_such(to, text);
  return *value;
}

std::string bytes_of(const std::string& text, const Type& to) {
  if (!text.starts_with("\\x")) {
    if (text.find('\\') != text.npos) throw no_such(to, text);
    return text;
  }
  if (text.size() % 2 != 0) throw no_such(to, text);
  std::string bytes;
  for (std::size_t i = 2; i < text.size(); i += 2) {
    unsigned value = 0;
    auto [end, error] = std::from_chars(&text[i], &text[i] + 2, value, 16);
    if (error != std::errc() || end != &text[i] + 2) throw no_such(to, text);
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::string bytes_text(const std::string& bytes) {
  std::string text = "\\x";
  for (char c : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
    text += digits;
  }
  return text;
}

// `2015-09-12 00:45:00.5+00`
std::string timestamp_text(Timestamp time) {
  std::string text;
  column::append_timestamp(text, time);
  text[10] = ' ';
  text.pop_back();
  if (text.find('.') != text.npos) text.erase(text.find_last_not_of('0') + 1);
  return text + "+00";
}

Value text_of(const Value& value, const Type& from) {
  switch (from.kind) {
    case Kind::boolean: return std::string(std::get<bool>(value) ? "true" : "false");
    case Kind::bigint: return std::to_string(std::get<std::int64_t>(value));
    case Kind::double_precision: return double_text(std::get<double>(value));
    case Kind::decimal: return decimal_text(std::get<Decimal>(value));
    case Kind::text: return value;
    case Kind::bytes: return bytes_text(std::get<std::string>(value));
    case Kind::timestamp: return timestamp_text(std::get<Timestamp>(value));
    case Kind::date: return date_text(std::get<Date>(value));
    case Kind::interval: return interval_text(std::get<Interval>(value));
  }
  ASSERT(false);
  return {};
}

Value from_text(const std::string& text, const Type& to) {
  switch (to.kind) {
    case Kind::boolean: return boolean_of(text, to);
    case Kind::bigint: return integer_of(text, to);
    case Kind::double_precision: return real_of(text, to);
    case Kind::decimal: return decimal_of(text, to);
    case Kind::text: return text;
    case Kind::bytes: return bytes_of(text, to);
    case Kind::timestamp: return timestamp_of(text, to);
    case Kind::interval: break;
    case Kind::date: {
      auto date = parse_date(trimmed(text));
      if (!date) throw no_such(to, text);
      return *date;
    }
  }
  auto interval = parse_interval(trimmed(text));
  if (!interval) throw no_such(to, text);
  return *interval;
}

Value from_double(double value, const Type& to) {
  if (to.kind == Kind::decimal) {
    char digits[64];  // as PostgreSQL: a double is good for 15 digits
    std::snprintf(digits, sizeof digits, "%.15g", value);
    return decimal_of(digits, to);
  }
  double whole = std::rint(value);
  if (!(whole >= -0x1p63 && whole < 0x1p63)) throw BadValue{"bigint out of range"};
  return static_cast<std::int64_t>(whole);
}

Value from_decimal(const Decimal& value, const Type& to) {
  if (to.kind == Kind::double_precision) return real_of(decimal_text(value), to);
  if (to.kind == Kind::decimal) return decimal_value(Big(value.units), value.scale, to);
  auto whole = divide_rounded(Big(value.units), Big(power_of_ten(value.scale))).to_int128();
  if (*whole != static_cast<std::int64_t>(*whole)) throw BadValue{"bigint out of range"};
  return static_cast<std::int64_t>(*whole);
}

}  // namespace

Value cast(const Value& value, const Type& from, const Type& to) {
  if (value.is_null() || from == to) return value;
  if (to.kind == Kind::text) return text_of(value, from);
  switch (from.kind) {
    case Kind::text: return from_text(std::get<std::string>(value), to);
    case Kind::boolean: return std::int64_t{std::get<bool>(value)};
    case Kind::double_precision: return from_double(std::get<double>(value), to);
    case Kind::decimal: return from_decimal(std::get<Decimal>(value), to);
    case Kind::date: return Timestamp{std::get<Date>(value).days * day_ms};
    case Kind::timestamp: {
      std::int64_t ms = std::get<Timestamp>(value).ms;
      std::int64_t rest = (ms % day_ms + day_ms) % day_ms;
      return Date{(ms - rest) / day_ms};
    }
    case Kind::bigint: break;
    case Kind::bytes:
    case Kind::interval: ASSERT(false);
  }
  std::int64_t integer = std::get<std::int64_t>(value);
  if (to.kind == Kind::boolean) return integer != 0;
  if (to.kind == Kind::double_precision) return static_cast<double>(integer);
  return decimal_value(Big(integer), 0, to);
}

}  // namespace leat::interpreter
