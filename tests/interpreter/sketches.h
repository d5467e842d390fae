// The two aggregates that may be off by a little, and must be off by the same everywhere.
// plan/functions.h says what they are.
#pragma once

#include "interpreter/order.h"

namespace leat::interpreter {

/// REQUIRES: no NULL, each value once.
std::int64_t approximate_count(const Values& values);

/// NULL if there are none. REQUIRES: doubles.
plan::Value percentile(const Values& values, double fraction);

}  // namespace leat::interpreter
