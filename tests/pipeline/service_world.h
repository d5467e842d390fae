// A service over a catalog on a simulated disk that crashes, with runs that are made up: each reads
// the numbers of one topic, in order, and writes those that it read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/sim_executor.h"
#include "broker/broker.h"
#include "file/fake_file_system.h"
#include "pipeline/service.h"
#include "pipeline/service_plans.h"

namespace leat::pipeline {

/// What outlives processes, and what a test says should happen.
struct MadeUpLog {
  /// "in" has the numbers below it.
  std::int64_t end = 0;
  /// What was written, by topic.
  std::map<std::string, std::vector<std::int64_t>> outputs;
  /// Up to where an owner has committed, and how many epochs that took.
  std::map<std::string, std::int64_t> committed;
  std::map<std::string, std::uint64_t> epochs;
  /// Where a batch's run ends.
  std::map<std::string, std::int64_t> batch_ends;
  /// Numbers that a version fails at, with what it says then; `failures_left` bounds how often.
  std::map<std::uint32_t, std::pair<std::int64_t, Error>> fails_at;
  int failures_left = 1'000'000;
  /// How many a run reads in a turn, of 10 ms.
  std::int64_t speed = 1'000'000;
  std::vector<VersionRun::Options> started;
};

class MadeUpRun final : public Run {
 public:
  MadeUpRun(SimExecutor& sim, MadeUpLog& log, VersionRun::Options options)
      : sim_(sim), log_(log), options_(std::move(options)) {
    owner_ = owner_of(options_.pipeline, options_.version);
    log_.started.push_back(options_);
    bool is_next_run = options_.anew_behind && log_.epochs[owner_] <= *options_.anew_behind;
    bool is_new = is_next_run || !log_.committed.contains(owner_);
    if (!is_new) next_ = log_.committed[owner_];
    if (is_new && !options_.from.empty()) next_ = options_.from.front().offset.value();
    if (options_.plan.mode.type == plan::Mode::Type::batch) {
      end_ = is_new ? log_.end : log_.batch_ends[owner_];
    }
    if (options_.to) end_ = options_.to->front().offset.value();
    later([this] {
      set(RunState::running);
      turn();
    });
  }

