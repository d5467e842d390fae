// The five jobs that `leat demo NAME` shows, each over the plans of examples/jobs/NAME. A job ends
// by holding its result against what plain loops over the same events make of them.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "plan/parameters.h"
#include "plan/plan.h"
#include "tools/demo_stage.h"

namespace leat::tools {

struct DemoJob {
  const char* name;
  const char* summary;
  const char* examples;
  Result<void> (*play)(DemoStage& stage);
};

std::span<const DemoJob> demo_jobs();

Result<void> play_batch(DemoStage& stage);
Result<void> play_fraud(DemoStage& stage);
Result<void> play_micro_batch(DemoStage& stage);
Result<void> play_lambda(DemoStage& stage);
Result<void> play_kappa(DemoStage& stage);

/// Tells what comes next, and below it the command that does the same by hand.
void tell_step(std::string_view what, std::string_view command = {});

/// The plan of examples/jobs at that path, with those values.
Result<plan::Plan> read_job_plan(std::string_view path, const plan::Parameters& values,
                                 const Clock& clock);

}  // namespace leat::tools
