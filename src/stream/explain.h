// What a plan does, for people.
#pragma once

#include <string>

#include "plan/bound_plan.h"

namespace leat::stream {

/// The plan's nodes with what they read, keep and give, and what of it depends on the order in
/// which rows come: some lines of text.
std::string explain(const plan::BoundPlan& plan);

}  // namespace leat::stream