  void pause(Done done) override {
    paused_ = true;
    later([this, done = std::move(done)]() mutable {
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
  void run_to(Positions positions, Done done) override {
    later([this, to = positions.front().offset.value(), done = std::move(done)]() mutable {
      if (to < next_) return done(fail(Errc::invalid_argument, "it is beyond that"));
      if (next_ < silent_to()) return done(fail(Errc::invalid_argument, "it is in its warm-up"));
      read(to);
      done(outcome());
    });
  }
  void stop(Done done) override {
    paused_ = true;
    later([this, done = std::move(done)]() mutable {
      if (!status_.error) set(RunState::stopped);
      done(outcome());
    });
  }
  void hand_over(UniqueFunction<void(Result<HandedOver>)> done) override {
    later([this, done = std::move(done)]() mutable {
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
      if (end_) log_.batch_ends[owner_] = *end_;
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

class MadeUpData final : public VersionData {
 public:
  MadeUpData(SimExecutor& sim, MadeUpLog& log) : sim_(sim), log_(log) {}

  Result<Positions> find(const std::vector<std::string>& topics,
                         const LogPosition& position) override {
    Positions positions;
    for (const std::string& topic : topics) {
      std::int64_t end = log_.end;
      if (topic != "in") {
        if (!log_.outputs.contains(topic)) continue;
        end = static_cast<std::int64_t>(log_.outputs[topic].size());
      }
      positions.push_back({topic, PartitionId{0}, Offset{position.in(0, end, std::nullopt)}});
    }
    return positions;
  }
  void remove_epochs(const std::string& owner, Done done) override {
    log_.committed.erase(owner);
    log_.epochs.erase(owner);
    sim_.post([done = std::move(done)]() mutable { done({}); });
  }
  void delete_topic(const std::string& name, Done done) override {
    log_.outputs.erase(name);
    sim_.post([done = std::move(done)]() mutable { done({}); });
  }

 private:
  SimExecutor& sim_;
  MadeUpLog& log_;
};

/// Compares as sets of numbers, and remembers what it was asked.
class MadeUpCompare final : public Compare {
 public:
  MadeUpCompare(SimExecutor& sim, MadeUpLog& log) : sim_(sim), log_(log) {}
  void begin(Comparison comparison, Done done) override {
    Difference difference;
    std::multiset<std::int64_t> live = numbers(comparison.topics.front().live);
    std::multiset<std::int64_t> other = numbers(comparison.topics.front().other);
    difference.live_records = live.size();
    difference.other_records = other.size();
    difference.is_identical = live == other;
    for (std::int64_t number : live) difference.live_only_groups += other.contains(number) ? 0 : 1;
    for (std::int64_t number : other) difference.other_only_groups += live.contains(number) ? 0 : 1;
    asked.push_back(std::move(comparison));
    sim_.post([difference, done = std::move(done)]() mutable { done(difference); });
  }
  std::vector<Comparison> asked;

 private:
  std::multiset<std::int64_t> numbers(const std::vector<OutputRange>& ranges) {
    std::multiset<std::int64_t> numbers;
    for (const OutputRange& range : ranges) {
      for (std::int64_t at = range.begin.value(); at < range.end.value(); ++at) {
        numbers.insert(log_.outputs[range.topic].at(static_cast<std::size_t>(at)));
      }
    }
    return numbers;
  }
  SimExecutor& sim_;
  MadeUpLog& log_;
};

class ServiceWorld {
 public:
  explicit ServiceWorld(std::uint64_t seed = 1) : files_(sim, seed), compare(sim, log) {
    options_.store.directory = "/data";
    options_.store.scrub_bytes_per_second = 0;
    open();
  }
  ~ServiceWorld() {
    sim.drop_all();
    service_.reset();
    broker_.reset();
  }

  void open() {
    auto opened =
        broker::Broker::open({files_, sim, sim, metrics_, {}}, options_, Random(++lives_));
    REQUIRE_MESSAGE(opened, opened.error().what);
    broker_ = std::move(*opened);
    StartRun start = [this](VersionRun::Options options) -> std::unique_ptr<Run> {
      return std::make_unique<MadeUpRun>(sim, log, std::move(options));
    };
    service_ = std::make_unique<Service>(
        Service::Environment{sim, sim, *broker_, start, data_, compare, 1});
    service_->open();
    pass(std::chrono::milliseconds(1));
  }
  /// The process dies, or the machine.
  void crash(bool is_power_loss) {
    is_power_loss ? files_.power_loss() : files_.kill();
    sim.drop_all();
    service_.reset();
    broker_.reset();
  }
  /// A server that stops in order.
  void close() {
    std::optional<bool> closed;
    service_->close([&] { closed = true; });
    run_until([&] { return closed.has_value(); });
    service_.reset();
    std::optional<Result<void>> broker_closed;
    broker_->close([&](Result<void> outcome) { broker_closed = std::move(outcome); });
    run_until([&] { return broker_closed.has_value(); });
    broker_.reset();
  }
  void restart() {
    close();
    open();
  }

  Service& service() { return *service_; }
  file::FakeFileSystem& files() { return files_; }
  void pass(std::chrono::nanoseconds time) { sim.run_for(time); }
  template <class Condition>
  void run_until(const Condition& condition) {
    for (int i = 0; i < 200'000 && !condition(); ++i) REQUIRE(sim.run_one());
    REQUIRE(condition());
  }

  /// What the service answers, as JSON; "error: what" for an error.
  template <class Asking>
  std::string ask(const Asking& asking) {
    std::optional<std::string> text;
    asking([&](Result<plan::Json> answer) {
      text.emplace();
      if (answer) {
        plan::append_json(*text, *answer);
      } else {
        *text = fmt::format("error {}: {}", name(answer.error().code), answer.error().what);
      }
    });
    run_until([&] { return text.has_value(); });
    return *text;
  }
  std::string deploy(const std::string& plan, const plan::Parameters& values = {}) {
    return ask([&](auto answer) { service_->deploy(plan, values, std::move(answer)); });
  }
  std::string show(const std::string& pipeline = "p") {
    return ask([&](auto answer) { service_->show(pipeline, std::move(answer)); });
  }
  std::string why(const std::string& pipeline = "p") {
    return ask([&](auto answer) { service_->why(pipeline, std::move(answer)); });
  }
  std::string list() {
    return ask([&](auto answer) { service_->list(std::move(answer)); });
  }
  std::string pause(const std::string& pipeline = "p") {
    return ask([&](auto answer) { service_->pause(pipeline, std::move(answer)); });
  }
  std::string resume(const std::string& pipeline = "p") {
    return ask([&](auto answer) { service_->resume(pipeline, std::move(answer)); });
  }
  std::string run_now(const std::string& pipeline = "p", const plan::Parameters& values = {}) {
    return ask([&](auto answer) { service_->run_now(pipeline, values, std::move(answer)); });
  }
  std::string drop(bool with_topics = false, const std::string& pipeline = "p") {
    return ask([&](auto answer) { service_->drop(pipeline, with_topics, std::move(answer)); });
  }
  std::string replay(const ReplayRequest& request = {}, const std::string& pipeline = "p") {
    return ask([&](auto answer) { service_->replay(pipeline, request, std::move(answer)); });
  }
  std::string show_replay(const std::string& pipeline = "p") {
    return ask(
        [&](auto answer) { service_->show_replay(pipeline, std::nullopt, std::move(answer)); });
  }
  std::string stop_replay(const std::string& pipeline = "p") {
    return ask(
        [&](auto answer) { service_->stop_replay(pipeline, std::nullopt, std::move(answer)); });
  }
  std::string promote(std::uint32_t version, const std::string& pipeline = "p") {
    return ask([&](auto answer) { service_->promote(pipeline, version, std::move(answer)); });
  }

  /// Numbers that "out", or another topic, has not exactly once, of those below `end`.
  std::string wrong(std::int64_t end, const std::string& topic = "out") {
    std::map<std::int64_t, int> seen;
    for (std::int64_t number : log.outputs[topic]) ++seen[number];
    std::string text;
    for (std::int64_t number = 0; number < end; ++number) {
      if (seen[number] != 1) text += fmt::format("{}x{} ", number, seen[number]);
    }
    return text;
  }

  SimExecutor sim;
  MadeUpLog log;

 private:
  file::FakeFileSystem files_;
  Metrics metrics_;
  broker::BrokerOptions options_;
  MadeUpData data_{sim, log};
  std::unique_ptr<broker::Broker> broker_;
  std::uint64_t lives_ = 0;

 public:
  MadeUpCompare compare;

 private:
  std::unique_ptr<Service> service_;
};

}  // namespace leat::pipeline
