// How much of history a plan has to have read before what it gives is right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/positions.h"
#include "pipeline/version_data.h"
#include "plan/bound_plan.h"

namespace leat::pipeline {

/// What a plan that is at some event time still knows of earlier rows.
struct Reach {
  /// Rows of so much before the watermark may count; nothing where any row may.
  std::optional<std::int64_t> ms = 0;
  /// The node that looks back furthest, and why: "nodes[1] 'per_hour' has windows of 1 h".
  std::string because;
  /// Topics of tables, which are read from their starts whatever `ms` says.
  std::vector<std::string> tables;
};

Reach reach_of(const plan::BoundPlan& plan);

/// How far event times of the topic's rows may be ahead of their records' timestamps; nothing for
/// any distance.
std::optional<std::int64_t> ahead_of_records(const plan::Plan& plan, const std::string& topic);

/// What a version of the plan reads in silence before `silent_to`.
struct WarmUp {
  /// Topics that are not named: from their starts.
  Positions begin;
  /// Where it begins, and why there.
  std::string text;
};

/// As little as gives from `silent_to` on what a version gives that has read all. Blocks for the
/// disk.
Result<WarmUp> plan_warm_up(const plan::Plan& plan, VersionData& data, const Positions& silent_to);

}  // namespace leat::pipeline
