// Rows of values of all types, with what is hard about each.
#pragma once

#include "base/random.h"
#include "interpreter/order.h"
#include "plan/expression.h"

namespace leat::expression {

/// Columns of all types, of some more than one.
plan::Schema all_types();

column::Value random_value(Random& random, const plan::Type& type);
interpreter::Values random_row(Random& random, const plan::Schema& schema);

}  // namespace leat::expression
