// L8: a transaction is in all its partitions, and its offsets with it, or in none. L3: which of
// both it is, its client was told.
#include <string>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/sentences.h"
#include "checker/transactions.h"

namespace leat::checker {
namespace {

struct Parts {
  std::string there;      // what of it is committed
  std::string not_there;  // and what is not
};

std::string text(const TransactionId& id) {
  return fmt::format("transaction {} of {}", id.number, id.client);
}

std::string text(const Send& send) {
  return fmt::format("{} in {}", send.uid, text(send.to));
}

Parts parts_in_partitions(const LogIndex& log, const Transaction& transaction) {
  Parts parts;
  for (const Send* send : transaction.sends) {
    bool is_there = false;
    for (const Place& place : log.places(send->uid)) {
      is_there = is_there || place.record.fate == Fate::committed;
    }
    // One that failed is in no transaction that was committed: that is another rule.
    if (send->outcome == Outcome::fail && !is_there) continue;
    (is_there ? parts.there : parts.not_there) = text(*send);
  }
  return parts;
}

Parts parts_in_groups(const LogIndex& log, const Transaction& transaction) {
  Parts parts;
  for (const Commit* commit : transaction.commits) {
    const Fate* fate = log.commit_fate(commit->uid);
    bool is_there = fate != nullptr && *fate == Fate::committed;
    if (commit->outcome == Outcome::fail && !is_there) continue;
    (is_there ? parts.there : parts.not_there) =
        fmt::format("offsets {} of group {}", commit->uid, commit->group);
  }
  return parts;
}

void check_transaction(const LogIndex& log, const TransactionId& id, const Transaction& transaction,
                       Report& report) {
  Parts records = parts_in_partitions(log, transaction);
  Parts offsets = parts_in_groups(log, transaction);
  if (!records.there.empty() && !records.not_there.empty()) {
    report.add(Rule::torn, fmt::format("{}: {} is there, {} is not", text(id), records.there,
                                       records.not_there));
  }
  std::string there = records.there.empty() ? offsets.there : records.there;
  if (!records.there.empty() && !offsets.not_there.empty()) {
    report.add(Rule::torn_offsets, fmt::format("{}: {} is there, and {} are not", text(id),
                                               records.there, offsets.not_there));
  }
  if (!offsets.there.empty() && !records.not_there.empty()) {
    report.add(Rule::torn_offsets, fmt::format("{}: {} are there, and {} is not", text(id),
                                               offsets.there, records.not_there));
  }
  if (transaction.is_committed() && !records.not_there.empty()) {
    report.add(Rule::lost,
               fmt::format("{} was committed, and {} is not there", text(id), records.not_there));
  }
  if (transaction.is_committed() && !offsets.not_there.empty()) {
    report.add(Rule::commit_lost,
               fmt::format("{} was committed, and {} are not there", text(id), offsets.not_there));
  }
  if (there.empty()) return;
  if (transaction.is_aborted()) {
    report.add(Rule::aborted_visible,
               fmt::format("{} was aborted, and {} is there", text(id), there));
  } else if (transaction.commit_invoked() == never) {
    report.add(Rule::aborted_visible,
               fmt::format("{} was never to be committed, and {} is there", text(id), there));
  }
}

}  // namespace

void check_transactions(const History& history, const LogIndex& log, Report& report) {
  for (const auto& [id, transaction] : transactions_of(history)) {
    check_transaction(log, id, transaction, report);
  }
  for (const auto& [partition, records] : log.records()) {
    for (const LoggedRecord& record : records) {
      if (record.fate != Fate::open) continue;
      report.add(Rule::hanging, fmt::format("the transaction of {} at {} is open", record.uid,
                                            text(partition, record.offset)));
    }
  }
  for (const auto& [key, commits] : log.commits()) {
    for (const LoggedCommit& commit : commits) {
      if (commit.fate != Fate::open) continue;
      report.add(Rule::hanging, fmt::format("the transaction of offsets {} of group {} is open",
                                            commit.uid, key.first));
    }
  }
}

}  // namespace leat::checker
