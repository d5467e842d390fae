// The types of columns, and single values of them.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace leat::column {

/// Named as SQL names them. Stored in snapshots: new ones are added at the end.
enum class Type : std::uint8_t { boolean, bigint, double_precision, text, timestamp };

/// The type's name in plans and messages, such as "bigint".
std::string_view name(Type type);

/// How a type is kept in memory: booleans and timestamps are integers.
enum class Physical : std::uint8_t { integer, real, text };

constexpr Physical physical(Type type) {
  if (type == Type::double_precision) return Physical::real;
  return type == Type::text ? Physical::text : Physical::integer;
}

/// Milliseconds since 1970 UTC.
struct Timestamp {
  std::int64_t ms = 0;
  friend auto operator<=>(Timestamp, Timestamp) = default;
};

/// One value that owns its bytes; std::monostate is NULL.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Timestamp>;

/// A column of a chunk: what it is called and what it holds.
struct Field {
  std::string name;
  Type type;
  bool operator==(const Field&) const = default;
};

}  // namespace leat::column
