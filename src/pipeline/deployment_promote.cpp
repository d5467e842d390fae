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
/// Whoever fails so often in a row, which takes some ten seconds, is waited for no longer.
constexpr std::uint32_t failures_max = 3;

std::string message_of(const JsonObject& answer) {
  auto message = answer.find("message");
  return message == answer.end() ? "" : std::get<std::string>(message->second);
}

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
  if (pipeline->paused || worker == nullptr || !worker->plan) return true;
  // A batch stands where its last run has ended.
  bool is_batch = worker->plan->mode.type == plan::Mode::Type::batch;
  if (is_batch && !live->batch.is_under_way()) return true;
  Keeper::State state = worker->keeper->state();
  return state == Keeper::State::waiting || state == Keeper::State::given_up;
}

bool Deployment::live_is_in_a_batch() const {
  const Deployed* pipeline = record();
  const Version* live = pipeline == nullptr ? nullptr : pipeline->live();
  if (live == nullptr || live_has_halted()) return false;
  const Worker* worker = find_worker(live->number);
  return worker != nullptr && worker->plan && worker->plan->mode.type == plan::Mode::Type::batch;
}

bool Deployment::live_has_halted() const {
  if (!live_stands_still()) return false;
  const Worker* worker = find_worker(record()->live()->number);
  bool will_try = worker != nullptr && worker->keeper->state() == Keeper::State::waiting;
  return !will_try || worker->keeper->failures().count() >= failures_max;
}

void Deployment::promote(std::uint32_t number, Done done) {
  enqueue([this, number, done = std::move(done)](Next next) mutable {
    auto answer = [&](Result<JsonObject> said) {
      done(std::move(said));
      next();
    };
    const Deployed* pipeline = record();
    const Version* version = pipeline == nullptr ? nullptr : pipeline->find(number);
    if (version == nullptr || pipeline->dropped) {
      return answer(fail(Errc::not_found, fmt::format("{} has no version {}", name_, number)));
    }
    if (version->role == Role::live) {
      return answer(
          JsonObject{{"message", fmt::format("version {} of {} is live", number, name_)}});
    }
    if (version->is_of_letters()) {
      return answer(
          fail(Errc::invalid_request,
               fmt::format("version {} of {} has given dead letters again, and nothing else",
                           number, name_)));
    }
    const Worker* worker = find_worker(number);
    bool is_batch =
        worker != nullptr && worker->plan && worker->plan->mode.type == plan::Mode::Type::batch;
    if (is_batch) {
      // A batch begins anew each time: there is no place to take over at.
      auto swap = [this, number](Deployed& changed) { return swap_roles(changed, number, {}); };
      return change_at_last(swap, std::move(done), std::move(next));
    }
    if (live_stands_still()) return promote_from_halt(number, std::move(done), std::move(next));
    if (auto ok = check_follows(*version); !ok) return answer(fail(ok));
    auto wanted = [this, number](Deployed& changed) -> Result<std::string> {
      Version& found = *changed.find(number);
      for (Version& other : changed.versions) other.promotes = false;
      found.promotes = true;
      if (found.replay) found.replay->only_if_same = false;
      Worker& follower = workers_.at(number);
      follower.cut_failures.forget();
      follower.cut_after = {};
      if (follower.keeper->state() == Keeper::State::waiting) {
        return fmt::format("version {} of {} becomes live when it works again; it fails: {}",
                           number, name_, follower.keeper->last_error()->what);
      }
      if (live_is_in_a_batch()) {
        return fmt::format("version {} of {} becomes live when the run of version {} has ended",
                           number, name_, changed.live()->number);
      }
      return found.role == Role::replay
                 ? fmt::format("version {} of {} becomes live when it has caught up", number, name_)
                 : fmt::format("version {} of {} becomes live", number, name_);
    };
    change_at_last(wanted, std::move(done), std::move(next));
  });
}

