// The plans that are kept in files, with something to read: real events or made-up ones.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "interpreter/interpreter.h"
#include "plan/plan.h"

namespace leat::pipeline {

/// Paths of all `*.plan.json` in tests/plans and examples/jobs, in the repository; sorted.
std::vector<std::string> kept_plans();

struct PlanAndLogs {
  plan::Plan plan;
  /// By the names of topics or files. Records are out of order, and some come twice.
  std::map<std::string, interpreter::Log> logs;
};

/// A plan with some `records` for each of its sources, of a part of the data that is drawn.
PlanAndLogs with_logs(const std::string& path, Random& random, std::size_t records);

}  // namespace leat::pipeline
