// What versions gave beside the live one, compared with what that gave.
#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "pipeline/cut.h"
#include "pipeline/deployment.h"
#include "pipeline/plan_traits.h"
#include "pipeline/warm_up.h"
#include "plan/bound_plan.h"

namespace leat::pipeline {

namespace {

constexpr std::int64_t time_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t time_max = std::numeric_limits<std::int64_t>::max();

constexpr std::chrono::seconds cut_patience{10};

/// Within what can be reckoned with.
std::int64_t plus(std::int64_t time_ms, std::int64_t ms) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(time_ms, ms, &sum)) return sum;
  return ms < 0 ? time_min : time_max;
}

/// How far in time something may be told again later.
std::int64_t revised_ms(const plan::Plan& plan) {
  if (!revises(plan)) return 0;
  auto bound = plan::bind(plan);
  return bound ? reach_of(*bound).ms.value_or(0) : 0;
}

/// Before which time two versions have both given all that there is to give, if one of them rests
/// and the other one has read on; the largest one if they stand at one place, or nobody knows.
/// `rests` is where the plan that rests has come to: a batch has closed there what was open.
std::int64_t covered_by_both(VersionData& data, const plan::Plan& resting, const Positions& rests,
                             const Positions& reads) {
  Positions both = rests;
  bool is_one_place = true;
  for (Position& position : both) {
    for (const Position& other : reads) {
      bool is_same = other.name == position.name && other.partition == position.partition;
      if (!is_same || other.offset == position.offset) continue;
      is_one_place = false;
      position.offset = std::min(position.offset, other.offset);
    }
  }
  if (is_one_place) return time_max;
  auto before = data.time_before(resting, both);
  if (!before) return time_max;
  bool has_ended = resting.mode.type == plan::Mode::Type::batch;
  return (has_ended ? before->watermark_at_end_ms : before->watermark_ms).value_or(time_min);
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

}  // namespace

// From which time on a version gave all there is to give; the least one if from the start.
std::int64_t Deployment::given_from(const Version& version) const {
  if (!version.replay) return time_min;
  const Replay& replay = *version.replay;
  const Positions& at = replay.silent_to.empty() ? replay.begin : replay.silent_to;
  auto plan = plan::parse(version.plan);
  if (at.empty() || !plan) return time_min;
  auto before = environment_.data.time_before(*plan, at);
  if (!before || !before->latest_ms) return time_min;
  return plus(plus(*before->latest_ms, 1), revised_ms(*plan));
}

// And up to which both did.
std::int64_t Deployment::given_to(const Version& version, const Version& live) const {
  const Worker* worker = find_worker(version.number);
  const Worker* live_worker = find_worker(live.number);
  if (!version.replay || worker == nullptr || live_worker == nullptr) return time_max;
  auto status = worker->keeper->status();
  auto live_status = live_worker->keeper->status();
  auto plan = plan::parse(version.plan);
  auto live_plan = plan::parse(live.plan);
  if (!plan || !live_plan) return time_max;
  std::int64_t revised = std::max(revised_ms(*plan), revised_ms(*live_plan));
  const Replay& replay = *version.replay;
  if (replay.to.empty()) {
    std::int64_t to_ms = time_max;
    if (std::shared_ptr<Run> other = run_of(version.number); other && live_stands_still()) {
      auto halt = environment_.data.find_halt(owner_of(name_, live.number));
      if (halt && halt->lost.empty()) {
        to_ms = covered_by_both(environment_.data, *live_plan, halt->at, other->positions());
      }
    }
    // Else they stand at one place. One that waits longer for rows has not given what it waits for.
    bool is_known = status && live_status && status->watermark != live_status->watermark;
    if (is_known) to_ms = std::min({to_ms, status->watermark, live_status->watermark});
    return to_ms == time_max ? time_max : plus(to_ms, -revised);
  }
  if (!replay.flush && status) return plus(status->watermark, -revised);
  // What was open at the end was closed there, and not by the live version; or the run is of
  // before a start, and how far it came is to be found.
  auto before = environment_.data.time_before(*live_plan, replay.end);
  bool is_known = before && before->watermark_at_end_ms;
  return is_known ? plus(*before->watermark_at_end_ms, -revised) : time_max;
}

void Deployment::compare_with_live(std::uint32_t number) {
  workers_.at(number).is_comparing = true;
  enqueue([this, number](Next next) mutable {
    std::shared_ptr<Run> live = live_run();
    std::shared_ptr<Run> other = run_of(number);
    if (is_closing_) return next();
    // A batch at rest is as far as it will come.
    if (!live || !other || live_stands_still()) {
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
  bool are_known = live_worker != nullptr && live_worker->plan && found->second.plan;
  if (!are_known) {
    return comparing_failed(
        number, Error{Errc::plan_error, "the plan of one of both cannot be read by this server"});
  }
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
  comparison.from_ms = std::max(given_from(*version), given_from(*live));
  bool is_part = !version->replay->begin.empty() || !version->replay->silent_to.empty();
  // Of a topic that is not there any more nobody knows.
  comparison.is_from_first = is_part && comparison.from_ms == Comparison().from_ms;
  comparison.to_ms = given_to(*version, *live);
  environment_.compare.begin(
      std::move(comparison),
      later([this, number, replays = found->second.replays](Result<Difference> difference) {
        auto worker = workers_.find(number);
        bool is_of_now = worker != workers_.end() && worker->second.replays == replays;
        if (!is_of_now) return;
        if (!difference) return comparing_failed(number, difference.error());
        worker->second.is_comparing = false;
        worker->second.cut_failures.forget();
        worker->second.difference = std::move(*difference);
      }));
}

}  // namespace leat::pipeline
