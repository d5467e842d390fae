// Versions that read history beside the live one.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "pipeline/cut.h"
#include "pipeline/deployment.h"
#include "pipeline/plan_traits.h"

namespace leat::pipeline {

namespace {

using plan::JsonObject;

/// Whoever is not further behind the live version can be brought to where it is at once.
constexpr double near_seconds = 0.25;
constexpr std::chrono::seconds cut_patience{10};

Positions positions_of(const VersionStatus& status) {
  Positions positions;
  for (const PartitionStatus& partition : status.partitions) {
    positions.push_back({partition.name, partition.partition, partition.position});
  }
  return positions;
}

/// The records of a version in a topic: those that it wrote beside the live one, and those that it
/// wrote as the live one.
std::vector<OutputRange> output_of(const Version& version, const std::string& topic,
                                   const Positions& ends) {
  std::vector<OutputRange> ranges;
  auto end_of = [&](const std::string& name, PartitionId partition) {
    for (const Position& end : ends) {
      if (end.name == name && end.partition == partition) return end.offset;
    }
    return Offset{0};
  };
  std::string shadow = topic + suffix_of(version.number);
  for (const Position& end : ends) {
    if (end.name == shadow) ranges.push_back({shadow, end.partition, Offset{0}, end.offset});
  }
  for (const Stint& stint : version.stints) {
    for (const Position& end : stint.end.empty() ? ends : stint.end) {
      if (end.name != topic) continue;
      Offset begin{0};
      for (const Position& first : stint.begin) {
        if (first.name == topic && first.partition == end.partition) begin = first.offset;
      }
      ranges.push_back(
          {topic, end.partition, begin, std::min(end.offset, end_of(topic, end.partition))});
    }
  }
  return ranges;
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
  return fmt::format(
      "version {} {} from {}, beside version {}, into topics of its own, which end "
      "in {}; then it {}{}",
      version.number, how, replay.from, live, suffix_of(version.number), end, why_anew);
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
  const Version* wanted = nullptr;
  if (request.version) {
    wanted = pipeline.find(*request.version);
    if (wanted == nullptr) {
      return fail(Errc::not_found, fmt::format("{} has no version {}", name_, *request.version));
    }
    if (wanted->role == Role::retired) {
      return fail(
          Errc::invalid_request,
          fmt::format("version {} of {} follows as a shadow already: `leat pipeline promote "
                      "{} {}` makes it live again",
                      wanted->number, name_, name_, wanted->number));
    }
  } else if (pipeline.versions.back().number > live->number &&
             pipeline.versions.back().role != Role::retired) {
    wanted = &pipeline.versions.back();
  } else {
    wanted = live;
  }
  if (wanted->role != Role::live) return wanted->number;
  // What is live cannot be disturbed: the same plan gets a version beside it.
  Version copy;
  copy.number = pipeline.next_version++;
  copy.plan = wanted->plan;
  copy.hash = wanted->hash;
  copy.created_ms = copy.role_ms = environment_.clock.wall_ms();
  pipeline.versions.push_back(copy);
  return copy.number;
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
    // What reaches back is read from the log's start, in silence.
    (is_stateless(*plan) ? replay.begin : replay.silent_to) = std::move(*begin);
  }
  if (!request.to.empty()) {
    auto to = LogPosition::parse(request.to, replay.begun_ms);
    if (!to) return fail(to);
    auto end = environment_.data.find(topics, *to);
    if (!end) return fail(end);
    replay.end = std::move(*end);
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
                [this, begin = std::move(begin),
                 done = std::move(done)](const Result<void>& removed) mutable {
                  if (!removed) return done(removed);
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
    std::uint64_t epochs = status ? status->epochs : 0;
    change(
        [this, number, role, epochs](Deployed& changed) -> Result<std::string> {
          Version& over = *changed.find(number);
          over.replay->done = true;
          over.batch.last_epoch = epochs;
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

// ---- What they gave ----------------------------------------------------------------------------

void Deployment::compare_with_live(std::uint32_t number) {
  workers_.at(number).is_comparing = true;
  enqueue([this, number](Next next) mutable {
    std::shared_ptr<Run> live = live_run();
    std::shared_ptr<Run> other = run_of(number);
    if (is_closing_) return next();
    if (!live || !other) {
      compare_up_to(number);
      return next();
    }
    cut_ = std::make_unique<Cut>(environment_.executor, live, other);
    cut_->begin(cut_patience,
                later([this, number, next = std::move(next)](const Result<Positions>& met) mutable {
                  if (met) {
                    compare_up_to(number);
                    cut_->resume();
                  } else {
                    comparing_failed(number, met.error());
                  }
                  cut_.reset();
                  next();
                }));
  });
}

void Deployment::comparing_failed(std::uint32_t number, const Error& error) {
  log_warning("pipeline {}: version {} cannot be compared: {}", name_, number, error.what);
  workers_.at(number).is_comparing = false;
  cut_failed(number, error);
}

void Deployment::compare_up_to(std::uint32_t number) {
  const Deployed* pipeline = record();
  const Version* version = pipeline == nullptr ? nullptr : pipeline->find(number);
  const Version* live = pipeline == nullptr ? nullptr : pipeline->live();
  auto found = workers_.find(number);
  if (version == nullptr || live == nullptr || found == workers_.end()) return;
  const Worker* live_worker = find_worker(live->number);
  if (live_worker == nullptr || !live_worker->plan || !found->second.plan) return;
  std::vector<std::string> both = sink_topics(*live_worker->plan);
  std::vector<std::string> names;
  for (const std::string& topic : both) {
    names.push_back(topic);
    names.push_back(topic + suffix_of(live->number));
    names.push_back(topic + suffix_of(number));
  }
  auto ends = environment_.data.find(names, {LogPosition::Kind::end, 0});
  if (!ends) return comparing_failed(number, ends.error());
  Comparison comparison;
  for (const std::string& topic : both) {
    comparison.topics.push_back({topic, output_of(*live, topic, *ends),
                                 output_of(*version, topic, *ends),
                                 revises(*live_worker->plan) || revises(*found->second.plan)});
  }
  comparison.is_from_first = !version->replay->begin.empty() || !version->replay->silent_to.empty();
  auto status = found->second.keeper->status();
  bool has_end = !version->replay->to.empty() && !version->replay->flush;
  if (has_end && status) comparison.to_ms = status->watermark;
  environment_.compare.begin(std::move(comparison),
                             later([this, number](Result<Difference> difference) {
                               auto worker = workers_.find(number);
                               if (worker == workers_.end()) return;
                               if (!difference) return comparing_failed(number, difference.error());
                               worker->second.is_comparing = false;
                               worker->second.cut_failures.forget();
                               worker->second.difference = std::move(*difference);
                             }));
}

}  // namespace leat::pipeline
