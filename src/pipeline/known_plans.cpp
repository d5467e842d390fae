#include "pipeline/known_plans.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pipeline/plan_traits.h"
#include "pipeline/union_view.h"

namespace leat::pipeline {

namespace {

bool is_batch(const plan::Plan& plan) {
  return plan.mode.type == plan::Mode::Type::batch;
}

/// Without what a path may have or not have: "/out//rows/" is "/out/rows".
std::string plain_path(std::string_view path) {
  std::string plain;
  if (path.starts_with('/')) plain.push_back('/');
  std::size_t at = 0;
  while (at < path.size()) {
    std::size_t end = std::min(path.find('/', at), path.size());
    std::string_view part = path.substr(at, end - at);
    if (!part.empty() && part != ".") {
      if (!plain.empty() && !plain.ends_with('/')) plain.push_back('/');
      plain.append(part);
    }
    at = end + 1;
  }
  return plain;
}

bool writes_to(const plan::Plan& plan, const std::string& folder) {
  auto folders = sink_folders(plan);
  return std::any_of(folders.begin(), folders.end(),
                     [&](const std::string& other) { return plain_path(other) == folder; });
}

/// Whether two plans may write to one folder.
bool go_together(const plan::Plan& plan, const KnownPlan& other) {
  if (other.has_ended) return true;
  // A version beside the live one has a folder of its own until it takes over.
  bool is_same_kind = is_batch(plan) == is_batch(other.plan);
  return is_same_kind && (is_batch(plan) || other.pipeline == plan.name);
}

}  // namespace

std::vector<KnownPlan> known_plans(const Catalog& catalog) {
  std::vector<KnownPlan> plans;
  for (const auto& [name, deployed] : catalog.pipelines()) {
    for (const Version& version : deployed.versions) {
      auto plan = plan::parse(version.plan);
      if (!plan) continue;
      plans.push_back({name, version.number, version.role == Role::ended, std::move(*plan)});
    }
  }
  return plans;
}

const std::string* owner_of_view(const std::vector<KnownPlan>& plans, std::string_view view,
                                 std::string_view but) {
  auto found = std::find_if(plans.begin(), plans.end(), [&](const KnownPlan& known) {
    return known.pipeline != but && view_number(known.plan, view);
  });
  return found == plans.end() ? nullptr : &found->pipeline;
}

Result<void> check_folders(const plan::Plan& plan, const std::vector<KnownPlan>& others) {
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto* sink = std::get_if<plan::Sink>(&plan.nodes[i].body);
    if (sink == nullptr || sink->files.empty()) continue;
    std::string folder = plain_path(sink->files);
    for (const KnownPlan& other : others) {
      if (!writes_to(other.plan, folder) || go_together(plan, other)) continue;
      std::string who = "pipeline " + other.pipeline;
      if (other.pipeline == plan.name) {
        who = other.version ? fmt::format("version {} of this pipeline", *other.version)
                            : "this pipeline, as it is being deployed";
      }
      return fail(
          Errc::plan_error,
          fmt::format("{}: {}, {}, writes files to {}, and what both write would be there "
                      "side by side: give it a folder of its own",
                      plan::place_of(plan, i), who,
                      is_batch(other.plan) ? "a batch" : "which is always at work", folder));
    }
  }
  return {};
}

}  // namespace leat::pipeline
