// leat demo kappa: a rule changes while a pipeline is at work; the new one reads all history beside
// it, takes over, and gives way again, and whoever reads the result sees nothing twice.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "record/partitioner.h"
#include "tools/connect.h"
#include "tools/deliveries.h"
#include "tools/demo_edits.h"
#include "tools/demo_events.h"
#include "tools/demo_jobs.h"
#include "tools/demo_pipelines.h"
#include "tools/demo_results.h"
#include "tools/demo_tail.h"
#include "tools/pipeline_text.h"

namespace leat::tools {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* name = "edits-per-channel";
constexpr const char* first_plan = "kappa/edits-per-channel-v1.plan.json";
constexpr const char* second_plan = "kappa/edits-per-channel-v2.plan.json";
constexpr const char* source_topic = "edits";
constexpr const char* live_topic = "edits-per-channel";
constexpr const char* shadow_topic = "edits-per-channel.v2";
constexpr std::int32_t partitions = 4;
constexpr std::int64_t sent_per_second = 4'000;
constexpr std::chrono::seconds patience{30};
// Of the day, what has been sent when something is done:
constexpr std::size_t percent_before_change = 40;
constexpr std::size_t percent_during_replay = 55;
constexpr std::size_t percent_of_second = 80;
// Of a comparison: what it comes to, and three windows that differ.
constexpr std::size_t shown_lines = 2 + 3 * 3;

/// A window of a channel, and what it should come to.
struct WindowKey {
  std::string start;
  std::string channel;
  friend auto operator<=>(const WindowKey&, const WindowKey&) = default;
};
struct Sums {
  std::int64_t edits = 0;
  std::int64_t added = 0;
  bool operator==(const Sums&) const = default;
};
using Windows = std::map<WindowKey, Sums>;

/// By a loop over the edits; those of robots count or not.
Result<Windows> reckon(const DemoEdits& edits, bool with_robots) {
  constexpr std::int64_t window_ms = 5 * 60 * 1000;
  Windows windows;
  for (const DemoEdit& edit : edits.all()) {
    auto members = read_members(edit.line);
    if (!members) return fail(members);
    if (!with_robots && (*members)["isRobot"] != "false") continue;
    std::int64_t time_ms = edit.time.time_since_epoch().count();
    std::string start;
    column::append_timestamp(start, {time_ms / window_ms * window_ms});
    Sums& sums = windows[{start, edit.channel}];
    ++sums.edits;
    sums.added += std::strtoll((*members)["added"].c_str(), nullptr, 10);
  }
  return windows;
}

/// The beginning of a text of lines, and "  …" where there are more.
std::string first_lines(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  while (count-- > 0 && end < text.size())
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  return std::string(text.substr(0, end)) + (end < text.size() ? "  …\n" : "");
}

/// Sends the day's edits on a thread of its own, paced, up to where it may.
class EditFeeder {
 public:
  EditFeeder(const DemoEdits& edits, const DemoStage& stage)
      : edits_(edits), producer_(stage.connect(), options(stage)), thread_([this] { feed(); }) {}
  ~EditFeeder() {
    {
      std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  EditFeeder(const EditFeeder&) = delete;
  EditFeeder& operator=(const EditFeeder&) = delete;

  /// Goes on up to that part of the day.
  void allow(std::size_t percent) {
    std::lock_guard lock(mutex_);
    allowed_ = edits_.all().size() * percent / 100;
    changed_.notify_all();
  }
  /// Waits until all that may be sent is durable.
  Result<void> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sent_ == allowed_ || error_; });
    if (error_) return tl::unexpected(*error_);
    if (deliveries_.failed() > 0) return fail(Errc::broker_error, "edits were not delivered");
    return {};
  }
  /// Ends the day in each partition: a record of the next one, of a robot.
  void close_day() {
    constexpr const char* line =
        R"({"time":"2015-09-13T12:00:00Z","channel":"end","added":0,"isRobot":true})";
    for (std::int32_t i = 0; i < partitions; ++i) {
      OutRecord record{source_topic, "end", line};
      record.partition = i;
      producer_.enqueue(record);
    }
    producer_.flush();
  }

