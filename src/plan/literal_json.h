// Literals between JSON and values.
#pragma once

#include <optional>

#include "plan/json.h"
#include "plan/expression.h"

namespace leat::plan {

/// How expression.h says literals are written. REQUIRES: no NULL, no array.
Json literal_json(const Type& type, const Value& value);

/// The value that `json` spells. Nothing if it spells none of this type; a decimal's scale, and
/// with it its type, is what is written.
std::optional<Value> read_literal(Type::Kind kind, const Json& json);

/// A number without fraction and exponent that fits.
std::optional<std::int64_t> read_integer(const Json& json);
Json integer_json(std::int64_t value);
/// Any number, as the nearest double; nothing if that is not finite.
std::optional<double> read_double(const Json& json);
Json double_json(double value);

}  // namespace leat::plan
