// What chunks hold in memory beside what is asked of them.
#pragma once

#include <cstddef>

#include "plan/bound_plan.h"

namespace leat::operators {

/// What a row of a chunk that the node gives holds in memory at most, without its texts. Columns
/// share the memory of those that they were decoded or computed with, so whoever keeps one of them
/// keeps all.
std::size_t chunk_row_bytes(const plan::BoundPlan& plan, std::size_t node);

}  // namespace leat::operators