 private:
  ProducerOptions options(const DemoStage& stage) {
    ProducerOptions with;
    with.on_delivery = [this, &stage](const BatchDelivery& batch) {
      if (!stage.interrupted()) deliveries_.add(batch);  // what was given up is no news
    };
    return with;
  }
  void feed() {
    auto fed = attempt([this] {
      while (take_next()) {
      }
    });
    std::lock_guard lock(mutex_);
    if (!fed) error_ = fed.error();
    changed_.notify_all();
  }
  bool take_next() {
    std::size_t begin, end;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return is_over_ || sent_ < allowed_; });
      if (is_over_) return false;
      begin = sent_;
      end = std::min<std::size_t>(allowed_, begin + sent_per_second / steps_per_second);
    }
    auto due = Clock::now() + std::chrono::milliseconds(1000) / steps_per_second;
    for (std::size_t i = begin; i < end; ++i) {
      const DemoEdit& edit = edits_.all()[i];
      OutRecord record{source_topic, edit.channel, edit.line};
      record.timestamp = edit.time;
      record.partition = record::partition_of_key(as_bytes(edit.channel), partitions).value();
      producer_.enqueue(record);
    }
    producer_.flush();
    std::unique_lock lock(mutex_);
    sent_ = end;
    changed_.notify_all();
    changed_.wait_until(lock, due, [&] { return is_over_; });
    return true;
  }

  static constexpr std::int64_t steps_per_second = 20;
  const DemoEdits& edits_;
  Deliveries deliveries_;
  blocking::Producer producer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::size_t allowed_ = 0;
  std::size_t sent_ = 0;
  bool is_over_ = false;
  std::optional<Error> error_;
  std::thread thread_;
};

class KappaJob {
 public:
  explicit KappaJob(DemoStage& stage) : stage_(stage), pipelines_(stage) {}
  Result<void> play();

 private:
  Result<void> begin();
  Result<void> change_rule();
  Result<void> switch_over();
  Result<void> deploy(const char* plan_path);
  Result<void> show_newest(const char* who);
  Result<void> check();
  Result<void> check_live(const Windows& first, const Windows& second);
  Result<void> check_shadow(const Windows& second);

  DemoStage& stage_;
  DemoPipelines pipelines_;
  DemoEdits edits_;
  std::unique_ptr<EditFeeder> feeder_;
  std::unique_ptr<TopicTail> reader_;
};

Result<void> KappaJob::deploy(const char* plan_path) {
  auto plan = read_job_plan(plan_path, {}, stage_.clock());
  return plan ? pipelines_.deploy(*plan) : fail(plan);
}

// What has been read last, as somebody sees it who reads the result.
Result<void> KappaJob::show_newest(const char* who) {
  auto records = reader_->records();
  if (records.empty()) return {};
  auto row = parse_window_row(records.back().value);
  if (!row) return fail(row);
  fmt::print("  {} records read; the newest: {} {}: {} edits, by {}\n", records.size(),
             row->window_start, row->channel, row->edits, who);
  std::fflush(stdout);
  return {};
}

Result<void> KappaJob::begin() {
  for (const char* topic : {source_topic, live_topic}) {
    auto made = stage_.need_topic(topic, partitions);
    if (!made) return made;
    std::vector<std::int64_t> ends = topic_ends(stage_.admin(), topic);
    if (std::any_of(ends.begin(), ends.end(), [](std::int64_t end) { return end > 0; })) {
      return fail(Errc::invalid_argument,
                  fmt::format("{} has been played in: this demo needs a new directory",
                              stage_.directory()));
    }
  }
  tell_step("A pipeline counts edits to Wikipedia per channel, in windows of 5 minutes:",
            fmt::format("leat pipeline deploy examples/jobs/{}", first_plan));
  if (auto deployed = deploy(first_plan); !deployed) return deployed;
  tell_step(
      fmt::format("A day's edits come, {} a second from here on, and somebody reads the "
                  "result.",
                  sent_per_second));
  reader_ = std::make_unique<TopicTail>(stage_.connect(), live_topic, partitions);
  feeder_ = std::make_unique<EditFeeder>(edits_, stage_);
  feeder_->allow(percent_before_change);
  if (auto fed = feeder_->wait(); !fed) return fed;
  return show_newest("version 1");
}

Result<void> KappaJob::change_rule() {
  tell_step(
      "The rule changes: robots' edits should not count. That is another version, which does "
      "not run yet:",
      fmt::format("leat pipeline deploy examples/jobs/{}", second_plan));
  if (auto deployed = deploy(second_plan); !deployed) return deployed;
  tell_step(
      "It reads all there is from the beginning, into a topic of its own, while edits go on "
      "coming to the first one; then both results are compared:",
      fmt::format("leat pipeline replay {} --from start --diff", name));
  feeder_->allow(percent_during_replay);
  auto replay = pipelines_.replay(name);
  if (!replay) return fail(replay);
  fmt::print("{}", first_lines(replay_text(*replay), shown_lines));
  return show_newest("version 1");
}

