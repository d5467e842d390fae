// The fraud job at work in this process, as a server has it: payments come in by a fixed schedule,
// and who reads its alerts says when each was there to be read, committed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "appends.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "file/posix_file_system.h"
#include "latencies.h"
#include "payments.h"
#include "record/batch.h"
#include "record/record.h"
#include "server/pipelines.h"
#include "stream/data_directory.h"

namespace leat::bench {

using Steady = std::chrono::steady_clock;

/// Events of a stretch of time: so many at each tick, counted from its begin.
struct Stretch {
  static constexpr std::chrono::milliseconds tick{1};
  static constexpr std::uint64_t per_tick = Payments::per_s / 1000;

  std::uint64_t first = 0;
  std::uint64_t next = 0;
  Steady::time_point begun;

  Steady::time_point due(std::uint64_t number) const {
    return begun + tick * static_cast<std::int64_t>((number - first) / per_tick);
  }
  /// How many have been due by now.
  std::uint64_t due_by(Steady::time_point now) const {
    if (now < begun) return first;
    auto ticks = static_cast<std::uint64_t>((now - begun) / tick) + 1;
    return std::min(next, first + ticks * per_tick);
  }
};

/// Reads all records of a topic, committed ones only, on a thread of its own.
class TopicWatch {
 public:
  using Take = std::function<void(BytesView value, Steady::time_point now)>;
  TopicWatch(stream::TopicStore& topics, const stream::Topic& topic, Take take_record)
      : reader_(take(topics.open(topic))),
        take_record_(std::move(take_record)),
        next_(static_cast<std::size_t>(topic.partitions)),
        thread_([this] { run(); }) {}
  ~TopicWatch() {
    {
      std::lock_guard lock(state_->mutex);
      state_->stop = true;
      state_->changed.notify_one();
    }
    thread_.join();
  }
  TopicWatch(const TopicWatch&) = delete;
  TopicWatch& operator=(const TopicWatch&) = delete;

 private:
  // Outlives this in wake-ups that nothing has called yet.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::size_t> ready;
    bool stop = false;
  };

  void run() {
    for (std::size_t p = 0; p < next_.size(); ++p) wait_for(p);
    std::vector<std::size_t> ready;
    while (true) {
      {
        std::unique_lock lock(state_->mutex);
        state_->changed.wait(lock, [&] { return state_->stop || !state_->ready.empty(); });
        if (state_->stop) return;
        ready = std::exchange(state_->ready, {});
      }
      for (std::size_t partition : ready) {
        read(partition);
        wait_for(partition);
      }
    }
  }
  void wait_for(std::size_t partition) {
    reader_->when_readable(PartitionId{static_cast<std::int32_t>(partition)}, next_[partition],
                           [state = state_, partition] {
                             std::lock_guard lock(state->mutex);
                             state->ready.push_back(partition);
                             state->changed.notify_one();
                           });
  }
  void read(std::size_t partition) {
    PartitionId id{static_cast<std::int32_t>(partition)};
    while (true) {
      auto batches = take(reader_->read(id, next_[partition], 1 << 20));
      auto now = Steady::now();
      BytesView left = batches.bytes;
      if (left.empty()) return;
      while (!left.empty()) {
        auto batch = take(record::BatchView::parse(left));
        left = left.subspan(batch.size_bytes());
        record::RecordIterator records(batch);
        while (const record::Record* record = batch.is_control() ? nullptr : records.next()) {
          if (record->offset >= next_[partition]) take_record_(*record->value, now);
        }
        next_[partition] = batch.next_offset();
      }
    }
  }

  std::unique_ptr<stream::TopicReader> reader_;
  Take take_record_;
  std::vector<Offset> next_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::thread thread_;
};

/// A data directory with the service of pipelines, and the fraud job deployed there.
class LiveFraud {
 public:
  static constexpr std::int32_t partitions = 4;

