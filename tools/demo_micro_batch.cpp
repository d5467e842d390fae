// leat demo micro-batch: revenue in windows, told every few seconds, over a restart of the server.
#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "column/timestamp.h"
#include "tools/demo_events.h"
#include "tools/demo_jobs.h"
#include "tools/demo_pipelines.h"
#include "tools/demo_tail.h"

namespace leat::tools {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* plan_path = "micro-batch/revenue-5m.plan.json";
constexpr std::int64_t trigger_ms = 2'000;  // the plan says 30 s, and nobody watches that long
constexpr std::size_t order_count = 24'000;
constexpr std::int64_t sent_per_second = 1'500;
constexpr std::int64_t window_ms = 5 * 60 * 1000;
constexpr std::chrono::seconds patience{20};

struct Window {
  std::int64_t orders = 0;
  std::int64_t cents = 0;
  bool operator==(const Window&) const = default;
};
/// By their starts, in ms.
using Windows = std::map<std::int64_t, Window>;

/// What each window comes to, by a loop over the orders.
Result<Windows> reckon(const std::vector<DemoEvent>& orders) {
  Windows windows;
  for (const DemoEvent& event : orders) {
    auto order = read_members(event.value);
    if (!order) return fail(order);
    Window& window = windows[event.time_ms / window_ms * window_ms];
    ++window.orders;
    window.cents += read_cents((*order)["amount"]);
  }
  return windows;
}

/// One record of the result.
Result<std::pair<std::int64_t, Window>> read_row(const TailRecord& record) {
  auto row = read_members(record.value);
  if (!row) return fail(row);
  auto start = column::parse_timestamp((*row)["window_start"]);
  return std::pair(
      start ? start->ms : -1,
      Window{std::strtoll((*row)["orders"].c_str(), nullptr, 10), read_cents((*row)["revenue"])});
}

std::string clock_text(std::int64_t time_ms) {
  std::string text;
  column::append_timestamp(text, {time_ms});
  return text.substr(11, 5);
}

class MicroBatchJob {
 public:
  explicit MicroBatchJob(DemoStage& stage) : stage_(stage) {}
  Result<void> play();

 private:
  Result<void> start();
  Result<void> send(std::size_t begin, std::size_t end);
  Result<void> show_new();
  Result<void> wait_for_trigger();
  Result<void> check();

  DemoStage& stage_;
  std::vector<DemoEvent> orders_;
  std::unique_ptr<TopicTail> revenue_;
  std::size_t looked_at_ = 0;
  Clock::time_point begun_ = Clock::now();
};

Result<void> MicroBatchJob::start() {
  auto plan =
      read_job_plan(plan_path, {{"trigger_ms", std::to_string(trigger_ms)}}, stage_.clock());
  if (!plan) return fail(plan);
  return DemoPipelines(stage_).deploy(*plan);
}

Result<void> MicroBatchJob::send(std::size_t begin, std::size_t end) {
  EventSender sender(stage_, "orders");
  if (auto opened = sender.open(default_traits("orders").partitions, false); !opened) return opened;
  auto started = Clock::now();
  constexpr std::int64_t pauses_per_second = 10;
  for (std::size_t i = 0; i < end; ++i) {
    std::int64_t before = sender.sent();
    sender.put(orders_[i]);
    bool is_new = i >= begin && sender.sent() > before;
    if (!is_new || sender.sent() % (sent_per_second / pauses_per_second) != 0) continue;
    if (auto shown = show_new(); !shown) return shown;
    if (auto wanted = stage_.check_interrupt(); !wanted) return wanted;
    std::this_thread::sleep_until(
        started + std::chrono::milliseconds(1000 * sender.sent() / sent_per_second));
  }
  return sender.finish();
}

// What one trigger told, on a line.
Result<void> MicroBatchJob::show_new() {
  auto records = revenue_->records(looked_at_);
  if (records.empty()) return {};
  looked_at_ += records.size();
  constexpr std::size_t shown = 3;
  std::string line;
  Windows told;
  for (const TailRecord& record : records) {
    auto row = read_row(record);
    if (!row) return fail(row);
    told[row->first] = row->second;
  }
  std::size_t left = told.size();
  for (const auto& [start, window] : told) {
    if (left-- > shown) continue;  // the last ones are the newest
    line += fmt::format("   {} {:>3} orders {:>6}.{:02}", clock_text(start), window.orders,
                        window.cents / 100, window.cents % 100);
  }
  std::chrono::duration<double> after = records.front().read_at - begun_;
  fmt::print("  {:>5.1f} s  {:>2} windows{}\n", after.count(), told.size(), line);
  std::fflush(stdout);
  return {};
}

Result<void> MicroBatchJob::check() {
  auto expected = reckon(orders_);
  if (!expected) return fail(expected);
  Windows last;
  auto deadline = Clock::now() + patience;
  while (last != *expected && Clock::now() < deadline) {
    if (auto shown = show_new(); !shown) return shown;
    if (auto wanted = stage_.check_interrupt(); !wanted) return wanted;
    last.clear();
    for (const TailRecord& record : revenue_->records()) {
      auto row = read_row(record);
      if (!row) return fail(row);
      last[row->first] = row->second;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (last != *expected) {
    return fail(Errc::corrupt_message,
                "the windows differ from what a loop over the orders makes of them");
  }
  fmt::print(
      "\nThe last word on each of {} windows is what a loop over the orders in plain C++ makes of "
      "it; it took {} records to say it.\n",
      last.size(), revenue_->records().size());
  return {};
}

Result<void> MicroBatchJob::play() {
  auto traits = default_traits("orders");
  orders_ = make_events("orders", traits, order_count);
  for (const char* topic : {"orders", "revenue"}) {
    if (auto made = stage_.need_topic(topic, traits.partitions); !made) return made;
  }
  tell_step(fmt::format("The pipeline. Here it tells what has changed every {} s, not every 30 as "
                        "in the plan:",
                        trigger_ms / 1000),
            fmt::format("leat pipeline deploy examples/jobs/{} --set trigger_ms={}", plan_path,
                        trigger_ms));
  if (auto started = start(); !started) return started;
  revenue_ = std::make_unique<TopicTail>(stage_.connect(), "revenue", traits.partitions);

  tell_step(
      "Orders come, and at each trigger the windows that they have changed are told, the "
      "newest of them here:",
      fmt::format("leat gen orders --to orders -n {}", order_count));
  if (auto sent = send(0, order_count / 2); !sent) return sent;
  tell_step(
      "The server is stopped and started again. The pipeline goes on where it was: what its "
      "windows hold, and how far it has read, was kept.");
  if (auto again = stage_.restart(); !again) return again;
  if (auto sent = send(order_count / 2, order_count); !sent) return sent;
  if (auto checked = check(); !checked) return checked;
  stage_.stay({fmt::format("leat consume revenue -b {} -n 5", stage_.kafka()),
               fmt::format("leat pipeline show revenue-5m --http {}", stage_.http())});
  return {};
}

}  // namespace

Result<void> play_micro_batch(DemoStage& stage) {
  fmt::print(
      "Revenue in windows of 5 minutes, as micro-batches: what has changed, at each "
      "trigger.\n");
  return MicroBatchJob(stage).play();
}

}  // namespace leat::tools
