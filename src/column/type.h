// The types of columns and of single values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::column {

/// Named as PostgreSQL names them, "double" for its "double precision". A timestamp is a moment,
/// in milliseconds since 1970 UTC: what records, watermarks and windows count in. Texts are ordered
/// by their bytes. A double is finite and no negative zero: no comparison has a case of its own.
struct Type {
  /// Stored in snapshots: new ones are added at the end.
  enum class Kind : std::uint8_t {
    boolean,
    bigint,
    double_precision,
    decimal,
    text,
    bytes,
    timestamp,
    date,
    interval
  };
  using enum Kind;

  constexpr Type() = default;
  constexpr Type(Kind of, std::uint8_t digits = 0, std::uint8_t behind_point = 0)
      : kind(of), precision(digits), scale(behind_point) {}

  Kind kind = Kind::text;
  /// Of decimals: digits in all, 1 to 38, and how many of them are behind the point.
  std::uint8_t precision = 0;
  std::uint8_t scale = 0;
  /// A list of values of this type.
  bool array = false;

  bool operator==(const Type&) const = default;
};

inline constexpr int precision_max = 38;

/// REQUIRES: 0 <= scale <= precision <= precision_max, and precision > 0.
constexpr Type decimal(int precision, int scale) {
  return {Type::Kind::decimal, static_cast<std::uint8_t>(precision),
          static_cast<std::uint8_t>(scale)};
}
constexpr Type array_of(Type type) {
  type.array = true;
  return type;
}
constexpr Type element_of(Type type) {
  type.array = false;
  return type;
}

/// How cells of a type are kept in memory: booleans, timestamps and dates are integers, bytes are
/// texts.
enum class Physical : std::uint8_t { integer, real, decimal, text, interval, list };

constexpr Physical physical(const Type& type) {
  if (type.array) return Physical::list;
  switch (type.kind) {
    case Type::Kind::boolean:
    case Type::Kind::bigint:
    case Type::Kind::timestamp:
    case Type::Kind::date: return Physical::integer;
    case Type::Kind::double_precision: return Physical::real;
    case Type::Kind::decimal: return Physical::decimal;
    case Type::Kind::text:
    case Type::Kind::bytes: return Physical::text;
    case Type::Kind::interval: return Physical::interval;
  }
  return Physical::text;
}

/// As plans and messages write it: "bigint", "decimal(12,2)", "text[]".
std::string name(const Type& type);
/// Nothing if no type is written so.
std::optional<Type> parse_type(std::string_view text);
/// All kinds, for messages.
std::string type_names();

/// A column of a chunk: what it is called and what it holds.
struct Field {
  std::string name;
  Type type;
  bool operator==(const Field&) const = default;
};
using Schema = std::vector<Field>;

/// "added, channel, time": the names in a message.
std::string column_names(const Schema& schema);

}  // namespace leat::column
