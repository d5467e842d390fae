// Decimals that have not been fitted into their type yet.
#pragma once

#include "interpreter/big.h"
#include "plan/expression.h"

namespace leat::interpreter {

/// units / 10^scale as a value of that decimal type, halves rounded away from zero. Throws BadValue
/// if it has too many digits before the point.
plan::Decimal decimal_value(const Big& units, int scale, const plan::Type& type);

}  // namespace leat::interpreter
