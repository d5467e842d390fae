#include "tools/demo_jobs.h"

#include <cstdio>

#include <fmt/core.h>

#include "tools/job_plans.h"
#include "tools/plan_files.h"

namespace leat::tools {

namespace {

constexpr DemoJob all_jobs[] = {
    {"batch", "A shop's daily summary, as a batch that is run again",
     "  leat demo batch\n"
     "  leat demo batch --data shop --keep     leaves data and results in shop/, and the server\n"
     "It shows each step, and the command for it. examples/jobs/batch has the plan.",
     play_batch},
    {"fraud", "Alerts within milliseconds, as a stream",
     "  leat demo fraud\n"
     "examples/jobs/fraud has the plan, and examples/fraud the same as programs.",
     play_fraud},
    {"micro-batch", "Revenue in windows, told every few seconds, over a restart",
     "  leat demo micro-batch\n"
     "examples/jobs/micro-batch has the plan.",
     play_micro_batch},
    {"lambda", "Revenue by day, as a batch, and by minute, as a stream, read as one table",
     "  leat demo lambda\n"
     "examples/jobs/lambda has the plan, which is one for both.",
     play_lambda},
    {"kappa", "A rule changes: history is read again, and readers are switched over and back",
     "  leat demo kappa\n"
     "examples/jobs/kappa has both versions of the plan.",
     play_kappa},
};

}  // namespace

std::span<const DemoJob> demo_jobs() {
  return all_jobs;
}

void tell_step(std::string_view what, std::string_view command) {
  fmt::print("\n{}\n", what);
  if (!command.empty()) fmt::print("  $ {}\n", command);
  std::fflush(stdout);
}

Result<plan::Plan> read_job_plan(std::string_view path, const plan::Parameters& values,
                                 const Clock& clock) {
  return PlanFiles(values, clock.wall_ms()).parse(std::string(path), std::string(job_plan(path)));
}

}  // namespace leat::tools
