// Single values, each with its own bytes.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "column/timestamp.h"
#include "column/type.h"

namespace leat::column {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

/// units / 10^scale. The scale is that of the value's type.
struct Decimal {
  Int128 units = 0;
  int scale = 0;
  friend bool operator==(const Decimal&, const Decimal&) = default;
};

/// 10^exponent. REQUIRES: 0 <= exponent <= 38.
Int128 power_of_ten(int exponent);

/// Days since 1970-01-01.
struct Date {
  std::int64_t days = 0;
  friend auto operator<=>(Date, Date) = default;
};

/// Parts that have no fixed length are kept apart, as PostgreSQL does.
struct Interval {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t ms = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// Its length where months have 30 days and days 24 hours, by which intervals are compared.
Int128 length_ms(const Interval& interval);

struct Value;
struct Array {
  std::vector<Value> items;
  friend bool operator==(const Array&, const Array&);
};

/// std::monostate is NULL. Text and bytes are both strings; the type says which.
struct Value : std::variant<std::monostate, bool, std::int64_t, double, Decimal, std::string,
                            Timestamp, Date, Interval, Array> {
  using variant::variant;
  bool is_null() const { return index() == 0; }
};
inline bool operator==(const Array& a, const Array& b) {
  return a.items == b.items;
}

/// `-12.30`, digits and a point alone: as many behind it as the scale says.
std::string decimal_text(const Decimal& value);
/// The same, read; the scale is what is written. Nothing if it is anything else or has more digits
/// than fit.
std::optional<Decimal> parse_decimal(std::string_view text);

/// The narrowest type that holds the number as it is written.
Type decimal_type_of(const Decimal& value);

/// The days of the years 0000 to 9999, which is what can be written.
inline constexpr Date date_min{-719'528};
inline constexpr Date date_max{2'932'896};

/// `2015-09-12`. REQUIRES: date_min <= date <= date_max.
std::string date_text(Date date);
std::optional<Date> parse_date(std::string_view text);

}  // namespace leat::column
