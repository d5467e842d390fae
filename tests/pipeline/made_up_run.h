// A version's run that is made up: it reads the numbers of one topic, in order, and writes those
// that it read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/once.h"
#include "base/sim_executor.h"
#include "pipeline/run.h"

namespace leat::pipeline {

/// What outlives processes, and what a test says should happen.
struct MadeUpLog {
  /// "in" has the numbers [start, end).
  std::int64_t start = 0;
  std::int64_t end = 0;
  /// How often the topic was made.
  int made = 1;
  /// What was written, by topic.
  std::map<std::string, std::vector<std::int64_t>> outputs;
  /// Up to where an owner has committed, and how many epochs that took.
  std::map<std::string, std::int64_t> committed;
  std::map<std::string, std::uint64_t> epochs;
  /// Which making of the topic an owner began with.
  std::map<std::string, int> began;
  /// Where a batch's run ends.
  std::map<std::string, std::int64_t> batch_ends;
  /// Numbers that a version fails at, with what it says then; `failures_left` bounds how often.
  std::map<std::uint32_t, std::pair<std::int64_t, Error>> fails_at;
  int failures_left = 1'000'000;
  /// How many a run reads in a turn, of 10 ms.
  std::int64_t speed = 1'000'000;
  std::vector<VersionRun::Options> started;
  /// Runs that have not been destroyed.
  int runs = 0;
  /// Nobody can be brought to a place.
  bool cannot_meet = false;
};

class MadeUpRun final : public Run {
 public:
  MadeUpRun(SimExecutor& sim, MadeUpLog& log, VersionRun::Options options)
      : sim_(sim), log_(log), options_(std::move(options)) {
    owner_ = owner_of(options_.pipeline, options_.version);
    log_.started.push_back(options_);
    bool is_next_run = options_.anew_behind && log_.epochs[owner_] <= *options_.anew_behind;
    bool is_new = is_next_run || !log_.committed.contains(owner_);
    next_ = is_new ? log_.start : log_.committed[owner_];
    if (is_new && !options_.from.empty()) next_ = options_.from.front().offset.value();
    bool is_batch = options_.plan.mode.type == plan::Mode::Type::batch;
    bool has_end = !is_next_run && log_.batch_ends.contains(owner_);
    if (is_batch) end_ = has_end ? log_.batch_ends[owner_] : log_.end;
    if (options_.to) end_ = options_.to->front().offset.value();
    if (is_new) log_.began[owner_] = log_.made;
    ++log_.runs;
    later([this, missing = missing_input(is_new)] {
      status_.error = missing;
      // A run begins by writing down where it ends.
      if (!missing && end_) log_.batch_ends[owner_] = *end_;
      set(missing ? RunState::failed : RunState::running);
      turn();
    });
  }
  ~MadeUpRun() override { --log_.runs; }

  void pause(Done asked) override {
    paused_ = true;
    later([this, done = once(std::move(asked))]() mutable {
      if (status_.state == RunState::running) set(RunState::paused);
      done(outcome());
    });
  }
  void resume() override {
    paused_ = false;
    later([this] {
      if (status_.state == RunState::paused) set(RunState::running);
      turn();
    });
  }
  void run_to(Positions positions, Done asked) override {
    later([this, to = positions.front().offset.value(), done = once(std::move(asked))]() mutable {
      if (status_.error) return done(outcome());
      if (log_.cannot_meet) return done(fail(Errc::invalid_argument, "they cannot meet"));
      if (to < next_) return done(fail(Errc::invalid_argument, "it is beyond that"));
      if (next_ < silent_to()) return done(fail(Errc::invalid_argument, "it is in its warm-up"));
      read(to);
      done(outcome());
    });
  }
  void stop(Done asked) override {
    paused_ = true;
    later([this, done = once(std::move(asked))]() mutable {
      if (!status_.error) set(RunState::stopped);
      done(outcome());
    });
  }
  void hand_over(UniqueFunction<void(Result<HandedOver>)> asked) override {
    later([this, done = Once<HandedOver>(std::move(asked), "the run has gone")]() mutable {
      bool is_paused = status_.state == RunState::paused;
      if (is_paused) set(RunState::stopped);
      done(is_paused ? Result<HandedOver>(HandedOver{1, {}})
                     : Result<HandedOver>(fail(Errc::invalid_request, "it is not paused")));
    });
  }
  void set_rows_per_s(double rows_per_s) override { options_.rows_per_s = rows_per_s; }

