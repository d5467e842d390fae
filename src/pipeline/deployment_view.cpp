// How a deployed pipeline looks from outside, and what time does to it.
#include <algorithm>
#include <utility>

#include "pipeline/deployment.h"

namespace leat::pipeline {

namespace {

using std::chrono::milliseconds;

/// Wall time may jump: it is looked at so often at least, where something depends on it.
constexpr milliseconds look_interval{30'000};
/// How often it is looked at how far a replay is.
constexpr milliseconds watch_interval{200};
constexpr milliseconds soon{20};
constexpr const char* retired_duty = "end what has been retired for a day";

}  // namespace

Activity Deployment::activity_of(const Deployed& pipeline, const Version& version) const {
  if (pipeline.dropped) return Activity::dropping;
  if (version.role == Role::deployed) return Activity::deployed;
  if (version.role == Role::ended) return Activity::ended;
  const Worker* worker = find_worker(version.number);
  if (worker == nullptr || !worker->plan) return Activity::failed;
  if (version.replay && version.role == Role::replay && version.replay->done) {
    return Activity::finished;
  }
  if (pipeline.paused) return Activity::paused;
  switch (worker->keeper->state()) {
    case Keeper::State::off:
      return worker->plan->mode.type == plan::Mode::Type::batch ? Activity::waiting
                                                                : Activity::recovering;
    case Keeper::State::waiting: return Activity::failing;
    case Keeper::State::given_up: return Activity::failed;
    case Keeper::State::finished:
      return version.role == Role::live ? Activity::waiting : Activity::finished;
    case Keeper::State::at_work: break;
  }
  RunState state = worker->keeper->status()->state;
  return state == RunState::recovering ? Activity::recovering : Activity::running;
}

VersionView Deployment::view_of(const Deployed& pipeline, const Version& version) const {
  VersionView view;
  view.version = version;
  view.activity = activity_of(pipeline, version);
  const Worker* worker = find_worker(version.number);
  if (worker == nullptr) return view;
  if (worker->plan) {
    view.plan = *worker->plan;
  } else {
    view.last_error = worker->plan.error();
    view.failures = 1;
  }
  const Keeper& keeper = *worker->keeper;
  view.status = keeper.status();
  view.restarts = keeper.restarts();
  if (keeper.last_error()) {
    view.failures = keeper.failures().count();
    view.last_error = keeper.last_error();
    view.last_error_ms = keeper.last_error_ms();
  }
  view.next_try_ms = keeper.next_try_ms();
  if (version.role == Role::live) view.next_run_ms = next_run_ms(version);
  view.difference = worker->difference;
  view.is_comparing = worker->is_comparing;
  if (worker->cut_failures.error()) {
    view.cut_failures = worker->cut_failures.count();
    view.cut_error = worker->cut_failures.error();
    auto left = worker->cut_after - environment_.clock.monotonic();
    view.next_cut_ms =
        environment_.clock.wall_ms() + std::max<std::int64_t>(0, left / milliseconds(1));
  }
  return view;
}

PipelineView Deployment::view() const {
  PipelineView view;
  view.name = name_;
  view.now_ms = environment_.clock.wall_ms();
  const Deployed* pipeline = record();
  if (pipeline == nullptr) return view;
  view.created_ms = pipeline->created_ms;
  view.paused = pipeline->paused;
  view.held_up = duties_.held_up(environment_.clock.monotonic(), view.now_ms);
  for (const Version& version : pipeline->versions) {
    view.versions.push_back(view_of(*pipeline, version));
  }
  return view;
}

// ---- Time --------------------------------------------------------------------------------------

void Deployment::end_retired() {
  enqueue([this](Next next) mutable {
    auto over = std::make_shared<std::vector<Version>>();
    auto end = [this, over](Deployed& pipeline) -> Result<std::string> {
      std::int64_t now_ms = environment_.clock.wall_ms();
      for (Version& version : pipeline.versions) {
        if (version.role != Role::retired || now_ms < version.role_ms + retired_ms) continue;
        over->push_back(version);
        version.role = Role::ended;
        version.role_ms = now_ms;
      }
      return "";
    };
    change(end, [this, over, next = std::move(next)](const Result<std::string>& ended) mutable {
      tried(retired_duty, ended ? Result<void>() : fail(ended));
      if (ended) {
        for (const Version& version : *over) {
          remove_output(version, false, [](const Result<void>&) {});
        }
      }
      next();
    });
  });
}

void Deployment::tick() {
  const Deployed* pipeline = record();
  if (pipeline == nullptr || is_closing_) return;
  // What is under way may change all that is looked at here.
  if (is_busy_) return schedule_tick();
  std::int64_t now_ms = environment_.clock.wall_ms();
  bool any_retired_over = false;
  for (const Version& version : pipeline->versions) {
    any_retired_over = any_retired_over ||
                       (version.role == Role::retired && now_ms >= version.role_ms + retired_ms);
  }
  if (any_retired_over && is_due(retired_duty)) end_retired();
  // Of which nothing could be remembered when they ended.
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, worker] : workers_) numbers.push_back(number);
  for (std::uint32_t number : numbers) react(number);
  begin_due_batch();
  watch_replays();
  if (!is_busy_) duties_.forget_unasked(environment_.clock.monotonic());
  schedule_tick();
}

void Deployment::schedule_tick() {
  if (timer_ != 0) environment_.executor.cancel(std::exchange(timer_, 0));
  const Deployed* pipeline = record();
  if (pipeline == nullptr || is_closing_) return;
  std::int64_t now_ms = environment_.clock.wall_ms();
  std::optional<milliseconds> delay;
  auto within = [&](milliseconds wanted) { delay = std::min(delay.value_or(wanted), wanted); };
  if (needs_watching()) within(watch_interval);
  if (auto next = duties_.next_due()) {
    auto left = std::chrono::ceil<milliseconds>(*next - environment_.clock.monotonic());
    within(std::max(left, soon));
  }
  for (const Version& version : pipeline->versions) {
    if (version.role == Role::retired) within(look_interval);
    if (version.role != Role::live || pipeline->paused || version.batch.is_under_way()) continue;
    if (duties_.is_waiting(begin_duty)) continue;
    auto due_ms = next_run_ms(version);
    if (due_ms) within(std::clamp(milliseconds(*due_ms - now_ms), soon, look_interval));
  }
  if (!delay) return;
  timer_ = environment_.executor.after(*delay, [this] {
    timer_ = 0;
    tick();
  });
}

}  // namespace leat::pipeline
