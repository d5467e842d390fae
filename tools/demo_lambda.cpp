// leat demo lambda: revenue by day, reckoned anew by a batch, and by minute, as it comes; read as
// one table, while the batch runs again and the boundary between both moves.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "column/timestamp.h"
#include "tools/demo_events.h"
#include "tools/demo_jobs.h"
#include "tools/demo_pipelines.h"
#include "tools/http_api.h"
#include "tools/job_plans.h"

namespace leat::tools {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* plan_path = "lambda/revenue.plan.json";
/// The union view of examples/jobs/lambda.
constexpr JobPlan union_views[] = {
#include "job_view_texts.inc"
};
constexpr const JobPlan& union_view = union_views[0];
constexpr const char* day_pipeline = "revenue-per-day";
constexpr const char* minute_pipeline = "revenue-per-minute";
constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t day_ms = 24 * 60 * minute_ms;
constexpr std::size_t order_count = 190'000;  // an order a second: two days, and some of a third
constexpr std::size_t first_part = 100'000;
constexpr std::chrono::seconds patience{30};

struct Sum {
  std::int64_t orders = 0;
  std::int64_t cents = 0;
  bool operator==(const Sum&) const = default;
  Sum& operator+=(const Sum& other) {
    orders += other.orders;
    cents += other.cents;
    return *this;
  }
};
/// By where windows start, in ms.
using Windows = std::map<std::int64_t, Sum>;

/// What each minute comes to, by a loop over the orders.
Result<Windows> reckon(const std::vector<DemoEvent>& orders) {
  Windows minutes;
  std::set<std::string> seen;
  for (const DemoEvent& event : orders) {
    auto order = read_members(event.value);
    if (!order) return fail(order);
    if (!seen.insert((*order)["order_id"]).second) continue;
    std::int64_t cents = read_cents((*order)["amount"]);
    if ((*order)["status"] == "cancelled" || cents <= 0) continue;
    minutes[event.time_ms / minute_ms * minute_ms] += {1, cents};
  }
  return minutes;
}

/// What the view should show with the boundary there: days before it, minutes behind it.
Windows merged(const Windows& minutes, std::int64_t boundary_ms) {
  Windows windows;
  for (const auto& [start_ms, sum] : minutes) {
    windows[start_ms < boundary_ms ? start_ms / day_ms * day_ms : start_ms] += sum;
  }
  return windows;
}

/// What the view shows.
struct Reading {
  std::string boundary;
  std::int64_t boundary_ms = 0;  // 0: the batch has not run
  Windows windows;
  Sum sum;
};

Result<Reading> read_view(HttpApi& api) {
  auto answer = api.ask("GET", "/v1/views/revenue?limit=100000");
  if (!answer) return fail(answer);
  Reading reading;
  reading.boundary = text_of(member(*answer, "boundary"));
  auto boundary = column::parse_timestamp(reading.boundary);
  if (boundary) reading.boundary_ms = boundary->ms;
  for (const plan::Json& row : items_of(member(*answer, "rows"))) {
    auto start = column::parse_timestamp(text_of(member(row, "window_start")));
    Sum sum{std::strtoll(text_of(member(row, "orders")).c_str(), nullptr, 10),
            read_cents(text_of(member(row, "revenue")))};
    reading.windows[start ? start->ms : -1] = sum;
    reading.sum += sum;
  }
  return reading;
}

void show(const Reading& reading) {
  auto days = static_cast<std::size_t>(
      std::count_if(reading.windows.begin(), reading.windows.end(),
                    [&](const auto& window) { return window.first < reading.boundary_ms; }));
  std::string batch =
      reading.boundary.empty()
          ? "nothing of the batch"
          : fmt::format("{} {} before {}", days, days == 1 ? "day" : "days", reading.boundary);
  fmt::print("  {} orders, {}.{:02} in all: {}, and {} minutes\n", reading.sum.orders,
             reading.sum.cents / 100, reading.sum.cents % 100, batch,
             reading.windows.size() - days);
  std::fflush(stdout);
}

/// Reads the view again and again, on a thread of its own: nobody may ever see less than before.
class Watcher {
 public:
  explicit Watcher(const std::string& http) : thread_([this, http] { watch(http); }) {}
  ~Watcher() { static_cast<void>(end()); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// How many readings there were.
  Result<std::int64_t> end() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
    return outcome_;
  }

 private:
  void watch(const std::string& http) {
    HttpApi api(http);
    Reading before;
    std::int64_t readings = 0;
    while (!is_over_ && outcome_) {
      auto reading = read_view(api);
      if (!reading) {
        outcome_ = fail(reading);
      } else if (reading->sum.orders < before.sum.orders || reading->sum.cents < before.sum.cents ||
                 reading->boundary_ms < before.boundary_ms) {
        outcome_ = fail(Errc::corrupt_message, fmt::format("a reader saw {} orders, and {} before",
                                                           reading->sum.orders, before.sum.orders));
      } else {
        before = std::move(*reading);
        outcome_ = ++readings;
      }
    }
  }

  std::atomic<bool> is_over_{false};
  Result<std::int64_t> outcome_ = std::int64_t{0};  // of the thread, until it has ended
  std::thread thread_;
};

class LambdaJob {
 public:
  explicit LambdaJob(DemoStage& stage) : stage_(stage), api_(stage.http()) {}
  Result<void> play();

 private:
  Result<void> deploy();
  Result<void> deploy_one(const plan::Parameters& values);
  Result<void> send(std::size_t count);
  Result<void> run_batch();
  Result<void> check(std::size_t count);

