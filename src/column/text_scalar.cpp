#include "column/text_scalar.h"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/assert.h"

namespace leat::column {

namespace {

constexpr std::int64_t day_ms = 86'400'000;

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The parts of a number, digits with their point among them.
struct Number {
  bool negative = false;
  std::string_view digits;
  std::int64_t behind_point = 0;  // how many of the digits
  std::int64_t exponent = 0;
};

std::optional<Number> split_number(std::string_view text) {
  Number number;
  number.negative = text.starts_with('-');
  if (number.negative || text.starts_with('+')) text.remove_prefix(1);
  std::size_t at = 0, count = 0;
  bool fraction = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !fraction)); ++at) {
    if (text[at] == '.') {
      fraction = true;
    } else {
      ++count;
      number.behind_point += fraction ? 1 : 0;
    }
  }
  constexpr std::size_t digits_max = 1000;
  if (count == 0 || count > digits_max) return {};
  number.digits = text.substr(0, at);
  if (at == text.size()) return number;
  if (text[at] != 'e' && text[at] != 'E') return {};
  text.remove_prefix(at + 1);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.exponent);
  constexpr std::int64_t exponent_max = 1000;
  if (error != std::errc() || end != text.data() + text.size()) return {};
  if (std::abs(number.exponent) > exponent_max) return {};
  return number;
}

std::optional<bool> read_boolean(std::string_view text) {
  constexpr std::size_t longest = 5;
  char word[longest];
  if (text.empty() || text.size() > longest) return {};
  for (std::size_t i = 0; i < text.size(); ++i) {
    word[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
  }
  std::string_view lower(word, text.size());
  auto begins = [&](std::string_view whole, std::size_t least) {
    return lower.size() >= least && whole.starts_with(lower);
  };
  if (begins("true", 1) || begins("yes", 1) || lower == "on" || lower == "1") return true;
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || lower == "0") return false;
  return {};
}

template <class T>
std::errc read_number(std::string_view text, T& value) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end != text.data() + text.size()) return std::errc::invalid_argument;
  return error;
}

std::optional<Timestamp> read_timestamp(std::string_view text, TimestampReader& times) {
  if (auto date = parse_date(text)) return Timestamp{date->days * day_ms};
  constexpr std::size_t seconds_end = 19;
  bool has_hours =
      text.size() > seconds_end && (text[text.size() - 3] == '+' || text[text.size() - 3] == '-');
  if (has_hours) return parse_timestamp(std::string(text) + ":00");
  return times.read(text);
}

}  // namespace

ReadDecimal read_decimal(std::string_view text, const Type& type, Int128& units) {
  auto number = split_number(trimmed(text));
  if (!number) return ReadDecimal::no_number;
  // So many digits count, from the first one that is no zero on.
  std::int64_t left = 0;
  std::size_t at = 0;
  while (at < number->digits.size() && (number->digits[at] == '0' || number->digits[at] == '.')) {
    ++at;
  }
  for (char c : number->digits.substr(at)) left += c == '.' ? 0 : 1;
  left += number->exponent - number->behind_point + type.scale;
  units = 0;
  if (at == number->digits.size()) return ReadDecimal::good;
  if (left > type.precision) return ReadDecimal::out_of_range;
  for (; left > 0; --left) {
    if (at < number->digits.size() && number->digits[at] == '.') ++at;
    units = units * 10 + (at < number->digits.size() ? number->digits[at++] - '0' : 0);
  }
  if (at < number->digits.size() && number->digits[at] == '.') ++at;
  if (left == 0 && at < number->digits.size() && number->digits[at] >= '5') ++units;
  if (units >= power_of_ten(type.precision)) return ReadDecimal::out_of_range;
  if (number->negative) units = -units;
  return ReadDecimal::good;
}

std::string decimal_error(ReadDecimal read, std::string_view text, const Type& type) {
  if (read == ReadDecimal::out_of_range) return "out of range of " + name(type);
  return fmt::format("invalid input syntax for {}: \"{}\"", name(type), text);
}

bool set_from_text(std::string_view text, TimestampReader& times, Vector& out, std::size_t row,
                   std::string& why) {
  const Type& type = out.type();
  auto wrong = [&](std::string reason) {
    why = std::move(reason);
    return false;
  };
  auto no_such = [&] {
    return wrong(fmt::format("invalid input syntax for {}: \"{}\"", name(type), text));
  };
  std::string_view word = trimmed(text);
  switch (type.kind) {
    case Type::text: out.set_text(row, text); return true;
    case Type::boolean: {
      auto truth = read_boolean(word);
      if (!truth) return no_such();
      out.set_integer(row, *truth ? 1 : 0);
      return true;
    }
    case Type::bigint: {
      std::int64_t value = 0;
      auto error = read_number(word, value);
      if (error == std::errc::result_out_of_range) return wrong("bigint out of range");
      if (error != std::errc()) return no_such();
      out.set_integer(row, value);
      return true;
    }
    case Type::double_precision: {
      double value = 0;
      auto error = read_number(word, value);
      if (error == std::errc::result_out_of_range) return wrong("double out of range");
      if (error != std::errc() || !std::isfinite(value)) return no_such();
      out.set_real(row, value + 0.0);  // makes a negative zero a zero
      return true;
    }
    case Type::decimal: {
      Int128 units;
      auto read = read_decimal(text, type, units);
      if (read != ReadDecimal::good) return wrong(decimal_error(read, text, type));
      out.set_decimal(row, units);
      return true;
    }
    case Type::timestamp: {
      auto time = read_timestamp(word, times);
      if (!time) return no_such();
      out.set_integer(row, time->ms);
      return true;
    }
    case Type::date: {
      auto date = parse_date(word);
      if (!date) return no_such();
      out.set_integer(row, date->days);
      return true;
    }
    case Type::bytes:
    case Type::interval: break;
  }
  ASSERT(false);
}

}  // namespace leat::column
