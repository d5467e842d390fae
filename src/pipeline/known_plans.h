// The plans of all pipelines of a server, for what only one of them may have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/catalog.h"
#include "plan/plan.h"

namespace leat::pipeline {

/// Of a version, or of what is being deployed.
struct KnownPlan {
  std::string pipeline;
  /// Nothing as long as it is being deployed.
  std::optional<std::uint32_t> version;
  /// Nothing is kept of it but what it wrote.
  bool has_ended = false;
  plan::Plan plan;
};

/// Those that the catalog has, as far as they can be read.
std::vector<KnownPlan> known_plans(const Catalog& catalog);

/// The pipeline, other than `but`, that has a view of that name; null if none has.
const std::string* owner_of_view(const std::vector<KnownPlan>& plans, std::string_view view,
                                 std::string_view but = "");

/// Whether nobody else writes files where the plan does: else Errc::plan_error, naming both. What a
/// batch writes replaces what batches wrote; all else adds to what is there, and only one may.
Result<void> check_folders(const plan::Plan& plan, const std::vector<KnownPlan>& others);

}  // namespace leat::pipeline
