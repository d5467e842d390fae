// The plans of examples/jobs, as they lie there: what `leat demo batch` and its like run.
#pragma once

#include <span>
#include <string_view>

namespace leat::tools {

struct JobPlan {
  /// Below examples/jobs: "batch/daily-summary.plan.json".
  std::string_view path;
  std::string_view text;
};

std::span<const JobPlan> job_plans();
/// The text of the one at `path`. REQUIRES: there is one.
std::string_view job_plan(std::string_view path);

}  // namespace leat::tools