  /// Makes the directory anew.
  explicit LiveFraud(std::string path) : path_(std::move(path)) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    broker::BrokerOptions options;
    options.store.directory = path_;
    directory_ = take(stream::DataDirectory::open(options, files_, clock_, Random::from_entropy()));
    auto topic = take(topics().create_topic("transactions", partitions));
    appends_ = std::make_unique<Appends>(topics(), topic, Appends::Options{.waiting_max = 4096});
    auto alerts = take(topics().create_topic("fraud-alerts", partitions));
    times_.reserve(std::size_t{1} << 20);
    pipelines_ =
        std::make_unique<server::Pipelines>(directory_->broker(), clock_, directory_->metrics());
    pipelines_->open();
    watch_ = std::make_unique<TopicWatch>(
        topics(), alerts, [this](BytesView value, Steady::time_point now) {
          auto number = Payments::number_of(as_text(value));
          if (!number) quit("this is no alert: " + std::string(as_text(value)));
          std::lock_guard lock(mutex_);
          times_.emplace_back(*number, now);
        });
  }
  ~LiveFraud() {
    std::promise<void> closed;
    pipelines_->close([&] { closed.set_value(); });
    closed.get_future().wait();
    pipelines_->end();
    while (!pipelines_->has_ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    pipelines_.reset();
    watch_.reset();
    directory_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  LiveFraud(const LiveFraud&) = delete;
  LiveFraud& operator=(const LiveFraud&) = delete;

  stream::TopicStore& topics() { return directory_->topics(); }
  file::FileSystem& files() { return files_; }

  /// Payments of before, as fast as they can be appended.
  void load(std::uint64_t count) {
    for (std::uint64_t end = next_ + count; next_ < end; ++next_) add(next_);
    appends_->send_all();
    appends_->wait();
  }
  /// Payments that come when they are due, for so long.
  Stretch produce(double seconds) {
    Stretch stretch;
    stretch.first = next_;
    stretch.next = next_ + static_cast<std::uint64_t>(seconds * 1000) * Stretch::per_tick;
    stretch.begun = Steady::now() + Stretch::tick;
    while (next_ < stretch.next) {
      std::this_thread::sleep_until(stretch.due(next_));
      for (auto end = stretch.due_by(Steady::now()); next_ < end; ++next_) add(next_);
      appends_->send_all();
    }
    appends_->wait();
    return stretch;
  }

  static std::string plan_text() {
    std::ifstream file("examples/jobs/fraud/fraud-alerts.plan.json");
    if (!file) quit("run it at the root of the repository");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void deploy(const std::string& plan) {
    ask([&](auto answer) { pipelines_->service().deploy(plan, {}, std::move(answer)); });
  }
  void replay(const pipeline::ReplayRequest& request) {
    ask([&](auto answer) {
      pipelines_->service().replay("fraud-alerts", request, std::move(answer));
    });
  }
  plan::JsonObject show() {
    return std::get<plan::JsonObject>(
        ask([&](auto answer) { pipelines_->service().show("fraud-alerts", std::move(answer)); }));
  }
  plan::JsonObject show_replay() {
    return std::get<plan::JsonObject>(ask([&](auto answer) {
      pipelines_->service().show_replay("fraud-alerts", std::nullopt, std::move(answer));
    }));
  }
  void stop_replay() {
    ask([&](auto answer) {
      pipelines_->service().stop_replay("fraud-alerts", std::nullopt, std::move(answer));
    });
  }
  template <class Ask>
  plan::Json ask(Ask ask) {
    while (true) {
      std::promise<Result<plan::Json>> promise;
      ask([&](Result<plan::Json> answer) { promise.set_value(std::move(answer)); });
      auto answer = promise.get_future().get();
      if (answer || answer.error().code != Errc::cancelled) return take(std::move(answer));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  /// Waits until all payments so far have been judged, and checks that each alert was there once
  /// and no other was.
  void settle() {
    auto expected = Payments::alerts(next_);
    auto count = static_cast<std::size_t>(std::count(expected.begin(), expected.end(), true));
    auto begun = Steady::now();
    while (true) {
      std::unique_lock lock(mutex_);
      if (times_.size() >= count) break;
      if (Steady::now() - begun > std::chrono::minutes(5)) {
        quit(fmt::format("{} alerts of {} came in five minutes", times_.size(), count));
      }
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    std::lock_guard lock(mutex_);
    for (const auto& [number, time] : times_) {
      if (number >= next_ || !expected[number]) {
        quit(fmt::format("an alert about payment {} came twice, or should not have", number));
      }
      expected[number] = false;
    }
    if (times_.size() != count) quit("alerts came that should not have");
  }
  /// Of the alerts about payments of the stretch: from when they were due.
  Latencies latencies(const Stretch& of) {
    Latencies latencies;
    std::lock_guard lock(mutex_);
    for (const auto& [number, time] : times_) {
      if (number < of.first || number >= of.next) continue;
      latencies.add(std::chrono::duration<double, std::milli>(time - of.due(number)).count());
    }
    return latencies;
  }
  std::uint64_t payments() const { return next_; }

 private:
  void add(std::uint64_t number) {
    Payments::write(number, key_, value_);
    appends_->add(Payments::at(number).time_ms, key_, value_);
  }

  const std::string path_;
  SystemClock clock_;
  file::PosixFileSystem files_;
  std::unique_ptr<stream::DataDirectory> directory_;
  std::unique_ptr<server::Pipelines> pipelines_;
  std::unique_ptr<Appends> appends_;
  std::unique_ptr<TopicWatch> watch_;
  std::uint64_t next_ = 0;
  std::string key_, value_;
  std::mutex mutex_;
  // Guarded by mutex_: the numbers of payments whose alerts came, and when.
  std::vector<std::pair<std::uint64_t, Steady::time_point>> times_;
};

}  // namespace leat::bench
