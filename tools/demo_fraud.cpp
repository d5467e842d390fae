// leat demo fraud: alerts that are there milliseconds after the transactions that deserve them.
#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <unordered_map>
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

constexpr const char* plan_path = "fraud/fraud-alerts.plan.json";
constexpr std::size_t transaction_count = 30'000;
constexpr std::int64_t sent_per_second = 3'000;
constexpr std::size_t shown_alerts = 12;
constexpr std::chrono::seconds patience{20};

/// By customer, what is to be said or was said, one alert after the other.
using Alerts = std::map<std::string, std::vector<std::string>>;

std::string alert_text(const std::string& transaction, std::int64_t cents,
                       const std::string& reasons, std::int64_t time_ms) {
  return fmt::format("{} {} {} {}", transaction, cents, reasons, time_ms);
}

/// What should be raised, by a loop over the transactions as they come.
Result<Alerts> reckon(const std::vector<DemoEvent>& transactions) {
  constexpr std::int64_t window_ms = 5 * 60 * 1000;
  constexpr std::int64_t large_cents = 10'000 * 100;
  Alerts alerts;
  std::map<std::string, std::vector<std::int64_t>> times;
  for (const DemoEvent& event : transactions) {
    auto transaction = read_members(event.value);
    if (!transaction) return fail(transaction);
    const std::string& customer = (*transaction)["customer_id"];
    std::vector<std::int64_t>& of_customer = times[customer];
    of_customer.push_back(event.time_ms);
    auto count = std::count_if(of_customer.begin(), of_customer.end(), [&](std::int64_t time) {
      return event.time_ms - window_ms <= time && time <= event.time_ms;
    });
    std::int64_t cents = read_cents((*transaction)["amount"]);
    std::string reasons;
    if (count > 5) reasons = fmt::format(R"("{} transactions in 5 minutes")", count);
    if (cents > large_cents)
      reasons += fmt::format(R"({}"an amount above 10000")", reasons.empty() ? "" : ",");
    if (reasons.empty()) continue;
    alerts[customer].push_back(
        alert_text((*transaction)["transaction_id"], cents, "[" + reasons + "]", event.time_ms));
  }
  return alerts;
}

class FraudJob {
 public:
  explicit FraudJob(DemoStage& stage) : stage_(stage) {}
  Result<void> play();

 private:
  Result<void> send(TopicTail& alerts);
  void show_new(const TopicTail& alerts);
  Result<void> check(const TopicTail& alerts);

  DemoStage& stage_;
  std::vector<DemoEvent> transactions_;
  /// By transaction, when it was given to the producer.
  std::unordered_map<std::string, Clock::time_point> sent_at_;
  std::size_t looked_at_ = 0;
  std::size_t shown_ = 0;
  std::vector<double> delays_ms_;
};

// As a shop would, but faster: a second of theirs takes a few milliseconds.
Result<void> FraudJob::send(TopicTail& alerts) {
  EventSender sender(stage_, "transactions");
  if (auto opened = sender.open(default_traits("transactions").partitions, false); !opened) {
    return opened;
  }
  constexpr std::int64_t pauses_per_second = 50;
  auto begun = Clock::now();
  for (const DemoEvent& event : transactions_) {
    std::int64_t before = sender.sent();
    sender.put(event);
    if (sender.sent() == before) continue;  // it is there from an earlier run
    auto members = read_members(event.value);
    if (members) sent_at_.try_emplace((*members)["transaction_id"], Clock::now());
    if (sender.sent() % (sent_per_second / pauses_per_second) != 0) continue;
    show_new(alerts);
    if (auto wanted = stage_.check_interrupt(); !wanted) return wanted;
    std::this_thread::sleep_until(
        begun + std::chrono::milliseconds(1000 * sender.sent() / sent_per_second));
  }
  return sender.finish();
}

