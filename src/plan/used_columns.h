// Which columns anybody looks at: what sources need not decode.
#pragma once

#include <vector>

#include "plan/bound_plan.h"

namespace leat::plan {

/// For each node, by the columns that it gives, whether something that comes out depends on them:
/// nodes behind it, sinks, dead letters. A column that is not used is never looked at, so what is
/// wrong with it in a record is nobody's concern.
std::vector<std::vector<bool>> used_columns(const BoundPlan& plan);

}  // namespace leat::plan