  DemoStage& stage_;
  HttpApi api_;
  std::vector<DemoEvent> orders_;
};

Result<void> LambdaJob::deploy_one(const plan::Parameters& values) {
  auto plan = read_job_plan(plan_path, values, stage_.clock());
  return plan ? DemoPipelines(stage_).deploy(*plan) : fail(plan);
}

Result<void> LambdaJob::deploy() {
  tell_step(
      "One definition of revenue, run in two ways. By minute, as orders come, kept for two "
      "days:",
      fmt::format("leat pipeline deploy examples/jobs/{} --set per=minute --set "
                  "keep_ms=172800000",
                  plan_path));
  auto live = deploy_one({{"per", "minute"}, {"keep_ms", std::to_string(2 * day_ms)}});
  if (!live) return live;
  tell_step("And by day, from the full log, every night:",
            fmt::format("leat pipeline deploy examples/jobs/{} --set per=day --set "
                        "size_ms=86400000 --set mode=batch --set 'schedule=0 2 * * *'",
                        plan_path));
  auto batch = deploy_one({{"per", "day"},
                           {"size_ms", std::to_string(day_ms)},
                           {"mode", "batch"},
                           {"schedule", "0 2 * * *"}});
  if (!batch) return batch;
  tell_step("Both as one table:",
            fmt::format("leat view --union examples/jobs/{}", union_view.path));
  auto made = api_.ask("POST", "/v1/views", std::string(union_view.text));
  if (!made) return fail(made);
  fmt::print("{}\n", text_of(member(*made, "message")));
  return {};
}

Result<void> LambdaJob::send(std::size_t count) {
  std::vector<DemoEvent> some(orders_.begin(),
                              orders_.begin() + static_cast<std::ptrdiff_t>(count));
  auto sent = send_events(stage_, "orders", some, default_traits("orders").partitions, false);
  return sent ? Result<void>() : fail(sent);
}

// Waits until there is another result of it.
Result<void> LambdaJob::run_batch() {
  std::string target = fmt::format("/v1/pipelines/{}", day_pipeline);
  auto runs = [&]() -> Result<std::string> {
    auto view = api_.ask("GET", fmt::format("/v1/views/{}?limit=0", day_pipeline));
    if (!view) return std::string();  // it has not run yet
    return text_of(member(*view, "moment"));
  };
  auto before = runs();
  auto begun = api_.ask("POST", target + "/run", "{}");
  if (!begun) return fail(begun);
  auto deadline = Clock::now() + patience;
  while (Clock::now() < deadline) {
    auto now = runs();
    if (!now->empty() && *now != *before) return {};
    if (auto wanted = stage_.check_interrupt(); !wanted) return wanted;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return fail(Errc::request_timed_out, "the batch has not come to its end");
}

// As soon as all has been read, it has to be just what the loop gives.
Result<void> LambdaJob::check(std::size_t count) {
  auto minutes = reckon({orders_.begin(), orders_.begin() + static_cast<std::ptrdiff_t>(count)});
  if (!minutes) return fail(minutes);
  auto deadline = Clock::now() + patience;
  while (true) {
    auto reading = read_view(api_);
    if (!reading) return fail(reading);
    if (reading->windows == merged(*minutes, reading->boundary_ms)) {
      show(*reading);
      return {};
    }
    if (Clock::now() >= deadline) {
      show(*reading);
      return fail(Errc::corrupt_message,
                  "the view differs from what a loop over the orders makes of them");
    }
    if (auto wanted = stage_.check_interrupt(); !wanted) return wanted;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Result<void> LambdaJob::play() {
  auto traits = default_traits("orders");
  orders_ = make_events("orders", traits, order_count);
  if (auto made = stage_.need_topic("orders", traits.partitions); !made) return made;
  if (auto deployed = deploy(); !deployed) return deployed;

  tell_step(
      "Orders of a day and some of the next one come. The batch has not run: all is by "
      "minute.",
      fmt::format("leat gen orders --to orders -p {} -n {}", traits.partitions, first_part));
  if (auto sent = send(first_part); !sent) return sent;
  if (auto checked = check(first_part); !checked) return checked;

  tell_step(
      "The batch runs. In the step in which its days are there, minutes of before its "
      "boundary are not any more:",
      fmt::format("leat pipeline run {}", day_pipeline));
  if (auto ran = run_batch(); !ran) return ran;
  if (auto checked = check(first_part); !checked) return checked;

  tell_step(
      "Orders go on coming, and the batch runs again and again, while somebody reads the "
      "view all the time.");
  Watcher watcher(stage_.http());
  constexpr int parts = 3;
  for (int i = 1; i <= parts; ++i) {
    std::size_t count =
        first_part + (order_count - first_part) * static_cast<std::size_t>(i) / parts;
    if (auto sent = send(count); !sent) return sent;
    if (auto ran = run_batch(); !ran) return ran;
    if (auto checked = check(count); !checked) return checked;
  }
  auto readings = watcher.end();
  if (!readings) return fail(readings);
  fmt::print(
      "\nEach order counts once: days and minutes are what a loop over the orders in plain "
      "C++ makes of them. In {} readings nobody saw less than before, nor an order twice.\n",
      *readings);
  stage_.stay({fmt::format("leat view revenue -n 5 --http {}", stage_.http()),
               fmt::format("leat view {} --as-of @-10s --http {}", day_pipeline, stage_.http()),
               fmt::format("leat pipeline show {} --http {}", minute_pipeline, stage_.http())});
  return {};
}

}  // namespace

Result<void> play_lambda(DemoStage& stage) {
  fmt::print(
      "Lambda: a batch for what is long ago, a stream for what is new, and one table of "
      "both.\n");
  return LambdaJob(stage).play();
}

}  // namespace leat::tools
