// Rows that have no event time.
#pragma once

#include "plan/bound_plan.h"

namespace leat::plan {

/// Whether it is a file whose lines have no time.
bool is_untimed(const Source& source);

/// The lines of a file have no time but the one that a column says. Without it they may be
/// filtered, projected, looked up in tables and written, not counted by time. Errc::plan_error with
/// the place of a node that would need it, and of the source.
Result<void> check_untimed_rows(const BoundPlan& plan);

}  // namespace leat::plan
