// Which version is live: a promotion, and its reverse, which is one too.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "pipeline/cut.h"
#include "pipeline/deployment.h"
#include "pipeline/plan_traits.h"

namespace leat::pipeline {

namespace {

using plan::JsonObject;

constexpr std::chrono::seconds cut_patience{10};
/// After a cut that came to nothing, which held both versions up.
constexpr std::chrono::seconds cut_pause{30};

}  // namespace

std::shared_ptr<Run> Deployment::run_of(std::uint32_t number) const {
  const Worker* worker = find_worker(number);
  bool is_there = worker != nullptr && worker->keeper->run() && !worker->keeper->is_stopping();
  return is_there ? worker->keeper->run() : nullptr;
}

std::shared_ptr<Run> Deployment::live_run() const {
  const Deployed* pipeline = record();
  const Version* live = pipeline == nullptr ? nullptr : pipeline->live();
  return live == nullptr ? nullptr : run_of(live->number);
}

bool Deployment::live_stands_still() const {
  const Deployed* pipeline = record();
  const Version* live = pipeline == nullptr ? nullptr : pipeline->live();
  if (live == nullptr) return false;
  const Worker* worker = find_worker(live->number);
  if (pipeline->paused || worker == nullptr) return true;
  Keeper::State state = worker->keeper->state();
  return state == Keeper::State::waiting || state == Keeper::State::given_up;
}

void Deployment::promote(std::uint32_t number, Done done) {
  const Deployed* pipeline = record();
  const Version* version = pipeline == nullptr ? nullptr : pipeline->find(number);
  if (version == nullptr || pipeline->dropped) {
    return done(fail(Errc::not_found, fmt::format("{} has no version {}", name_, number)));
  }
  if (version->role == Role::live) {
    return done(JsonObject{{"message", fmt::format("version {} of {} is live", number, name_)}});
  }
  const Worker* worker = find_worker(number);
  bool is_batch =
      worker != nullptr && worker->plan && worker->plan->mode.type == plan::Mode::Type::batch;
  if (is_batch) {
    // A batch begins anew each time: there is no place to take over at.
    return change_by_command(
        [this, number](Deployed& changed) { return swap_roles(changed, number, {}); },
        std::move(done));
  }
  if (live_stands_still()) return promote_from_halt(number, std::move(done));
  bool follows = version->role == Role::shadow || version->role == Role::retired;
  bool will_follow = version->role == Role::replay && version->replay->to.empty();
  if (!follows && !will_follow) {
    return done(fail(
        Errc::invalid_request,
        fmt::format("version {} of {} does not follow what arrives, so it cannot take over: `leat "
                    "pipeline replay {} --version {} --promote` has it read the history first",
                    number, name_, name_, number)));
  }
  change_by_command(
      [this, number, follows](Deployed& changed) -> Result<std::string> {
        Version* found = changed.find(number);
        if (found == nullptr) return fail(Errc::not_found, "the version is gone");
        for (Version& other : changed.versions) other.promotes = false;
        found->promotes = true;
        if (found->replay) found->replay->only_if_same = false;
        return follows ? fmt::format("version {} of {} becomes live", number, name_)
                       : fmt::format("version {} of {} becomes live when it has caught up", number,
                                     name_);
      },
      std::move(done));
}

Result<std::string> Deployment::swap_roles(Deployed& pipeline, std::uint32_t number,
                                           const Positions& inputs) const {
  Version* live = pipeline.live();
  Version* next = pipeline.find(number);
  if (live == nullptr || next == nullptr) return fail(Errc::not_found, "the version is gone");
  auto live_plan = plan::parse(live->plan);
  auto next_plan = plan::parse(next->plan);
  if (!next_plan) return fail(next_plan);
  LogPosition end{LogPosition::Kind::end, 0};
  auto begins = environment_.data.find(written_topics(*next_plan), end);
  if (!begins) return fail(begins);
  std::int64_t now_ms = environment_.clock.wall_ms();
  if (live_plan && !live->stints.empty()) {
    auto ends = environment_.data.find(written_topics(*live_plan), end);
    if (!ends) return fail(ends);
    live->stints.back().end = std::move(*ends);
  }
  live->role = Role::retired;
  live->role_ms = now_ms;
  next->role = Role::live;
  next->role_ms = now_ms;
  next->promotes = false;
  next->stints.push_back({now_ms, inputs, std::move(*begins), {}});
  return fmt::format(
      "version {} of {} is live; version {} goes on as a shadow for 24 hours: `leat "
      "pipeline promote {} {}` makes it live again",
      number, name_, live->number, name_, live->number);
}

void Deployment::promote_at_cut(std::uint32_t number) {
  enqueue([this, number](Next next) mutable {
    std::shared_ptr<Run> live = live_run();
    std::shared_ptr<Run> other = run_of(number);
    const Deployed* pipeline = record();
    const Version* version = pipeline == nullptr ? nullptr : pipeline->find(number);
    if (!live || !other || version == nullptr || !version->promotes) return next();
    auto resume = [live, other] {
      live->resume();
      other->resume();
    };
    cut(environment_.executor, live, other, cut_patience,
        later([this, number, resume, next = std::move(next)](Result<Positions> met) mutable {
          if (!met) {
            log_info("pipeline {}: version {} is not live yet: {}", name_, number,
                     met.error().what);
            workers_.at(number).cut_after = environment_.clock.monotonic() + cut_pause;
            return next();
          }
          change(
              [this, number, at = std::move(*met)](Deployed& changed) {
                return swap_roles(changed, number, at);
              },
              [this, resume, next = std::move(next)](const Result<std::string>& swapped) mutable {
                if (swapped) {
                  log_info("pipeline {}: {}", name_, *swapped);
                } else {
                  log_warning("pipeline {}: {}", name_, swapped.error().what);
                  resume();
                }
                next();
              });
        }));
  });
}

// Where the live version stands is known by a run of it that reads nothing. One that took over from
// another and has not come that far stands where it took over: what is before that has been given.
void Deployment::find_halt(UniqueFunction<void(Result<Positions>)> done) {
  const Version& live = *record()->live();
  Worker& worker = worker_of(live);
  if (!worker.plan) return done(fail(worker.plan));
  VersionRun::Options options = options_of(live, worker);
  worker.is_held = true;
  Positions taken_over = live.stints.empty() ? Positions() : live.stints.back().inputs;
  worker.keeper->stop([this, options = std::move(options), taken_over = std::move(taken_over),
                       done = std::move(done)]() mutable {
    std::shared_ptr<Run> run = environment_.start(std::move(options));
    run->pause(later([this, run, taken_over = std::move(taken_over),
                      done = std::move(done)](const Result<void>& paused) mutable {
      Positions stands = run->positions();
      Positions halt = of_names(later_of(stands, taken_over), stands);
      Result<Positions> found = paused ? Result<Positions>(std::move(halt)) : fail(paused);
      run->stop(later([run, found = std::move(found), done = std::move(done)](
                          const Result<void>&) mutable { done(std::move(found)); }));
    }));
  });
}

/// Those of the positions that the version's plan reads, too.
Result<Positions> Deployment::of_next_plan(std::uint32_t number, const Positions& at) const {
  auto plan = plan::parse(record()->find(number)->plan);
  if (!plan) return fail(plan);
  auto read = environment_.data.find(source_topics(*plan), {LogPosition::Kind::start, 0});
  if (!read) return fail(read);
  return of_names(at, *read);
}

void Deployment::promote_from_halt(std::uint32_t number, Done done) {
  enqueue([this, number, done = std::move(done)](Next next) mutable {
    // Much may have been done since it was asked for.
    const Deployed* known = record();
    const Version* version = known == nullptr ? nullptr : known->find(number);
    bool is_there = version != nullptr && known->live() != nullptr && !known->dropped;
    if (!is_there || version->role == Role::live) {
      next();
      return is_there ? done(JsonObject{
                            {"message", fmt::format("version {} of {} is live", number, name_)}})
                      : done(fail(Errc::not_found,
                                  fmt::format("{} has no version {} any more", name_, number)));
    }
    auto answer = [this, done = std::make_shared<Done>(std::move(done)),
                   next = std::make_shared<Next>(std::move(next))](Result<std::string> promoted) {
      // Whatever came of it, the right ones are to be at work.
      for (auto& [other, worker] : workers_) worker.is_held = false;
      reconcile([done, next, promoted = std::move(promoted)]() mutable {
        if (promoted) {
          (*done)(JsonObject{{"message", std::move(*promoted)}});
        } else {
          (*done)(fail(promoted));
        }
        (*next)();
      });
    };
    find_halt([this, number, answer](Result<Positions> halt) {
      if (!halt) {
        return answer(fail(halt.error().code,
                           fmt::format("where the live version of {} stands cannot be found: {}",
                                       name_, halt.error().what)));
      }
      auto here = of_next_plan(number, *halt);
      if (!here) return answer(fail(here));
      auto set_aside = [number](Deployed& pipeline) -> Result<std::string> {
        pipeline.find(number)->role = Role::deployed;
        return "";
      };
      change(set_aside,
             [this, number, answer, at = std::move(*here)](const Result<std::string>& aside) {
               if (!aside) return answer(fail(aside));
               remove_output(*record()->find(number), false,
                             [this, number, answer, at](const Result<void>& removed) {
                               if (!removed) return answer(fail(removed));
                               change(
                                   [this, number, at](Deployed& pipeline) -> Result<std::string> {
                                     Replay replay;
                                     bool looks_back = true;
                                     if (auto plan = plan::parse(pipeline.find(number)->plan)) {
                                       looks_back = !is_stateless(*plan);
                                     }
                                     (looks_back ? replay.silent_to : replay.begin) = at;
                                     replay.begun_ms = environment_.clock.wall_ms();
                                     replay.done = true;
                                     pipeline.find(number)->replay = replay;
                                     return swap_roles(pipeline, number, at);
                                   },
                                   answer);
                             });
             });
    });
  });
}

}  // namespace leat::pipeline
