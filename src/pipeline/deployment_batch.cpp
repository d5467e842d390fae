// The runs of a deployed pipeline whose plan is a batch: when they begin, and that they have ended.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pipeline/deployment.h"
#include "plan/bound_plan.h"

namespace leat::pipeline {

namespace {

using plan::JsonObject;

constexpr const char* end_duty = "note the end of its run";

}  // namespace

bool Deployment::has_ended(const Version& version) const {
  const Worker* worker = find_worker(version.number);
  return version.role == Role::live && version.batch.is_under_way() && worker != nullptr &&
         worker->keeper->state() == Keeper::State::finished &&
         worker->batch_run == version.batch.count;
}

/// REQUIRES: has_ended().
void Deployment::end_batch(Version& version) const {
  const Worker& worker = *find_worker(version.number);
  // It ended then, however long it took until that could be written down.
  std::int64_t ended_ms = worker.ended_ms == 0 ? environment_.clock.wall_ms() : worker.ended_ms;
  version.batch.ended_ms = std::max(ended_ms, version.batch.begun_ms + 1);
  version.batch.last_epoch = worker.keeper->status()->epochs;
}

void Deployment::finish_batch(std::uint32_t number) {
  const Deployed* pipeline = record();
  const Version* version = pipeline == nullptr ? nullptr : pipeline->find(number);
  if (version == nullptr || !has_ended(*version) || !is_due(end_duty)) return;
  change_by_duty(end_duty, [this, number](Deployed& changed) -> Result<std::string> {
    Version* over = changed.find(number);
    if (over != nullptr && has_ended(*over)) end_batch(*over);
    return "";
  });
}

Result<void> Deployment::begin_batch(Version& version, plan::Parameters values) const {
  std::int64_t begun_ms = std::max(environment_.clock.wall_ms(), version.batch.ended_ms + 1);
  if (!version.open && !values.empty()) {
    return fail(Errc::plan_error, fmt::format("the plan of {} leaves nothing open", name_));
  }
  if (version.open) {
    auto plan = fill_in(*version.open, values, begun_ms);
    if (!plan) return fail(plan);
    if (auto bound = plan::bind(*plan); !bound) return fail(bound);
    version.plan = plan::print(*plan);
    version.hash = plan::hash(*plan);
  }
  ++version.batch.count;
  version.batch.begun_ms = begun_ms;
  version.batch.values = std::move(values);
  return {};
}

void Deployment::run_now(plan::Parameters values, Done done) {
  change_by_command(
      [this, values = std::move(values)](Deployed& pipeline) -> Result<std::string> {
        Version* live = pipeline.live();
        const Worker* worker = live == nullptr ? nullptr : find_worker(live->number);
        bool is_batch =
            worker != nullptr && worker->plan && worker->plan->mode.type == plan::Mode::Type::batch;
        if (!is_batch) {
          return fail(Errc::invalid_request,
                      fmt::format("{} is no batch: it runs all the time", name_));
        }
        if (pipeline.paused) {
          return fail(Errc::invalid_request,
                      fmt::format("{} is paused: `leat pipeline resume {}` first", name_, name_));
        }
        if (has_ended(*live)) end_batch(*live);
        if (live->batch.is_under_way()) {
          return fail(Errc::invalid_request,
                      fmt::format("{} is running since {} s", name_,
                                  (environment_.clock.wall_ms() - live->batch.begun_ms) / 1000));
        }
        if (auto begun = begin_batch(*live, values); !begun) return fail(begun);
        return fmt::format("{} runs", name_);
      },
      std::move(done));
}

std::optional<std::int64_t> Deployment::next_run_ms(const Version& version) const {
  const Worker* worker = find_worker(version.number);
  if (worker == nullptr || !worker->schedule) return std::nullopt;
  // What was to be while the server was not there, or the pipeline was paused, is made up for once;
  // what was to be while a run was under way is not.
  std::int64_t from = std::max({version.role_ms, version.batch.begun_ms, version.batch.ended_ms});
  return worker->schedule->next_after(from);
}

void Deployment::begin_due_batch() {
  const Deployed* pipeline = record();
  const Version* live = pipeline->live();
  bool may_begin = live != nullptr && !pipeline->paused && !pipeline->dropped;
  if (!may_begin || live->batch.is_under_way()) return;
  auto is_time = [this](const Version& version) {
    auto due_ms = next_run_ms(version);
    return due_ms && *due_ms <= environment_.clock.wall_ms();
  };
  if (!is_time(*live) || !is_due(begin_duty)) return;
  change_by_duty(begin_duty, [this, is_time](Deployed& changed) -> Result<std::string> {
    Version* now_live = changed.live();
    if (now_live == nullptr || changed.paused || changed.dropped) return "";
    if (now_live->batch.is_under_way() || !is_time(*now_live)) return "";
    if (auto begun = begin_batch(*now_live, {}); !begun) return fail(begun);
    return "";
  });
}

}  // namespace leat::pipeline
