// The types of columns and of values in plans.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::plan {

/// Named as PostgreSQL names them, "double" for its "double precision". A timestamp is a moment,
/// in milliseconds since 1970 UTC: what records, watermarks and windows count in. Texts are ordered
/// by their bytes. A double is finite and no negative zero: no comparison has a case of its own.
struct Type {
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

/// As plans and messages write it: "bigint", "decimal(12,2)", "text[]".
std::string name(const Type& type);
/// Nothing if no type is written so.
std::optional<Type> parse_type(std::string_view text);
/// All kinds, for messages.
std::string type_names();

struct Field {
  std::string name;
  Type type;
  bool operator==(const Field&) const = default;
};
using Schema = std::vector<Field>;

/// "added, channel, time": the names in a message.
std::string column_names(const Schema& schema);

}  // namespace leat::plan
