#include "leat/types.h"

#include <cmath>

#include "column/value.h"
#include "flow/graph.h"

namespace leat::flow {

Error::~Error() = default;

namespace detail {

// Both list the same kinds in the same order.
static_assert(static_cast<int>(Type::interval) == static_cast<int>(column::Type::interval));
static_assert(static_cast<int>(Type::bytes) == static_cast<int>(column::Type::bytes));

plan::Type plan_type(const Type& type) {
  plan::Type out(static_cast<plan::Type::Kind>(type.kind), type.precision, type.scale);
  out.array = type.array;
  bool decimal = type.kind == Type::decimal;
  if (!decimal && type.precision + type.scale == 0) return out;
  bool good = decimal && type.precision >= 1 && type.precision <= column::precision_max &&
              type.scale <= type.precision;
  if (!good) throw Error("there is no type " + column::name(out));
  return out;
}

Type public_type(const plan::Type& type) {
  Type out(static_cast<Type::Kind>(type.kind));
  out.precision = type.precision;
  out.scale = type.scale;
  out.array = type.array;
  return out;
}

std::string decimal_text(Int128 units, int scale) {
  return column::decimal_text({units, scale});
}

bool parse_decimal(std::string_view text, int precision, int scale, Int128& units) {
  auto digits = column::parse_decimal(text);
  if (!digits || digits->scale > scale) return false;
  int room = precision - (scale - digits->scale);
  auto limit = room >= 0 ? column::power_of_ten(room) : Int128{0};
  if (digits->units >= limit && digits->units != 0) return false;
  if (-digits->units >= limit && digits->units != 0) return false;
  units = digits->units * column::power_of_ten(scale - digits->scale);
  return true;
}

double decimal_value(Int128 units, int scale) {
  return std::stod(decimal_text(units, scale));
}

}  // namespace detail

std::string name_of(const Type& type) {
  return column::name(detail::plan_type(type));
}

}  // namespace leat::flow
