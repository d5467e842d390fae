#include "tools/job_plans.h"

#include <algorithm>

#include "base/assert.h"

namespace leat::tools {

namespace {

constexpr JobPlan all_plans[] = {
#include "job_plan_texts.inc"
};

}  // namespace

std::span<const JobPlan> job_plans() {
  return all_plans;
}

std::string_view job_plan(std::string_view path) {
  const auto* found = std::find_if(std::begin(all_plans), std::end(all_plans),
                                   [&](const JobPlan& plan) { return plan.path == path; });
  ASSERT(found != std::end(all_plans));
  return found->text;
}

}  // namespace leat::tools
