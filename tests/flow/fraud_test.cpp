// The fraud detector as a pipeline, examples/fraud/fraud_pipeline.h, against a count of its own.
#include "../../examples/fraud/fraud_pipeline.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "process_trial.h"

TEST_SUITE_BEGIN("flow");

namespace leat::flow {
namespace {

using namespace std::chrono_literals;
using fraud::Alert;
using fraud::Transaction;

/// Some customers' payments, each up to 5 minutes late.
std::vector<Transaction> make_transactions(Random& random, std::size_t count) {
  std::vector<Transaction> all;
  Timestamp now(std::chrono::hours(1'000));
  for (std::size_t i = 0; i < count; ++i) {
    now += std::chrono::seconds(random.below(60));
    auto late = std::chrono::milliseconds(random.below(4) == 0 ? random.below(300'000) : 0);
    double amount = random.below(50) == 0 ? 20'000 : static_cast<double>(random.below(10'001));
    all.push_back({fmt::format("t{}", i), fmt::format("c{}", random.below(4)), amount, now - late});
  }
  return all;
}

/// For each transaction what is wrong with it, from the list of all before it.
std::vector<std::string> judge_all(const std::vector<Transaction>& all) {
  std::vector<std::string> alerts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    int count = 0;
    for (std::size_t j = 0; j <= i; ++j) {
      bool counts = all[j].customer_id == all[i].customer_id &&
                    all[j].timestamp <= all[i].timestamp &&
                    all[j].timestamp >= all[i].timestamp - 5min;
      if (counts) ++count;
    }
    std::string reasons;
    if (count > 5) reasons += fmt::format("|{} transactions in 5 minutes", count);
    if (all[i].amount > 10'000) reasons += "|an amount above 10000";
    if (!reasons.empty()) alerts.push_back(all[i].transaction_id + reasons);
  }
  return alerts;
}

}  // namespace

TEST_CASE("the fraud detector raises what a count over all transactions does, also restarted") {
  Pipeline pipeline("fraud");
  fraud::add_detector(pipeline);
  ProcessTrial<Transaction, Alert> trial(pipeline);
  trial.in_order = false;
  Random random(7);
  auto all = make_transactions(random, 2'000);
  std::vector<std::string> raised;
  for (std::size_t begin = 0; begin < all.size();) {
    std::vector<Given<Transaction>> rows;
    for (auto count = 1 + random.below(100); count > 0 && begin < all.size(); --count, ++begin) {
      rows.push_back({all[begin], all[begin].timestamp, 0, static_cast<std::int64_t>(begin)});
    }
    trial.give(rows);
    if (random.below(5) == 0) trial.restart();
    for (const auto& [time, alert] : trial.take()) {
      CHECK(time == alert.timestamp.time_since_epoch().count());
      std::string line = alert.transaction_id;
      for (const auto& reason : alert.reasons) line += "|" + reason;
      raised.push_back(line);
    }
  }
  CHECK(raised.size() > 100);
  CHECK(raised == judge_all(all));
}

}  // namespace leat::flow

TEST_SUITE_END();