/// Whether it can come to where a live version is that works.
Result<void> Deployment::check_follows(const Version& version) const {
  bool follows = version.role == Role::shadow || version.role == Role::retired;
  bool will_follow = version.role == Role::replay && version.replay->to.empty();
  if (!follows && !will_follow) {
    return fail(
        Errc::invalid_request,
        fmt::format("version {} of {} does not follow what arrives, so it cannot take over: `leat "
                    "pipeline replay {} --version {} --promote` has it read the history first",
                    version.number, name_, name_, version.number));
  }
  const Worker* worker = find_worker(version.number);
  if (worker == nullptr || worker->keeper->state() != Keeper::State::given_up) return {};
  return fail(Errc::invalid_request,
              fmt::format("version {} of {} has failed, so it cannot take over: {}; when the cause "
                          "is gone, `leat pipeline resume {}` has it try again",
                          version.number, name_, worker->keeper->last_error()->what, name_));
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
  bool was_batch = live_plan && live_plan->mode.type == plan::Mode::Type::batch;
  live->role = Role::retired;
  live->role_ms = now_ms;
  next->role = Role::live;
  next->role_ms = now_ms;
  next->promotes = false;
  next->stints.push_back({now_ms, inputs, std::move(*begins), {}});
  return fmt::format(
      "version {} of {} is live; version {} {} for 24 hours: `leat pipeline promote {} {}` makes "
      "it "
      "live again",
      number, name_, live->number, was_batch ? "is kept" : "goes on as a shadow", name_,
      live->number);
}

void Deployment::cut_failed(std::uint32_t number, const Error& error) {
  auto worker = workers_.find(number);
  if (worker == workers_.end() || is_closing_) return;
  auto delay = worker->second.cut_failures.failed(error);
  worker->second.cut_after = environment_.clock.monotonic() + delay;
}

void Deployment::promote_waiting(const Version& version) {
  std::uint32_t number = version.number;
  // What a batch gives, it gives at its end.
  if (live_is_in_a_batch()) return;
  // One that is set aside was on its way when the server went.
  if (version.role == Role::deployed || live_has_halted()) {
    return enqueue([this, number](Next next) mutable {
      auto told = [this](const Result<JsonObject>& promoted) {
        if (promoted) log_info("pipeline {}: {}", name_, message_of(*promoted));
      };
      const Deployed* pipeline = record();
      const Version* found = pipeline == nullptr ? nullptr : pipeline->find(number);
      if (found == nullptr || !found->promotes) return next();
      promote_from_halt(number, told, std::move(next));
    });
  }
  if (has_caught_up(version)) promote_at_cut(number);
}

void Deployment::promote_at_cut(std::uint32_t number) {
  enqueue([this, number](Next next) mutable {
    std::shared_ptr<Run> live = live_run();
    std::shared_ptr<Run> other = run_of(number);
    const Deployed* pipeline = record();
    const Version* version = pipeline == nullptr ? nullptr : pipeline->find(number);
    if (!live || !other || version == nullptr || !version->promotes || is_closing_) return next();
    auto failed = [this, number](const Error& error) {
      log_warning("pipeline {}: version {} is not live yet: {}", name_, number, error.what);
      cut_failed(number, error);
      cut_.reset();
    };
    cut_ = std::make_unique<Cut>(environment_.executor, live, other);
    cut_->begin(
        cut_patience,
        later([this, number, failed, next = std::move(next)](Result<Positions> met) mutable {
          if (!met) {
            failed(met.error());
            return next();
          }
          auto swap = [this, number, at = std::move(*met)](Deployed& changed) {
            return swap_roles(changed, number, at);
          };
          change(swap, [this, number, failed,
                        next = std::move(next)](const Result<std::string>& swapped) mutable {
            if (!swapped) {
              cut_->resume();
              failed(swapped.error());
              return next();
            }
            log_info("pipeline {}: {}", name_, *swapped);
            workers_.at(number).cut_failures.forget();
            cut_.reset();
            next();
          });
        }));
  });
}

// One that took over from another and has not come that far stands where it took over: what is
// before that has been given.
void Deployment::find_halt(UniqueFunction<void(Result<Halt>)> done) {
  const Version& live = *record()->live();
  Worker& worker = worker_of(live);
  std::optional<VersionRun::Options> options;
  // A batch that never ran stands nowhere, and a run that is only asked would say where it ends.
  bool never_ran = worker.plan && worker.plan->mode.type == plan::Mode::Type::batch &&
                   live.batch.count == 0 && !live.replay;
  if (worker.plan && !never_ran) options = options_of(live, worker);
  worker.is_held = true;
  Positions taken_over = live.stints.empty() ? Positions() : live.stints.back().inputs;
  auto tell = [this, taken_over = std::move(taken_over),
               done = std::move(done)](Result<Halt> halt) mutable {
    halt_finder_.reset();
    // What is gone is not taken over at.
    bool is_all_there = halt && halt->lost.empty();
    if (is_all_there && halt->at.empty()) {
      halt->at = std::move(taken_over);
    } else if (is_all_there) {
      halt->at = of_names(later_of(halt->at, taken_over), halt->at);
    }
    done(std::move(halt));
  };
  worker.keeper->stop([this, options = std::move(options), number = live.number, never_ran,
                       tell = std::move(tell)]() mutable {
    if (is_closing_) return tell(fail(Errc::cancelled, "the server is stopping"));
    if (never_ran) return tell(Halt());
    std::unique_ptr<Run> run;
    if (options) run = environment_.start(std::move(*options));
    halt_finder_ = std::make_unique<HaltFinder>(environment_.executor, environment_.data,
                                                owner_of(name_, number), std::move(run));
    halt_finder_->begin(later(std::move(tell)));
  });
}

