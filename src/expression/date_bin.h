// date_bin, as PostgreSQL has it.
#pragma once

#include "expression/kernel.h"

namespace leat::expression {

/// Nothing for other calls.
Kernel date_bin_kernel(const plan::BoundExpression& call);

}  // namespace leat::expression
