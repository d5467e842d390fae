#include "column/value.h"

#include <algorithm>

#include "base/assert.h"
#include "column/calendar.h"

namespace leat::column {

Int128 power_of_ten(int exponent) {
  ASSERT(0 <= exponent && exponent <= precision_max);
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

Int128 length_ms(const Interval& interval) {
  constexpr Int128 month_days = 30;
  return (interval.months * month_days + interval.days) * day_ms + interval.ms;
}

std::string decimal_text(const Decimal& value) {
  std::string digits;  // the last one first
  Int128 rest = value.units < 0 ? -value.units : value.units;
  for (int i = 0; rest != 0 || i <= value.scale; ++i) {
    if (i == value.scale && value.scale > 0) digits += '.';
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (value.units < 0) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal value;
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  bool fraction = false;
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '.' && !fraction && i > 0 && i + 1 < text.size()) {
      fraction = true;
      continue;
    }
    if (c < '0' || c > '9') return {};
    value.units = value.units * 10 + (c - '0');
    if (value.units != 0) ++digits;
    if (fraction) ++value.scale;
    if (digits > precision_max || value.scale > precision_max) return {};
  }
  if (text.empty()) return {};
  if (negative) value.units = -value.units;
  return value;
}

Type decimal_type_of(const Decimal& value) {
  std::string text = decimal_text({value.units < 0 ? -value.units : value.units, 0});
  int digits = text == "0" ? 0 : static_cast<int>(text.size());
  return decimal(std::max({digits, value.scale, 1}), value.scale);
}

std::string date_text(Date date) {
  std::string text;
  append_timestamp(text, Timestamp{date.days * day_ms});
  return text.substr(0, 10);
}

std::optional<Date> parse_date(std::string_view text) {
  char time[] = "0000-00-00T00:00:00Z";
  constexpr std::size_t size = 10;
  if (text.size() != size) return {};
  std::copy_n(text.begin(), size, time);
  auto midnight = parse_timestamp(time);
  if (!midnight) return {};
  return Date{midnight->ms / day_ms};
}

}  // namespace leat::column
