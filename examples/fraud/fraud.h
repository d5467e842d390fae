// When a card looks stolen: more than 5 transactions of a customer in the 5 minutes up to and
// including one of them, or an amount above 10,000. Knows no client, only records and offsets.
#pragma once

#include <leat/cluster.h>
#include <leat/record.h>
#include <leat/records.h>

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fraud {

constexpr std::chrono::minutes window{5};
constexpr int many = 5;
constexpr double large = 10'000;
/// Transactions may come this late, by their time, and are judged by full windows all the same.
constexpr std::chrono::minutes lateness{5};

struct Transaction {
  std::int64_t offset;
  leat::Timestamp time;
  std::string customer;
};

/// What the customers of one partition did of late.
class Windows {
 public:
  void add(Transaction transaction) {
    newest_ = std::max(newest_, transaction.time);
    times_[transaction.customer].push_back(transaction.time);
    recent_.push_back(std::move(transaction));
    while (recent_.front().time < newest_ - window - lateness) {
      auto times = times_.find(recent_.front().customer);
      times->second.pop_front();
      if (times->second.empty()) times_.erase(times);
      recent_.pop_front();
    }
  }
  /// In the window up to `now`, both ends included.
  int count(const std::string& customer, leat::Timestamp now) {
    auto is_in = [now](leat::Timestamp time) { return now - window <= time && time <= now; };
    return static_cast<int>(std::ranges::count_if(times_[customer], is_in));
  }
  /// The first transaction that they need.
  std::int64_t begin() const { return recent_.front().offset; }

 private:
  leat::Timestamp newest_;
  std::deque<Transaction> recent_;                            // as they came
  std::map<std::string, std::deque<leat::Timestamp>> times_;  // of a customer, as they came
};

/// Judges each transaction by those that stand before it in its partition. Memory: a window and the
/// lateness of each partition.
class Judge {
 public:
  bool knows(const leat::Partition& partition) const { return cases_.contains(partition); }
  /// Goes on with a partition where `committed` says. Its windows are filled by what is read anew.
  void take(const leat::Partition& partition, const std::vector<leat::CommittedOffset>& committed) {
    Case& taken = cases_[partition];
    for (const leat::CommittedOffset& offset : committed)
      if (offset.partition == partition)
        taken.position = offset.metadata.empty() ? offset.offset : std::stoll(offset.metadata);
  }
  void leave(std::span<const leat::Partition> partitions) {
    for (const leat::Partition& partition : partitions) cases_.erase(partition);
  }

  /// The alert that a transaction deserves, as JSON; none if it was judged before.
  std::optional<std::string> judge(const leat::Partition& partition, const leat::InRecord& record) {
    Case& of = cases_.at(partition);
    boost::json::value transaction = boost::json::parse(record.value.value());
    std::string customer(transaction.at("customer_id").as_string());
    of.windows.add({record.offset, record.timestamp, customer});
    if (record.offset < of.position) return std::nullopt;
    of.position = record.offset + 1;

    boost::json::array reasons;
    if (int count = of.windows.count(customer, record.timestamp); count > many)
      reasons.emplace_back(std::to_string(count) + " transactions in 5 minutes");
    if (transaction.at("amount").to_number<double>() > large)
      reasons.emplace_back("an amount above 10000");
    if (reasons.empty()) return std::nullopt;
    boost::json::object alert;
    for (const char* name : {"customer_id", "transaction_id", "amount"})
      alert[name] = transaction.at(name);
    alert["reasons"] = reasons;
    alert["timestamp"] = transaction.at("timestamp");
    return boost::json::serialize(alert);
  }

  /// What is to be committed: of each partition the first transaction that its windows need, and
  /// as metadata how far it was judged.
  std::vector<leat::CommittedOffset> progress() const {
    std::vector<leat::CommittedOffset> all;
    for (const auto& [partition, of] : cases_)
      all.push_back({partition, of.windows.begin(), std::to_string(of.position)});
    return all;
  }

 private:
  struct Case {
    std::int64_t position = 0;  // the first transaction that has not been judged
    Windows windows;
  };
  std::map<leat::Partition, Case> cases_;
};

}  // namespace fraud
