// A plan that waits longer for rows, so that those count that were late.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "plan/plan.h"

namespace leat::pipeline {

/// The plan with so much more disorder in what its sources read: rows that came no later than that
/// behind the watermark are not late in it, each window still gives its result once, and all
/// results come so much later. Errc::plan_error if that is more than a plan may say.
Result<plan::Plan> late_plan(plan::Plan plan, std::int64_t late_ms);

}  // namespace leat::pipeline
