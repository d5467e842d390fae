#include "pipeline/late_plan.h"

#include "plan/bound_plan.h"

namespace leat::pipeline {

Result<plan::Plan> late_plan(plan::Plan plan, std::int64_t late_ms) {
  for (plan::Node& node : plan.nodes) {
    auto* source = std::get_if<plan::Source>(&node.body);
    if (source == nullptr || source->upsert) continue;
    if (__builtin_add_overflow(source->disorder_ms, late_ms, &source->disorder_ms)) {
      return fail(Errc::plan_error, "so late can no row be");
    }
  }
  if (auto bound = plan::bind(plan); !bound) return fail(bound);
  return plan;
}

}  // namespace leat::pipeline