/// Those of the positions that the version's plan reads, too; where records are gone by now, behind
/// them.
Result<Positions> Deployment::of_next_plan(std::uint32_t number, const Positions& at) const {
  auto plan = plan::parse(record()->find(number)->plan);
  if (!plan) return fail(plan);
  auto read = environment_.data.find(source_topics(*plan), {LogPosition::Kind::start, 0});
  if (!read) return fail(read);
  return of_names(later_of(at, *read), of_names(at, *read));
}

void Deployment::promote_from_halt(std::uint32_t number, Done done, Next next) {
  const Deployed* pipeline = record();
  if (pipeline == nullptr || pipeline->live() == nullptr || is_closing_) {
    done(is_closing_ ? fail(Errc::cancelled, "the server is stopping")
                     : fail(Errc::invalid_request, fmt::format("{} has no live version", name_)));
    return next();
  }
  auto answer = [this, number, done = std::make_shared<Done>(std::move(done)),
                 next = std::make_shared<Next>(std::move(next))](Result<std::string> promoted) {
    if (!promoted) {
      log_warning("pipeline {}: version {} is not live yet: {}", name_, number,
                  promoted.error().what);
      cut_failed(number, promoted.error());
    }
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
  find_halt([this, number, answer](const Result<Halt>& halt) {
    if (halt) return take_over(number, *halt, answer);
    answer(fail(halt.error().code,
                is_closing_ ? "the server is stopping"
                            : fmt::format("where the live version of {} stands cannot be found: {}",
                                          name_, halt.error().what)));
  });
}

void Deployment::take_over(std::uint32_t number, const Halt& halt,
                           UniqueFunction<void(Result<std::string>)> done) {
  auto here = of_next_plan(number, halt.at);
  if (!here) return done(fail(here));
  // It is remembered that it is on its way: who finds it so goes on with it.
  auto set_aside = [number](Deployed& pipeline) -> Result<std::string> {
    for (Version& version : pipeline.versions) version.promotes = version.number == number;
    pipeline.find(number)->role = Role::deployed;
    return "";
  };
  auto swap = [this, number, at = std::move(*here),
               lost = halt.lost](Deployed& pipeline) -> Result<std::string> {
    Replay replay;
    bool looks_back = true;
    if (auto plan = plan::parse(pipeline.find(number)->plan)) looks_back = !is_stateless(*plan);
    (looks_back ? replay.silent_to : replay.begin) = at;
    replay.begun_ms = environment_.clock.wall_ms();
    replay.done = true;
    std::uint32_t live = pipeline.live()->number;
    auto& before = pipeline.find(number)->replay;
    if (before) replay.anew_because = before->anew_because;
    before = replay;
    auto swapped = swap_roles(pipeline, number, at);
    if (!swapped || lost.empty()) return swapped;
    // It would fail as a shadow, too.
    return fmt::format(
        "version {} of {} is live; version {} cannot go on, and is kept for 24 hours or until "
        "`leat pipeline drop {} --version {}`. Of what it had not read: {}",
        number, name_, live, name_, live, fmt::join(lost, "; "));
  };
  change(set_aside,
         [this, number, swap, done = std::move(done)](const Result<std::string>& aside) mutable {
           if (!aside) return done(fail(aside));
           remove_output(*record()->find(number), false,
                         [this, swap, done = std::move(done)](const Result<void>& removed) mutable {
                           if (!removed) return done(fail(removed));
                           change(swap, std::move(done));
                         });
         });
}

}  // namespace leat::pipeline
