// When a card looks stolen, as a pipeline: what fraud.h judges, record by record, without a client.
#pragma once

#include <leat/stream.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fraud {

struct Transaction {
  std::string transaction_id, customer_id;
  double amount = 0;
  leat::Timestamp timestamp;

  static void columns(auto& self, auto& visit) {
    visit("transaction_id", self.transaction_id);
    visit("customer_id", self.customer_id);
    visit("amount", self.amount);
    visit("timestamp", self.timestamp);
  }
};

struct Alert {
  std::string customer_id, transaction_id;
  double amount = 0;
  std::vector<std::string> reasons;
  leat::Timestamp timestamp;

  static void columns(auto& self, auto& visit) {
    visit("customer_id", self.customer_id);
    visit("transaction_id", self.transaction_id);
    visit("amount", self.amount);
    visit("reasons", self.reasons);
    visit("timestamp", self.timestamp);
  }
};

/// When a customer paid of late.
struct Recent {
  std::vector<leat::Timestamp> times;
  static void columns(auto& self, auto& visit) { visit("times", self.times); }
};

inline void judge(const Transaction& transaction, Recent& recent,
                  leat::flow::Context<Alert>& context) {
  constexpr std::chrono::minutes window{5};
  constexpr std::chrono::minutes lateness{5};
  leat::Timestamp now = transaction.timestamp;
  recent.times.push_back(now);
  leat::Timestamp newest = *std::ranges::max_element(recent.times);
  std::erase_if(recent.times, [&](auto time) { return time < newest - window - lateness; });
  auto is_in = [&](leat::Timestamp time) { return now - window <= time && time <= now; };
  auto count = std::ranges::count_if(recent.times, is_in);

  std::vector<std::string> reasons;
  if (count > 5) reasons.push_back(std::to_string(count) + " transactions in 5 minutes");
  if (transaction.amount > 10'000) reasons.push_back("an amount above 10000");
  if (reasons.empty()) return;
  context.emit({transaction.customer_id, transaction.transaction_id, transaction.amount, reasons,
                transaction.timestamp});
}

/// From the topic `transactions` to the topic `fraud-alerts`, each alert at once.
inline leat::flow::Stream add_detector(leat::flow::Pipeline& pipeline) {
  using namespace std::chrono_literals;
  leat::flow::Stream alerts =
      pipeline.from<Transaction>("transactions", {.event_time = "timestamp", .disorder = 5min})
          .key_by("customer_id")
          .process(judge, {.name = "judge", .emit = leat::flow::Emission::at_once});
  alerts.to("fraud-alerts", {.keys = {"customer_id"}});
  return alerts;
}

}  // namespace fraud
