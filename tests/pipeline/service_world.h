// A service over a catalog on a simulated disk that crashes, with runs that are made up.
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
#include "pipeline/made_up_run.h"
#include "pipeline/service.h"
#include "pipeline/service_plans.h"

namespace leat::pipeline {

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

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
      // A number's time is the number.
      std::optional<std::int64_t> at_time;
      if (position.number < end) at_time = std::max<std::int64_t>(position.number, 0);
      std::int64_t start = topic == "in" ? log_.start : 0;
      positions.push_back({topic, PartitionId{0}, Offset{position.in(start, end, at_time)}});
    }
    return positions;
  }
  Result<void> check_repeatable(const std::string& owner) override {
    if (log_.began[owner] != log_.made) {
      return fail(Errc::inconsistent_topic_id, "in was made anew");
    }
    if (log_.start == 0) return {};
    return fail(Errc::offset_out_of_range, fmt::format("in begins at {}", log_.start));
  }
  Result<Halt> find_halt(const std::string& owner) override {
    Halt halt;
    if (!log_.committed.contains(owner)) return halt;
    std::int64_t at = log_.committed[owner];
    if (log_.began[owner] != log_.made) {
      at = log_.start;
      halt.lost.emplace_back("in was made anew");
    } else if (at < log_.start) {
      halt.lost.push_back(
          fmt::format("records {} to {} of partition 0 of in were deleted", at, log_.start - 1));
      at = log_.start;
    }
    halt.at.push_back({"in", PartitionId{0}, Offset{at}});
    return halt;
  }
  Result<TimeBefore> time_before(const plan::Plan&, const Positions& at) override {
    TimeBefore before;
    if (at.empty() || at.front().offset.value() == 0) return before;
    before.latest_ms = before.watermark_ms = at.front().offset.value() - 1;
    before.watermark_at_end_ms = before.watermark_ms;
    return before;
  }
  void remove_epochs(const std::string& owner, Done done) override {
    log_.committed.erase(owner);
    log_.epochs.erase(owner);
    log_.began.erase(owner);
    log_.batch_ends.erase(owner);
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
    Work answer = [difference, done = std::move(done)]() mutable { done(difference); };
    if (is_slow) {
      held.push_back(std::move(answer));
    } else {
      sim_.post(std::move(answer));
    }
  }
  std::vector<Comparison> asked;
  /// Whoever tests answers by calling these.
  bool is_slow = false;
  std::vector<Work> held;

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
    // Who was dropped may have answered.
    while (!sim.idle()) sim.drop_all();
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
  std::string drop_version(std::uint32_t version, bool with_topics = false) {
    return ask(
        [&](auto answer) { service_->drop_version("p", version, with_topics, std::move(answer)); });
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
