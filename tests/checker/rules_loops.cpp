// A loop reads, writes and commits in one transaction: what its group has committed it has read,
// and of each record that it read there is one in every topic that it writes.
#include <map>
#include <set>
#include <string>
#include <tuple>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/sentences.h"
#include "checker/transactions.h"

namespace leat::checker {
namespace {

struct Outputs {
  std::set<std::string> topics;
  /// The uid that was made, by topic and source.
  std::map<std::tuple<std::string, Partition, std::int64_t>, std::string> made;
};

using Loops = std::map<std::string, Outputs>;  // by group

void add_outputs(const std::string& group, const Send& send, const LogIndex& log, Outputs& outputs,
                 Report& report) {
  outputs.topics.insert(send.to.topic);
  if (!send.source) return;
  for (const Place& place : log.places(send.uid)) {
    if (place.record.fate != Fate::committed) continue;
    const auto& [partition, offset] = *send.source;
    auto [first, is_first] = outputs.made.try_emplace({send.to.topic, partition, offset}, send.uid);
    if (is_first) continue;
    report.add(Rule::processed_twice,
               fmt::format("of {} group {} made {} and {} in {}", text(partition, offset), group,
                           first->second, send.uid, send.to.topic));
  }
}

void check_inputs(const std::string& group, const Outputs& outputs, const Partition& partition,
                  std::int64_t committed, const LogIndex& log, Report& report) {
  std::int64_t at = 0;
  while (const LoggedRecord* record = log.first_visible(partition, at, committed, true)) {
    at = record->offset + 1;
    for (const std::string& topic : outputs.topics) {
      if (outputs.made.contains({topic, partition, record->offset})) continue;
      report.add(Rule::processed_not,
                 fmt::format("group {} has committed {} of {}, and made nothing of {} in {}", group,
                             committed, text(partition), record->offset, topic));
    }
  }
}

}  // namespace

void check_loops(const History& history, const LogIndex& log, Report& report) {
  Loops loops;
  for (const auto& [id, transaction] : transactions_of(history)) {
    if (transaction.commits.empty()) continue;
    const std::string& group = transaction.commits.front()->group;
    for (const Send* send : transaction.sends) {
      add_outputs(group, *send, log, loops[group], report);
    }
  }
  for (const auto& [key, commits] : log.commits()) {
    const auto& [group, partition] = key;
    auto outputs = loops.find(group);
    if (outputs == loops.end()) continue;
    std::int64_t committed = 0;
    for (const LoggedCommit& commit : commits) {
      if (commit.fate == Fate::committed) committed = commit.value;
    }
    check_inputs(group, outputs->second, partition, committed, log, report);
  }
}

}  // namespace leat::checker
