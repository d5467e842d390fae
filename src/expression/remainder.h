// Comparisons of remainders, as samples are taken by and groups of keys: `number % 100 < 5`.
#pragma once

#include "expression/kernel.h"

namespace leat::expression {

/// Of what rewritten() makes of them; nothing for other calls.
Kernel remainder_kernel(const plan::BoundExpression& call);
Selector remainder_selector(const plan::BoundExpression& call);

}  // namespace leat::expression
