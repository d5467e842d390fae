// Whether a value is NULL.
#pragma once

#include "expression/kernel.h"

namespace leat::expression {

/// Of is_null(), and of what rewritten() makes of `not is_null()`; nothing for other calls.
Kernel null_test_kernel(const plan::BoundExpression& call);
Selector null_test_selector(const plan::BoundExpression& call);

}  // namespace leat::expression
