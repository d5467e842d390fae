// Real runs for the service.
#pragma once

#include "pipeline/run.h"
#include "pipeline/version_run.h"

namespace leat::pipeline {

/// Starts runs in this environment, what of it is referred to outliving them.
StartRun version_runs(const VersionRun::Environment& environment);

}  // namespace leat::pipeline
