// In what a plan differs from another one, as far as the state of a run hangs on it.
#pragma once

#include <string>
#include <string_view>

#include "plan/plan.h"

namespace leat::plan {

/// The plan's canonical JSON without what no state depends on: what the plan is called, its mode,
/// where its results, late rows and bad ones go, and when a partition is idle.
std::string state_text(const Plan& plan);

/// The first place where two such texts differ, and how: "nodes[2] 'per_minute' window.size_ms was
/// 60000 and is 300000". Empty if they are the same.
std::string difference(std::string_view was, std::string_view is);

}  // namespace leat::plan
