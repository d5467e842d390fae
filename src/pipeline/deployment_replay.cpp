// Versions that read history beside the live one.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "pipeline/cut.h"
#include "pipeline/dead_letters.h"
#include "pipeline/deployment.h"
#include "pipeline/late_plan.h"
#include "pipeline/plan_traits.h"
#include "pipeline/warm_up.h"

namespace leat::pipeline {

namespace {

using plan::JsonObject;

/// Whoever is not further behind the live version can be brought to where it is at once.
constexpr double near_seconds = 0.25;

Positions positions_of(const VersionStatus& status) {
  Positions positions;
  for (const PartitionStatus& partition : status.partitions) {
    positions.push_back({partition.name, partition.partition, partition.position});
  }
  return positions;
}

std::uint32_t add_version(Deployed& pipeline, const std::string& plan, const std::string& hash,
                          std::int64_t now_ms) {
  Version version;
  version.number = pipeline.next_version++;
  version.plan = plan;
  version.hash = hash;
  version.created_ms = version.role_ms = now_ms;
  pipeline.versions.push_back(version);
  return version.number;
}

std::string replay_message(const Version& version, const Replay& replay, std::uint32_t live) {
  std::string how =
      replay.repeats.empty() ? "reads anew" : fmt::format("repeats what version {} did", live);
  std::string why_anew;
  if (!replay.anew_because.empty()) {
    why_anew = fmt::format("; what version {} did cannot be repeated, because {}", live,
                           replay.anew_because);
  }
  std::string end = replay.to.empty() ? "goes on as a shadow" : "ends at " + replay.to;
  std::string warm_up = replay.warm_up.empty() ? "" : "; " + replay.warm_up;
  return fmt::format(
      "version {} {} from {}, beside version {}, into topics of its own, which end "
      "in {}; then it {}{}{}",
      version.number, how, replay.from, live, suffix_of(version.number), end, why_anew, warm_up);
}

}  // namespace

Result<std::uint32_t> Deployment::choose_version(Deployed& pipeline,
                                                 const ReplayRequest& request) const {
  const Version* live = pipeline.live();
  if (live == nullptr || pipeline.dropped) {
    return fail(Errc::invalid_request, fmt::format("{} has no live version", name_));
  }
  if (pipeline.paused) {
    return fail(Errc::invalid_request,
                fmt::format("{} is paused: `leat pipeline resume {}` first", name_, name_));
  }
  if (!request.late.empty()) return late_version(pipeline, request);
  const Version* wanted = nullptr;
  if (request.version) {
    wanted = pipeline.find(*request.version);
    if (wanted == nullptr) {
      return fail(Errc::not_found, fmt::format("{} has no version {}", name_, *request.version));
    }
    if (wanted->is_of_letters()) {
      return fail(Errc::invalid_request,
                  fmt::format("version {} of {} gives dead letters again, and nothing else",
                              wanted->number, name_));
    }
    if (wanted->role == Role::retired) {
      return fail(
          Errc::invalid_request,
          fmt::format("version {} of {} follows as a shadow already: `leat pipeline promote "
                      "{} {}` makes it live again",
                      wanted->number, name_, name_, wanted->number));
    }
  } else {
    const Version* newest = pipeline.newest();
    bool is_next = newest->number > live->number && newest->role != Role::retired;
    wanted = is_next ? newest : live;
  }
  if (wanted->role != Role::live) return wanted->number;
  // What is live cannot be disturbed: the same plan gets a version beside it.
  return add_version(pipeline, wanted->plan, wanted->hash, environment_.clock.wall_ms());
}

// One of the live plan, with patience: the newest one if it is just that.
Result<std::uint32_t> Deployment::late_version(Deployed& pipeline,
                                               const ReplayRequest& request) const {
  auto late_ms = parse_duration_ms(request.late);
  if (!late_ms || *late_ms == 0 || request.version) {
    return fail(Errc::invalid_request,
                request.version
                    ? "a version is made for rows that were late, so none can be said"
                    : fmt::format("'{}' says not how late: 90s, 2h and 1d12h do", request.late));
  }
  const Version& live = *pipeline.live();
  auto live_plan = plan::parse(live.plan);
  if (!live_plan) return fail(live_plan);
  if (live.open || live_plan->mode.type == plan::Mode::Type::batch) {
    return fail(Errc::invalid_request,
                fmt::format("{} is a batch, whose next run reads all there is again: deploy it "
                            "with a larger disorder_ms, and run it",
                            name_));
  }
  auto plan = late_plan(std::move(*live_plan), *late_ms);
  if (!plan) return fail(plan);
  std::string hash = plan::hash(*plan);
  const Version* newest = pipeline.newest();
  bool is_there =
      newest->number > live.number && newest->hash == hash && newest->role != Role::retired;
  if (is_there) return newest->number;
  return add_version(pipeline, plan::print(*plan), hash, environment_.clock.wall_ms());
}

Result<Replay> Deployment::make_replay(const Deployed& pipeline, const Version& version,
                                       const ReplayRequest& request) const {
  auto plan = plan::parse(version.plan);
  if (!plan) return fail(plan);
  Replay replay;
  replay.from = request.from;
  replay.to = request.to;
  replay.flush = request.flush;
  replay.diff = request.diff;
  replay.only_if_same = request.diff && request.promote;
  replay.rows_per_s = request.rows_per_s;
  replay.at_full_speed = request.at_full_speed;
  replay.begun_ms = environment_.clock.wall_ms();
  if (request.flush && request.to.empty()) {
    return fail(Errc::invalid_request, "--final closes all windows at an end: --to says which");
  }
  if (request.promote && !request.to.empty()) {
    return fail(Errc::invalid_request,
                "what ends at --to is never as far as the live version, so --promote and --to "
                "exclude each other");
  }
  auto from = LogPosition::parse(request.from, replay.begun_ms);
  if (!from) return fail(from);
  std::vector<std::string> topics = source_topics(*plan);
  bool is_from_start = from->kind == LogPosition::Kind::start;
  if (!is_from_start) {
    auto begin = environment_.data.find(topics, *from);
    if (!begin) return fail(begin);
    // What the plan looks back on is read in silence.
    bool looks_back = !is_stateless(*plan);
    (looks_back ? replay.silent_to : replay.begin) = std::move(*begin);
    if (looks_back) {
      auto warm_up = plan_warm_up(*plan, environment_.data, replay.silent_to);
      if (!warm_up) return fail(warm_up);
      replay.begin = std::move(warm_up->begin);
      replay.warm_up = std::move(warm_up->text);
    }
  }
  if (!request.to.empty()) {
    auto to = LogPosition::parse(request.to, replay.begun_ms);
    if (!to) return fail(to);
    auto end = environment_.data.find(topics, *to);
    if (!end) return fail(end);
    replay.end = std::move(*end);
    const Positions& begin = replay.silent_to.empty() ? replay.begin : replay.silent_to;
    if (records_between(replay.end, begin) > 0) {
      return fail(Errc::invalid_request,
                  fmt::format("--to {} lies before --from {}", request.to, request.from));
    }
  }
  const Version& live = *pipeline.live();
  bool live_began_at_start =
      !live.replay || (live.replay->begin.empty() && live.replay->silent_to.empty());
  bool is_batch = plan->mode.type == plan::Mode::Type::batch;
  if (version.hash == live.hash && is_from_start && live_began_at_start && !is_batch &&
      request.to.empty()) {
    std::string owner = owner_of(name_, live.number);
    auto repeatable = environment_.data.check_repeatable(owner);
    if (repeatable) {
      replay.repeats = owner;
    } else {
      replay.anew_because = repeatable.error().what;
    }
  }
  return replay;
}

void Deployment::replay(ReplayRequest request, Done done) {
  if (request.dead_letters) return replay_letters(std::move(request), std::move(done));
  enqueue([this, request = std::move(request), done = std::move(done)](Next next) mutable {
    auto chosen = std::make_shared<std::uint32_t>(0);
    auto begin = std::make_shared<Replay>();
    auto message = std::make_shared<std::string>();
    auto prepare = [this, request, chosen, begin,
                    message](Deployed& pipeline) -> Result<std::string> {
      auto number = choose_version(pipeline, request);
      if (!number) return fail(number);
      *chosen = *number;
      Version& version = *pipeline.find(*number);
      auto made = make_replay(pipeline, version, request);
      if (!made) return fail(made);
      *begin = std::move(*made);
      *message = replay_message(version, *begin, pipeline.live()->number);
      if (!request.late.empty()) {
        *message += fmt::format(
            "; rows that were up to {} late count in it, and its results come "
            "that much later",
            request.late);
      }
      version.role = Role::deployed;
      version.promotes = false;
      return "";
    };
    bool promotes = request.promote;
    auto answer = [done = std::make_shared<Done>(std::move(done)),
                   next = std::make_shared<Next>(std::move(next)), chosen,
                   message](const Result<void>& begun) {
      if (begun) {
        (*done)(
            JsonObject{{"message", *message}, {"version", json_number(std::uint64_t{*chosen})}});
      } else {
        (*done)(fail(begun));
      }
      (*next)();
    };
    change(prepare, [this, chosen, begin, promotes, answer](const Result<std::string>& prepared) {
      if (!prepared) return answer(fail(prepared));
      begin_replay(*chosen, *begin, promotes, answer);
    });
  });
}

void Deployment::begin_replay(std::uint32_t number, Replay replay, bool promotes, Settled done) {
  const Version before = *record()->find(number);
  if (auto worker = workers_.find(number); worker != workers_.end()) {
    worker->second.difference.reset();
    worker->second.is_comparing = false;
    ++worker->second.replays;
    worker->second.cut_failures.forget();
    worker->second.cut_after = {};
    worker->second.keeper->forget_views();
  }
  auto begin = [this, number, replay = std::move(replay), promotes](Deployed& pipeline) {
    Version& version = *pipeline.find(number);
    version.role = Role::replay;
    version.role_ms = environment_.clock.wall_ms();
    version.replay = replay;
    version.promotes = promotes;
    version.stints.clear();
    version.batch = {};
    return Result<std::string>("");
  };
  // What an earlier replay of it gave would be there twice.
  remove_output(before, true,
                [this, number, begin = std::move(begin),
                 done = std::move(done)](const Result<void>& removed) mutable {
                  if (!removed) return done(removed);
                  // A run that has come to its end is none that could go on.
                  auto worker = workers_.find(number);
                  bool is_over = worker != workers_.end() &&
                                 worker->second.keeper->state() == Keeper::State::finished;
                  if (is_over) workers_.erase(worker);
                  change(begin, [done = std::move(done)](const Result<std::string>& begun) mutable {
                    done(begun ? Result<void>() : fail(begun));
                  });
                });
}

void Deployment::stop_replay(std::optional<std::uint32_t> number, Done done) {
  enqueue([this, number, done = std::move(done)](Next next) mutable {
    auto ended = std::make_shared<Version>();
    auto end = [this, number, ended](Deployed& pipeline) -> Result<std::string> {
      auto replays = [&](const Version& version) {
        bool is_one = version.role == Role::replay || version.role == Role::shadow;
        return is_one && (!number || version.number == *number);
      };
      auto found = std::find_if(pipeline.versions.rbegin(), pipeline.versions.rend(), replays);
      if (found == pipeline.versions.rend()) {
        return fail(Errc::not_found, fmt::format("{} has no replay", name_));
      }
      found->role = Role::ended;
      found->role_ms = environment_.clock.wall_ms();
      found->promotes = false;
      *ended = *found;
      if (found->is_of_letters()) {
        return fmt::format("version {} of {} has ended; the next one goes on behind what it gave",
                           found->number, name_);
      }
      return fmt::format(
          "version {} of {} has ended; what it wrote stays, in topics that end in {}",
          found->number, name_, suffix_of(found->number));
    };
    change(end, [this, ended, done = std::move(done),
                 next = std::move(next)](Result<std::string> message) mutable {
      if (!message) {
        done(fail(message));
        return next();
      }
      if (ended->is_of_letters()) {
        // Its epochs say how far it came.
        done(JsonObject{{"message", std::move(*message)}});
        return next();
      }
      remove_output(*ended, false,
                    [done = std::move(done), next = std::move(next),
                     message = std::move(*message)](const Result<void>& removed) mutable {
                      if (removed) {
                        done(JsonObject{{"message", std::move(message)}});
                      } else {
                        done(fail(removed));
                      }
                      next();
                    });
    });
  });
}

// ---- How far they are --------------------------------------------------------------------------

bool Deployment::needs_watching() const {
  const Deployed* pipeline = record();
  if (pipeline == nullptr || pipeline->dropped) return false;
  bool takes_over = std::any_of(
      pipeline->versions.begin(), pipeline->versions.end(),
      [](const Version& version) { return version.promotes && version.role == Role::deployed; });
  if (takes_over || pipeline->paused) return takes_over;
  return std::any_of(pipeline->versions.begin(), pipeline->versions.end(),
                     [&](const Version& version) {
                       if (version.role == Role::replay && !version.replay->done) return true;
                       if (version.promotes) return true;
                       const Worker* worker = find_worker(version.number);
                       bool compares = version.replay && version.replay->diff &&
                                       version.role != Role::ended && version.role != Role::live;
                       return compares && worker != nullptr && !worker->difference;
                     });
}

void Deployment::watch_replays() {
  const Deployed* pipeline = record();
  if (!needs_watching()) return;
  for (const Version& version : pipeline->versions) {
    // What is begun here may change the list.
    if (is_busy_) return;
    watch(version);
  }
}

void Deployment::watch(const Version& version) {
  const Worker* worker = find_worker(version.number);
  if (worker == nullptr || version.role == Role::live || version.role == Role::ended) return;
  bool may_cut = environment_.clock.monotonic() >= worker->cut_after;
  if (version.role == Role::deployed) {
    if (version.promotes && may_cut) promote_waiting(version);
    return;
  }
  bool is_replay = version.role == Role::replay && !version.replay->done;
  if (is_replay) {
    bool has_end = !version.replay->to.empty();
    if (!has_end && has_caught_up(version)) end_replay(version.number, Role::shadow);
    return;
  }
  bool compares = version.replay && version.replay->diff && version.replay->done;
  if (compares && !worker->difference) {
    if (!worker->is_comparing && may_cut) compare_with_live(version.number);
    return;
  }
  if (!version.promotes) return;
  if (compares && version.replay->only_if_same && !worker->difference->is_same()) {
    std::string duty = fmt::format("leave version {} beside the live one", version.number);
    if (!is_due(duty)) return;
    return change_by_duty(duty,
                          [number = version.number](Deployed& pipeline) -> Result<std::string> {
                            pipeline.find(number)->promotes = false;
                            return "";
                          });
  }
  if (worker->plan && worker->plan->mode.type == plan::Mode::Type::batch) {
    std::string duty = fmt::format("make version {} live", version.number);
    if (!is_due(duty)) return;
    return change_by_duty(duty, [this, number = version.number](Deployed& pipeline) {
      return swap_roles(pipeline, number, {});
    });
  }
  if (may_cut) promote_waiting(version);
}

bool Deployment::has_caught_up(const Version& version) const {
  std::shared_ptr<Run> run = run_of(version.number);
  if (!run) return false;
  VersionStatus status = run->status();
  if (status.state != RunState::running) return false;
  double near = near_seconds * status.rows_in_per_s;
  if (std::shared_ptr<Run> live = live_run()) {
    VersionStatus live_status = live->status();
    if (live_status.state != RunState::running) return false;
    std::int64_t behind = records_between(positions_of(status), positions_of(live_status));
    return static_cast<double>(behind) <= near;
  }
  std::int64_t behind = 0;
  for (const PartitionStatus& partition : status.partitions) behind += partition.lag_records;
  return static_cast<double>(behind) <= near;
}

void Deployment::end_replay(std::uint32_t number, Role role) {
  std::string duty = fmt::format("note how far the replay of version {} is", number);
  if (!is_due(duty)) return;
  enqueue([this, number, role, duty](Next next) mutable {
    const Deployed* pipeline = record();
    const Version* version = pipeline == nullptr ? nullptr : pipeline->find(number);
    bool is_under_way =
        version != nullptr && version->role == Role::replay && !version->replay->done;
    if (!is_under_way) return next();
    if (std::shared_ptr<Run> run = run_of(number)) run->set_rows_per_s(0);
    auto status = workers_.at(number).keeper->status();
    VersionStatus last = status.value_or(VersionStatus());
    change(
        [this, number, role, last](Deployed& changed) -> Result<std::string> {
          Version& over = *changed.find(number);
          over.replay->done = true;
          over.replay->rows_in = last.rows_in;
          over.replay->rows_out = last.rows_out;
          over.replay->late = last.late;
          over.replay->bad = last.bad;
          if (over.is_of_letters())
            note_taken(changed, over.replay->dead_letters, over.replay->end);
          over.batch.last_epoch = last.epochs;
          over.role = role;
          over.role_ms = environment_.clock.wall_ms();
          return "";
        },
        [this, duty, next = std::move(next)](const Result<std::string>& ended) mutable {
          tried(duty, ended ? Result<void>() : fail(ended));
          next();
        });
  });
}

}  // namespace leat::pipeline
