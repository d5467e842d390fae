#include "pipeline/deployment.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/logging.h"
#include "pipeline/plan_traits.h"
#include "plan/bound_plan.h"

namespace leat::pipeline {

namespace {

using plan::Json;
using plan::JsonObject;

bool is_batch(const Result<plan::Plan>& plan) {
  return plan && plan->mode.type == plan::Mode::Type::batch;
}

/// A batch whose earlier run, or replay, has left epochs.
bool has_run_before(const Version& version) {
  return version.batch.count > (version.replay ? 0U : 1U);
}

std::string list_text(const std::vector<std::string>& names) {
  return names.empty() ? "no topic" : fmt::format("{}", fmt::join(names, ", "));
}

/// Where results go, for sentences.
std::string results_text(const plan::Plan& plan) {
  std::vector<std::string> names = sink_topics(plan);
  for (const std::string& view : sink_views(plan)) names.push_back("view " + view);
  for (const std::string& folder : sink_folders(plan)) names.push_back("files in " + folder);
  return list_text(names);
}

}  // namespace

Deployment::Deployment(const Environment& environment, std::string name)
    : environment_(environment), name_(std::move(name)) {}

Deployment::~Deployment() {
  if (timer_ != 0) environment_.executor.cancel(timer_);
}

void Deployment::enqueue(UniqueFunction<void(Next)> command) {
  commands_.push_back(std::move(command));
  if (!is_busy_) next_command();
}

void Deployment::next_command() {
  if (commands_.empty()) {
    is_busy_ = false;
    return;
  }
  is_busy_ = true;
  is_refusing_ = is_closing_;
  auto command = std::move(commands_.front());
  commands_.pop_front();
  command(later([this] { next_command(); }));
}

void Deployment::change(const Change& change, UniqueFunction<void(Result<std::string>)> done) {
  if (is_refusing_) return done(fail(Errc::cancelled, "the server is stopping"));
  const Deployed* before = record();
  Deployed pipeline;
  if (before != nullptr) {
    pipeline = *before;
  } else {
    pipeline.name = name_;
    pipeline.created_ms = environment_.clock.wall_ms();
  }
  auto changed = change(pipeline);
  if (!changed) return done(fail(changed));
  if (pipeline.versions.empty()) {
    return done(fail(Errc::not_found, fmt::format("there is no pipeline {}", name_)));
  }
  is_gone_ = false;
  if (before != nullptr && encode(*before) == encode(pipeline)) {
    return reconcile([done = std::move(done), message = std::move(*changed)]() mutable {
      done(std::move(message));
    });
  }
  environment_.catalog.put(std::move(pipeline), [this, message = std::move(*changed),
                                                 done = std::move(done)](
                                                    const Result<void>& written) mutable {
    if (!written) {
      return done(fail(written.error().code, "it cannot be remembered: " + written.error().what));
    }
    reconcile([done = std::move(done), message = std::move(message)]() mutable {
      done(std::move(message));
    });
  });
}

void Deployment::change_by_command(Change what, Done done) {
  enqueue([this, what = std::move(what), done = std::move(done)](Next next) mutable {
    change_at_last(what, std::move(done), std::move(next));
  });
}

void Deployment::change_at_last(const Change& what, Done done, Next next) {
  change(what,
         [done = std::move(done), next = std::move(next)](Result<std::string> changed) mutable {
           if (changed) {
             done(JsonObject{{"message", std::move(*changed)}});
           } else {
             done(fail(changed));
           }
           next();
         });
}

void Deployment::change_by_duty(const std::string& duty, Change what) {
  enqueue([this, duty, what = std::move(what)](Next next) mutable {
    if (record() == nullptr) return next();
    change(what, [this, duty, next = std::move(next)](const Result<std::string>& changed) mutable {
      tried(duty, changed ? Result<void>() : fail(changed));
      next();
    });
  });
}

bool Deployment::is_due(const std::string& duty) {
  return duties_.is_due(duty, environment_.clock.monotonic());
}

void Deployment::tried(const std::string& duty, const Result<void>& outcome) {
  if (outcome) {
    duties_.done(duty);
  } else if (duties_.failed(duty, outcome.error(), environment_.clock.monotonic())) {
    log_warning("pipeline {}: it was to {}, and could not: {}; it is tried again", name_, duty,
                outcome.error().what);
  }
  schedule_tick();
}

void Deployment::open() {
  const Deployed* pipeline = record();
  if (pipeline != nullptr && pipeline->dropped) {
    return drop(pipeline->drops_topics, [name = name_](const Result<JsonObject>& dropped) {
      if (!dropped) log_warning("pipeline {} is not gone yet: {}", name, dropped.error().what);
    });
  }
  enqueue([this](Next next) { reconcile(std::move(next)); });
}

void Deployment::close(Next done) {
  is_closing_ = true;
  if (cut_) cut_->cancel();
  if (halt_finder_) halt_finder_->cancel();
  // What is at work ends beside the command under way, whatever that waits for.
  reconcile([] {});
  enqueue([this, done = std::move(done)](Next next) mutable {
    reconcile([done = std::move(done), next = std::move(next)]() mutable {
      next();
      done();
    });
  });
}

// ---- What is at work ---------------------------------------------------------------------------

bool Deployment::should_work(const Deployed& pipeline, const Version& version) const {
  const Worker* worker = find_worker(version.number);
  if (is_closing_ || pipeline.paused || pipeline.dropped || !is_at_work(version.role)) return false;
  if (worker == nullptr || !worker->plan || worker->is_held) return false;
  if (version.role == Role::replay) return !version.replay || !version.replay->done;
  if (!is_batch(worker->plan)) return true;
  return version.role == Role::live && version.batch.is_under_way();
}

Deployment::Worker& Deployment::worker_of(const Version& version) {
  auto found = workers_.find(version.number);
  if (found != workers_.end()) return found->second;
  Worker worker;
  worker.plan_text = version.plan;
  worker.plan = plan::parse(version.plan);
  if (worker.plan) worker.views = view_traits(*worker.plan);
  if (is_batch(worker.plan) && !worker.plan->mode.schedule.empty()) {
    auto schedule = plan::Cron::parse(worker.plan->mode.schedule);
    if (schedule) worker.schedule = *schedule;
  }
  Keeper::Environment environment{environment_.executor, environment_.clock, environment_.start};
  worker.keeper = std::make_unique<Keeper>(environment, [this, number = version.number] {
    // From within whatever changed it, which has to come to its end first.
    auto react_later = later([this, number] { react(number); });
    react_later();
  });
  return workers_.emplace(version.number, std::move(worker)).first->second;
}

const Deployment::Worker* Deployment::find_worker(std::uint32_t number) const {
  auto found = workers_.find(number);
  return found == workers_.end() ? nullptr : &found->second;
}

VersionRun::Options Deployment::options_of(const Version& version, const Worker& worker) const {
  VersionRun::Options options;
  options.plan = *worker.plan;
  options.pipeline = name_;
  options.version = version.number;
  bool is_live = version.role == Role::live || version.is_of_letters();
  if (!is_live) options.suffix = suffix_of(version.number);
  options.workers = environment_.workers;
  if (!version.replay) return options;
  const Replay& replay = *version.replay;
  options.from = replay.begin;
  options.silent_to = replay.silent_to;
  options.flush = replay.flush;
  options.repeat = replay.repeats;
  options.dead_letters = replay.dead_letters;
  if (!replay.to.empty()) options.to = replay.end;
  if (version.role != Role::replay) return options;
  options.rows_per_s = replay.rows_per_s;
  options.gives_way = replay.rows_per_s == 0 && !replay.at_full_speed;
  return options;
}

void Deployment::start(const Version& version, Worker& worker) {
  if (worker.plan_text != version.plan) {
    worker.plan_text = version.plan;
    worker.plan = plan::parse(version.plan);
    ASSERT(worker.plan.has_value());  // it was printed when the batch began
    worker.views = view_traits(*worker.plan);
  }
  VersionRun::Options options = options_of(version, worker);
  if (has_run_before(version)) options.anew_behind = version.batch.last_epoch;
  worker.suffix = options.suffix;
  worker.batch_run = version.batch.count;
  worker.ended_ms = 0;
  worker.keeper->start(std::move(options));
}

void Deployment::reconcile(Next done) {
  auto left = std::make_shared<std::size_t>(1);
  auto ended = [this, left, done = std::make_shared<Next>(std::move(done))] {
    if (--*left > 0) return;
    schedule_tick();
    (*done)();
  };
  const Deployed* pipeline = record();
  if (pipeline == nullptr) return ended();
  for (const Version& version : pipeline->versions) {
    Worker& worker = worker_of(version);
    Keeper& keeper = *worker.keeper;
    if (should_work(*pipeline, version)) {
      bool is_other_run = worker.batch_run != version.batch.count;
      bool is_over = keeper.state() == Keeper::State::finished && is_other_run;
      if (keeper.state() == Keeper::State::off || is_over) {
        start(version, worker);
      } else if (worker.suffix != options_of(version, worker).suffix) {
        VersionRun::Options options = options_of(version, worker);
        worker.suffix = options.suffix;
        keeper.change(std::move(options));
      }
    } else if (keeper.state() != Keeper::State::off && keeper.state() != Keeper::State::finished) {
      ++*left;
      keeper.stop(ended);
    }
  }
  std::erase_if(workers_, [&](const auto& worker) {
    return pipeline->find(worker.first) == nullptr && worker.second.keeper->run() == nullptr;
  });
  // Never from within: whoever asked is not through yet.
  environment_.executor.post([alive = std::weak_ptr<char>(alive_), ended] {
    if (!alive.expired()) ended();
  });
}

void Deployment::react(std::uint32_t number) {
  const Deployed* pipeline = record();
  const Version* version = pipeline == nullptr ? nullptr : pipeline->find(number);
  auto worker = workers_.find(number);
  if (version == nullptr || worker == workers_.end() || is_closing_) return;
  if (worker->second.keeper->state() != Keeper::State::finished) return;
  if (worker->second.ended_ms == 0) worker->second.ended_ms = environment_.clock.wall_ms();
  if (version->role == Role::live) return finish_batch(number);
  if (version->role == Role::replay && !version->replay->done) end_replay(number, Role::replay);
}

// ---- Commands ----------------------------------------------------------------------------------

void Deployment::deploy(const plan::Plan& plan, std::optional<OpenPlan> open, Done done) {
  std::string text = plan::print(plan);
  change_by_command(
      [this, plan, text, open](Deployed& pipeline) -> Result<std::string> {
        if (pipeline.dropped) {
          return fail(Errc::invalid_request, fmt::format("pipeline {} is being dropped", name_));
        }
        const Version* live = std::as_const(pipeline).live();
        std::string hash = plan::hash(plan);
        const Version* newest = pipeline.newest();
        for (const Version* known : {live, newest}) {
          bool is_same = known != nullptr && known->open == open && (open || known->hash == hash);
          if (!is_same) continue;
          return fmt::format("no change: this is version {} of {}, which is {}", known->number,
                             name_, name(known->role));
        }
        std::optional<std::uint32_t> live_number;
        if (live != nullptr) live_number = live->number;
        // Which moves the others.
        std::erase_if(pipeline.versions, [&](const Version& version) {
          bool is_needed = version.is_of_letters() && !version.replay->done;
          return version.role == Role::ended && !is_needed &&
                 pipeline.versions.size() >= versions_max;
        });
        Version version;
        version.number = pipeline.next_version++;
        version.plan = text;
        version.hash = hash;
        version.open = open;
        version.created_ms = version.role_ms = environment_.clock.wall_ms();
        if (!live_number) {
          version.role = Role::live;
          auto ends = environment_.data.find(written_topics(plan), {LogPosition::Kind::end, 0});
          if (!ends) return fail(ends);
          version.stints.push_back({version.role_ms, {}, std::move(*ends), {}});
        }
        pipeline.versions.push_back(version);
        std::string writes = results_text(plan);
        if (live_number) {
          return fmt::format(
              "version {} of {} is deployed and not at work: version {} goes on. `leat pipeline "
              "replay {} --promote` makes it live when it has read the history",
              version.number, name_, *live_number, name_);
        }
        if (plan.mode.type != plan::Mode::Type::batch) {
          return fmt::format("pipeline {} is deployed: version {} is live and writes to {}", name_,
                             version.number, writes);
        }
        return fmt::format(
            "pipeline {} is deployed: version {} is live, a batch that writes to {}, {}", name_,
            version.number, writes,
            plan.mode.schedule.empty() ? fmt::format("when `leat pipeline run {}` says so", name_)
                                       : "at " + plan.mode.schedule + ", UTC");
      },
      std::move(done));
}

void Deployment::pause(Done done) {
  change_by_command(
      [this](Deployed& pipeline) -> Result<std::string> {
        if (std::exchange(pipeline.paused, true)) return fmt::format("{} is paused", name_);
        return fmt::format("paused {}", name_);
      },
      std::move(done));
}

void Deployment::resume(Done done) {
  change_by_command(
      [this](Deployed& pipeline) -> Result<std::string> {
        bool was_paused = std::exchange(pipeline.paused, false);
        bool tries = duties_.next_due().has_value();
        for (auto& [number, worker] : workers_) {
          Keeper::State state = worker.keeper->state();
          tries = tries || state == Keeper::State::waiting || state == Keeper::State::given_up;
          worker.keeper->try_again();
        }
        duties_.try_all_now();
        if (was_paused) return fmt::format("resumed {}", name_);
        return tries ? fmt::format("{} tries again", name_)
                     : fmt::format("{} is not paused", name_);
      },
      std::move(done));
}

void Deployment::drop(bool with_topics, Done done) {
  enqueue([this, with_topics, done = std::move(done)](Next next) mutable {
    change(
        [with_topics](Deployed& pipeline) -> Result<std::string> {
          pipeline.dropped = true;
          pipeline.drops_topics = with_topics;
          return "";
        },
        [this, done = std::move(done),
         next = std::move(next)](const Result<std::string>& changed) mutable {
          if (changed) return remove_all(std::move(done), std::move(next));
          done(fail(changed));
          next();
        });
  });
}

std::vector<std::string> Deployment::shadow_topics(const Version& version) const {
  const Worker* worker = find_worker(version.number);
  if (worker == nullptr || !worker->plan) return {};
  std::vector<std::string> names = written_topics(*worker->plan);
  for (std::string& name : names) name += suffix_of(version.number);
  return names;
}

void Deployment::remove_output(const Version& version, bool with_topics, Settled done) {
  struct Removal {
    std::vector<std::string> topics;
    Settled done;
  };
  auto removal = std::make_shared<Removal>();
  if (with_topics) removal->topics = shadow_topics(version);
  removal->done = std::move(done);
  // Each topic when the one before is gone.
  auto go_on = std::make_shared<std::function<void(Result<void>)>>();
  *go_on = [this, removal, weak = std::weak_ptr(go_on)](const Result<void>& removed) {
    auto self = weak.lock();
    if (!removed || removal->topics.empty()) return removal->done(removed);
    std::string topic = std::move(removal->topics.back());
    removal->topics.pop_back();
    environment_.data.delete_topic(
        topic, later([self](const Result<void>& outcome) { (*self)(outcome); }));
  };
  environment_.data.remove_epochs(
      owner_of(name_, version.number),
      later([go_on](const Result<void>& outcome) { (*go_on)(outcome); }));
}

void Deployment::remove_all(Done done, Next next) {
  const Deployed& pipeline = *record();
  auto left = std::make_shared<std::size_t>(pipeline.versions.size());
  auto outcome = std::make_shared<Result<void>>();
  std::vector<std::string> kept;
  for (const Version& version : pipeline.versions) {
    const Worker& worker = worker_of(version);
    if (worker.plan) {
      for (const auto& topic : written_topics(*worker.plan)) kept.push_back(topic);
    }
    bool wrote_shadows = version.role != Role::deployed && !version.is_of_letters() &&
                         (version.replay || !version.stints.empty());
    if (wrote_shadows && !pipeline.drops_topics && version.number > 1) {
      for (const auto& topic : shadow_topics(version)) kept.push_back(topic);
    }
  }
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  auto finish = [this, outcome, kept, done = std::make_shared<Done>(std::move(done)),
                 next = std::make_shared<Next>(std::move(next))](const Result<void>& removed) {
    if (!removed) {
      (*done)(fail(removed.error().code,
                   fmt::format("{} has stopped, but not all of it could be removed: {}. "
                               "`leat pipeline drop {}` tries again",
                               name_, removed.error().what, name_)));
      return (*next)();
    }
    // Whoever is deployed under the name begins with nothing of it.
    workers_.clear();
    is_gone_ = true;
    (*next)();
    (*done)(JsonObject{{"message", fmt::format("dropped {}; what it wrote stays, in {}", name_,
                                               list_text(kept))}});
  };
  auto one_removed = [this, left, outcome, finish](const Result<void>& removed) {
    if (!removed) *outcome = removed;
    if (--*left > 0) return;
    if (!*outcome) return finish(*outcome);
    environment_.catalog.remove(name_, finish);
  };
  if (pipeline.versions.empty()) {
    ++*left;
    return one_removed({});
  }
  for (const Version& version : pipeline.versions) {
    remove_output(version, pipeline.drops_topics, one_removed);
  }
}

}  // namespace leat::pipeline
