// Two runs brought to the same place.
#pragma once

#include <memory>

#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "pipeline/run.h"

namespace leat::pipeline {

/// Has both runs read exactly up to the same positions, the later of each partition's, commit that
/// and pause; then calls `done` on the executor with the positions of all partitions. They are left
/// paused. Where that fails or takes longer than `patience`, both go on, and `done` gets the error.
using CutDone = UniqueFunction<void(Result<Positions>)>;
void cut(Executor& executor, const std::shared_ptr<Run>& live, const std::shared_ptr<Run>& other,
         std::chrono::nanoseconds patience, CutDone done);

/// The later ones of two lists, of all partitions that are in either.
Positions later_of(const Positions& a, const Positions& b);
/// Those of `all` that `some` names.
Positions of_names(const Positions& all, const Positions& some);
/// How many records of the partitions that both have `behind` has yet to read up to `ahead`.
std::int64_t records_between(const Positions& behind, const Positions& ahead);

}  // namespace leat::pipeline
