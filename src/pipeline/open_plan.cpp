#include "pipeline/open_plan.h"

#include <utility>

#include <fmt/format.h>

namespace leat::pipeline {

namespace {

plan::Parameters all_values(const OpenPlan& open, const plan::Parameters& values,
                            std::int64_t begun_ms) {
  plan::Parameters all = values;
  all.merge(plan::Parameters(open.values));
  all.merge(plan::run_parameters(begun_ms));
  return all;
}

}  // namespace

Result<plan::Plan> fill_in(const OpenPlan& open, const plan::Parameters& values,
                           std::int64_t begun_ms) {
  auto filled = plan::fill_in(open.text, all_values(open, values, begun_ms));
  if (!filled) return fail(filled);
  for (const auto* given : {&open.values, &values}) {
    for (const auto& [name, value] : *given) {
      if (filled->names.contains(name)) continue;
      return fail(Errc::plan_error,
                  fmt::format("'{}' has a value, and the plan has no ${{{}}}", name, name));
    }
  }
  return plan::parse(filled->text);
}

bool is_open(const OpenPlan& open) {
  auto filled = plan::fill_in(open.text, all_values(open, {}, 0));
  return filled && !filled->names.empty();
}

}  // namespace leat::pipeline
