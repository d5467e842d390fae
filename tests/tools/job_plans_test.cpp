// The plans of the five jobs: those that lie in examples/jobs, and those that the program carries.
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "plan/bound_plan.h"
#include "plan/parameters.h"
#include "repository.h"
#include "tools/job_plans.h"

TEST_SUITE_BEGIN("tools");

using namespace leat;
using namespace leat::tools;

namespace {

std::map<std::string, std::string> plan_files() {
  std::map<std::string, std::string> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(repository_path("examples/jobs"))) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(".plan.json")) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    files[entry.path().parent_path().filename().string() + "/" + name] = text.str();
  }
  return files;
}

}  // namespace

TEST_CASE("the program carries the plans of the jobs as they lie in the examples") {
  auto files = plan_files();
  CHECK(files.size() == job_plans().size());
  for (const JobPlan& plan : job_plans()) {
    CAPTURE(std::string(plan.path));
    CHECK(files[std::string(plan.path)] == plan.text);
    CHECK(job_plan(plan.path) == plan.text);
  }
}

TEST_CASE("each plan of a job makes sense, with a date where it has no default") {
  constexpr std::int64_t now_ms = 1'772'409'600'000;
  plan::Parameters values = plan::run_parameters(now_ms);
  values["date"] = "2026-03-02";
  for (const JobPlan& job : job_plans()) {
    CAPTURE(std::string(job.path));
    auto filled = plan::fill_in(job.text, values);
    REQUIRE_MESSAGE(filled.has_value(), filled.error().what);
    auto plan = plan::parse(filled->text);
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    auto bound = plan::bind(*plan);
    CHECK_MESSAGE(bound.has_value(), bound.error().what);
  }
}

TEST_SUITE_END();