  VersionStatus status() const override {
    VersionStatus status = status_;
    status.rows_in = status.rows_out = static_cast<std::uint64_t>(next_);
    status.epochs = log_.epochs[owner_];
    PartitionStatus partition;
    partition.name = "in";
    partition.position = Offset{next_};
    partition.end = Offset{log_.end};
    partition.lag_records = log_.end - next_;
    status.partitions.push_back(partition);
    return status;
  }
  Positions positions() const override { return {{"in", PartitionId{0}, Offset{next_}}}; }

 private:
  template <class Then>
  void later(Then then) {
    sim_.post([alive = std::weak_ptr<char>(alive_), then = std::move(then)]() mutable {
      if (!alive.expired()) then();
    });
  }
  static Once<void> once(Done done) { return Once<void>(std::move(done), "the run has gone"); }
  std::optional<Error> missing_input(bool is_new) const {
    if (!options_.dead_letters.empty()) return std::nullopt;
    if (log_.began[owner_] != log_.made) {
      return Error{Errc::unknown_topic_id, "the topic in was made anew"};
    }
    bool repeats_less = is_new && !options_.repeat.empty() && (log_.start > 0 || log_.made > 1);
    if (next_ >= log_.start && next_ <= log_.end && !repeats_less) return std::nullopt;
    return Error{Errc::offset_out_of_range,
                 fmt::format("offset {} of in is not there", repeats_less ? 0 : next_)};
  }
  void set(RunState state) {
    status_.state = state;
    if (options_.on_state) options_.on_state(state);
  }
  Result<void> outcome() const {
    if (status_.error) return tl::unexpected(*status_.error);
    return {};
  }

  void turn() {
    if (status_.state != RunState::running || paused_) return;
    std::int64_t to = std::min(end_.value_or(log_.end), next_ + log_.speed);
    // Days pass in some tests.
    auto pause = std::chrono::milliseconds(to > next_ ? 10 : 200);
    read(to);
    if (status_.state != RunState::running) return;
    if (end_ && next_ >= *end_) return set(RunState::finished);
    sim_.after(pause, [this, alive = std::weak_ptr<char>(alive_)] {
      if (!alive.expired()) turn();
    });
  }

  /// As a run does, it remembers that since it began.
  std::int64_t silent_to() const {
    return options_.silent_to.empty() ? 0 : options_.silent_to.front().offset.value();
  }

  void read(std::int64_t to) {
    auto bad = log_.fails_at.find(options_.version);
    bool fails = bad != log_.fails_at.end() && next_ <= bad->second.first &&
                 bad->second.first < to && log_.failures_left > 0;
    if (fails) to = bad->second.first;
    if (to > next_) {
      ++log_.epochs[owner_];
      log_.committed[owner_] = to;
    }
    for (; next_ < to; ++next_) {
      if (next_ >= silent_to()) log_.outputs["out" + options_.suffix].push_back(next_);
    }
    if (!fails) return;
    --log_.failures_left;
    status_.error = bad->second.second;
    set(RunState::failed);
  }

  SimExecutor& sim_;
  MadeUpLog& log_;
  VersionRun::Options options_;
  std::string owner_;
  std::int64_t next_ = 0;
  std::optional<std::int64_t> end_;
  VersionStatus status_;
  bool paused_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace leat::pipeline
