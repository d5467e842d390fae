// The types of a pipeline's columns, and the C++ types of their values. Begin with stream.h.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/record.h"

namespace leat::flow {

using leat::Timestamp;

/// Thrown by what builds, runs and tests pipelines. what() says what is wrong, and where: "nodes[2]
/// 'per_channel' aggregates[1].argument: column 'addded' is not there; there are: added, time".
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(what) {}
  ~Error() override;
};

/// A column's type. Named as PostgreSQL names them, "double" for its "double precision".
struct Type {
  enum class Kind : std::uint8_t {
    boolean,
    bigint,            // 64 bits
    double_precision,  // finite, and no negative zero
    decimal,           // up to 38 digits: decimal(12, 2)
    text,              // UTF-8
    bytes,
    timestamp,  // milliseconds since 1970 UTC
    date,
    interval
  };
  using enum Kind;

  constexpr Type(Kind of) : kind(of) {}

  Kind kind;
  /// Of decimals: digits in all, and how many of them are behind the point.
  std::uint8_t precision = 0;
  std::uint8_t scale = 0;
  /// A list of values of this type.
  bool array = false;

  bool operator==(const Type&) const = default;
};

constexpr Type decimal(int precision, int scale) {
  Type type(Type::Kind::decimal);
  type.precision = static_cast<std::uint8_t>(precision);
  type.scale = static_cast<std::uint8_t>(scale);
  return type;
}
constexpr Type array_of(Type type) {
  type.array = true;
  return type;
}

/// Parts that have no fixed length are kept apart.
struct Interval {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::chrono::milliseconds time{0};
  bool operator==(const Interval&) const = default;
};

/// As plans and messages write it: "bigint", "decimal(12,2)", "text[]".
std::string name_of(const Type& type);

namespace detail {

__extension__ typedef __int128 Int128;

std::string decimal_text(Int128 units, int scale);
bool parse_decimal(std::string_view text, int precision, int scale, Int128& units);
double decimal_value(Int128 units, int scale);

}  // namespace detail

/// A number of `precision` digits at most, `scale` of them behind the point: exact.
template <int precision, int scale>
requires(0 <= scale && scale <= precision && 1 <= precision && precision <= 38) class Decimal {
 public:
  static constexpr Type type = flow::decimal(precision, scale);

  constexpr Decimal() = default;
  /// `-12.3`: digits and a point, no more of them than there is room for. Throws Error for anything
  /// else.
  explicit Decimal(std::string_view text) {
    if (!detail::parse_decimal(text, precision, scale, units_))
      throw Error("'" + std::string(text) + "' is no decimal(" + std::to_string(precision) + "," +
                  std::to_string(scale) + ")");
  }
  /// units / 10^scale. REQUIRES: not more digits than `precision`.
  static constexpr Decimal of_units(detail::Int128 units) {
    Decimal value;
    value.units_ = units;
    return value;
  }

  constexpr detail::Int128 units() const { return units_; }
  /// With as many digits behind the point as the type has.
  std::string text() const { return detail::decimal_text(units_, scale); }
  /// The nearest double.
  double value() const { return detail::decimal_value(units_, scale); }
  friend constexpr auto operator<=>(Decimal, Decimal) = default;

 private:
  detail::Int128 units_ = 0;
};

/// A column of a source, and where in the record it comes from.
struct Column {
  enum class From : std::uint8_t { value, key, header, timestamp, offset, partition, topic };

  std::string name;
  Type type;
  From from = From::value;
  /// Of JSON where in the value, as `$.user.tags[0]`; of CSV with a header line the name there.
  /// Empty for the column's own name.
  std::string path = {};
  /// Of From::header: which.
  std::string header = {};
};

}  // namespace leat::flow