Result<void> KappaJob::switch_over() {
  tell_step(
      "That is what was wanted. Readers get the new rule's results from here on, in one "
      "step:",
      fmt::format("leat pipeline promote {} 2", name));
  feeder_->allow(percent_of_second);
  if (auto promoted = pipelines_.promote(name, 2); !promoted) return promoted;
  if (auto fed = feeder_->wait(); !fed) return fed;
  if (auto read = pipelines_.wait_until_read(name); !read) return read;
  if (auto shown = show_newest("version 2"); !shown) return shown;

  tell_step("Somebody objects. The first version has followed beside it, and takes over again:",
            fmt::format("leat pipeline promote {} 1", name));
  feeder_->allow(100);
  if (auto back = pipelines_.promote(name, 1); !back) return back;
  if (auto fed = feeder_->wait(); !fed) return fed;
  feeder_->close_day();
  if (auto read = pipelines_.wait_until_read(name); !read) return read;
  if (auto silent = reader_->wait_for_silence(std::chrono::milliseconds(500)); !silent) {
    return silent;
  }
  return show_newest("version 1");
}

// In each partition there are some windows of the first version, then some of the second, then of
// the first again: each once, and none is left out but those that the second one has not.
Result<void> KappaJob::check_live(const Windows& first, const Windows& second) {
  std::map<std::int32_t, int> phases;
  std::set<WindowKey> seen;
  std::size_t of_second = 0;
  for (const TailRecord& record : reader_->records()) {
    auto row = parse_window_row(record.value);
    if (!row) return fail(row);
    WindowKey key{row->window_start, row->channel};
    if (!seen.insert(key).second) {
      return fail(Errc::corrupt_message,
                  fmt::format("the reader saw {} of {} twice", row->window_start, row->channel));
    }
    Sums sums{row->edits, row->added};
    auto is_of = [&](const Windows& windows) {
      auto found = windows.find(key);
      return found != windows.end() && found->second == sums;
    };
    int& phase = phases[record.partition];
    if (!is_of(phase == 1 ? second : first)) ++phase;
    if (phase > 2 || !is_of(phase == 1 ? second : first)) {
      return fail(Errc::corrupt_message,
                  fmt::format("what the reader saw is of no version: {}", record.value));
    }
    of_second += phase == 1 ? 1 : 0;
  }
  for (const auto& [key, sums] : first) {
    if (seen.contains(key) || !second.contains(key)) continue;
    return fail(Errc::corrupt_message,
                fmt::format("the reader did not see {} of {}", key.start, key.channel));
  }
  fmt::print(
      "The reader saw {} windows, each once, none is missing, and each is what a loop over "
      "the edits in plain C++ makes of it by the rule that was live then, {} of them by the "
      "second one.\n",
      seen.size(), of_second);
  return {};
}

// What the second version wrote while it was not live is there beside: the past, corrected.
Result<void> KappaJob::check_shadow(const Windows& second) {
  TopicTail shadow(stage_.connect(), shadow_topic, partitions);
  if (auto silent = shadow.wait_for_silence(std::chrono::milliseconds(500)); !silent) {
    return silent;
  }
  Windows found;
  for (const TailRecord& record : shadow.records()) {
    auto row = parse_window_row(record.value);
    if (!row) return fail(row);
    if (!found.try_emplace({row->window_start, row->channel}, Sums{row->edits, row->added})
             .second) {
      return fail(Errc::corrupt_message, fmt::format("{} has {} of {} twice", shadow_topic,
                                                     row->window_start, row->channel));
    }
  }
  std::size_t shadowed = found.size();
  for (const TailRecord& record : reader_->records()) {
    auto row = parse_window_row(record.value);
    if (!row) return fail(row);
    found.try_emplace({row->window_start, row->channel}, Sums{row->edits, row->added});
  }
  for (const auto& [key, sums] : second) {
    auto there = found.find(key);
    if (there != found.end() && there->second == sums) continue;
    return fail(Errc::corrupt_message,
                fmt::format("version 2 did not give {} of {}", key.start, key.channel));
  }
  fmt::print("{} has the other {} windows of the second rule.\n", shadow_topic, shadowed);
  return {};
}

Result<void> KappaJob::check() {
  auto first = reckon(edits_, true);
  auto second = reckon(edits_, false);
  if (!first) return fail(first);
  if (!second) return fail(second);
  fmt::print("\n");
  if (auto checked = check_live(*first, *second); !checked) return checked;
  return check_shadow(*second);
}

Result<void> KappaJob::play() {
  auto edits = DemoEdits::load();
  if (!edits) return fail(edits);
  edits_ = std::move(*edits);
  Result<void> step = begin();
  if (step) step = change_rule();
  if (step) step = switch_over();
  if (step) step = check();
  if (!step) return step;
  stage_.stay({fmt::format("leat pipeline show {} --http {}", name, stage_.http()),
               fmt::format("leat consume {} -b {} -n 5", shadow_topic, stage_.kafka())});
  return {};
}

}  // namespace

Result<void> play_kappa(DemoStage& stage) {
  fmt::print(
      "Kappa: there is one pipeline and no batch. When its rule changes, history is read "
      "again.\n");
  return KappaJob(stage).play();
}

}  // namespace leat::tools