void FraudJob::show_new(const TopicTail& alerts) {
  for (const TailRecord& record : alerts.records(looked_at_)) {
    ++looked_at_;
    auto alert = read_members(record.value);
    if (!alert) continue;
    auto sent = sent_at_.find((*alert)["transaction_id"]);
    if (sent == sent_at_.end()) continue;
    double delay_ms =
        std::chrono::duration<double, std::milli>(record.read_at - sent->second).count();
    delays_ms_.push_back(delay_ms);
    if (++shown_ > shown_alerts) continue;
    fmt::print("  {:>5.1f} ms  {}\n", delay_ms, record.value);
    if (shown_ == shown_alerts) fmt::print("  …\n");
    std::fflush(stdout);
  }
}

Result<void> FraudJob::check(const TopicTail& alerts) {
  auto expected = reckon(transactions_);
  if (!expected) return fail(expected);
  std::size_t count = 0;
  for (const auto& [customer, of_customer] : *expected) count += of_customer.size();
  if (auto all = alerts.wait_for(count, patience); !all) return all;
  if (auto silent = alerts.wait_for_silence(std::chrono::milliseconds(300)); !silent) {
    return silent;
  }
  show_new(alerts);
  Alerts raised;
  for (const TailRecord& record : alerts.records()) {
    auto alert = read_members(record.value);
    if (!alert) return fail(alert);
    auto time = column::parse_timestamp((*alert)["timestamp"]);
    raised[record.key].push_back(alert_text((*alert)["transaction_id"],
                                            read_cents((*alert)["amount"]), (*alert)["reasons"],
                                            time ? time->ms : -1));
  }
  if (raised != *expected) {
    return fail(Errc::corrupt_message,
                "the alerts differ from what a loop over the transactions finds");
  }
  fmt::print(
      "\n{} alerts for {} transactions. As a loop over these in plain C++ has it: each "
      "alert, once, in order.\n",
      count, transactions_.size());
  std::sort(delays_ms_.begin(), delays_ms_.end());
  if (delays_ms_.empty()) return {};
  auto at = [&](std::size_t percent) {
    return delays_ms_[(delays_ms_.size() - 1) * percent / 100];
  };
  fmt::print(
      "From a transaction's sending until its alert was read, both on disk by then: {:.1f} "
      "ms for half of them, {:.1f} ms for 99 in 100.\n",
      at(50), at(99));
  return {};
}

Result<void> FraudJob::play() {
  auto traits = default_traits("transactions");
  transactions_ = make_events("transactions", traits, transaction_count);
  for (const char* topic : {"transactions", "fraud-alerts"}) {
    if (auto made = stage_.need_topic(topic, traits.partitions); !made) return made;
  }
  auto plan = read_job_plan(plan_path, {}, stage_.clock());
  if (!plan) return fail(plan);
  tell_step("The rule, as a pipeline that is always at work:",
            fmt::format("leat pipeline deploy examples/jobs/{}", plan_path));
  if (auto deployed = DemoPipelines(stage_).deploy(*plan); !deployed) return deployed;

  tell_step(fmt::format("{} transactions, {} a second, and the alerts as somebody reads them who "
                        "waits for them:",
                        transactions_.size(), sent_per_second),
            fmt::format("leat gen transactions --to transactions -n {}", transaction_count));
  TopicTail alerts(stage_.connect(), "fraud-alerts", traits.partitions);
  if (auto sent = send(alerts); !sent) return sent;
  if (auto checked = check(alerts); !checked) return checked;
  stage_.stay({fmt::format("leat consume fraud-alerts -b {} -n 5", stage_.kafka()),
               fmt::format("leat pipeline show fraud-alerts --http {}", stage_.http())});
  return {};
}

}  // namespace

Result<void> play_fraud(DemoStage& stage) {
  fmt::print(
      "Fraud alerts: a customer's sixth transaction within 5 minutes and each one after it, "
      "and amounts above 10,000.\n");
  return FraudJob(stage).play();
}

}  // namespace leat::tools
