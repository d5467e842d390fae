#include "plan/untimed_rows.h"

#include <optional>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace leat::plan {

namespace {

// Whether the node does the same with a row whenever that happened.
bool passes_any_time(const Node& node) {
  const auto* join = std::get_if<Join>(&node.body);
  return std::holds_alternative<Filter>(node.body) || std::holds_alternative<Project>(node.body) ||
         std::holds_alternative<Unnest>(node.body) || std::holds_alternative<Union>(node.body) ||
         std::holds_alternative<Rekey>(node.body) || std::holds_alternative<Sink>(node.body) ||
         (join != nullptr && join->kind == Join::Kind::table);
}

}  // namespace

bool is_untimed(const Source& source) {
  return !source.file.empty() && source.event_time.empty() && !source.upsert;
}

Result<void> check_untimed_rows(const BoundPlan& plan) {
  // By node, the source whose rows without time it gives.
  std::vector<std::optional<std::size_t>> untimed(plan.nodes.size());
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const BoundNode& bound = plan.nodes[i];
    const auto* source = std::get_if<Source>(&bound.node->body);
    if (source != nullptr && is_untimed(*source)) untimed[i] = i;
    for (std::size_t input : bound.inputs) {
      if (!untimed[input]) continue;
      untimed[i] = untimed[input];
      if (passes_any_time(*bound.node)) continue;
      return fail(Errc::plan_error,
                  fmt::format("{}: it goes by time, and {} has none: its event_time names the "
                              "column that says when a line happened",
                              place_of(*plan.plan, i), place_of(*plan.plan, *untimed[input])));
    }
  }
  return {};
}

}  // namespace leat::plan
