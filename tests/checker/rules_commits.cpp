// What groups have committed never goes back, nor is it lost; a member goes on where its group was.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/rising.h"
#include "checker/sentences.h"
#include "checker/transactions.h"

namespace leat::checker {
namespace {

using Key = LogIndex::GroupPartition;

std::string text(const Key& key) {
  return fmt::format("group {}'s offset of {}", key.first, text(key.second));
}

/// What clients know of one group's offset of one partition.
struct Known {
  Rising value;
  /// What was to be committed, by when that began.
  std::multimap<Time, const Commit*> invoked;
};

class Commits {
 public:
  Commits(const History& history, const LogIndex& log, Report& report)
      : history_(history), log_(log), report_(report), transactions_(transactions_of(history)) {}

  void check();

 private:
  void add(const Commit& commit);
  void check_outcome(const Commit& commit);
  void check_query(const CommittedQuery& query);
  void check_start(const Session& session);
  void check_log_order(const Key& key, const std::vector<LoggedCommit>& commits);

  const History& history_;
  const LogIndex& log_;
  Report& report_;
  std::map<TransactionId, Transaction> transactions_;
  std::map<Key, Known> known_;
};

void Commits::add(const Commit& commit) {
  Time since = commit.known();
  if (commit.transaction) {
    since = transactions_[{commit.client, *commit.transaction}].commit_known();
  }
  for (const auto& [partition, value] : commit.offsets) {
    Known& known = known_[{commit.group, partition}];
    known.invoked.emplace(commit.invoked, &commit);
    known.value.know(since, value, fmt::format("{} was committed by {}", value, commit.uid));
  }
}

void Commits::check_outcome(const Commit& commit) {
  if (commit.transaction) return;
  const Fate* fate = log_.commit_fate(commit.uid);
  if (commit.outcome == Outcome::ok && fate == nullptr) {
    report_.add(Rule::commit_lost,
                fmt::format("{} of group {} was acknowledged at {}, and is "
                            "nowhere",
                            commit.uid, commit.group, checker::text(commit.returned)));
  }
  if (commit.outcome == Outcome::fail && fate != nullptr) {
    report_.add(Rule::failed_visible,
                fmt::format("{} of group {} failed, and is there", commit.uid, commit.group));
  }
}

void Commits::check_query(const CommittedQuery& query) {
  if (query.outcome != Outcome::ok) return;
  for (const auto& [partition, value] : query.offsets) {
    Key key{query.group, partition};
    std::string what = fmt::format("{} was told as {} to {} at {}", text(key), value, query.client,
                                   checker::text(query.returned));
    known_[key].value.tell(query.invoked, value, what);
    known_[key].value.know(query.returned, value, what);
    auto logged = log_.commits().find(key);
    if (value < 0 || logged == log_.commits().end()) continue;
    auto has = [&, told = value](Fate fate) {
      return std::any_of(logged->second.begin(), logged->second.end(), [&](const auto& commit) {
        return commit.value == told && commit.fate == fate;
      });
    };
    if (has(Fate::committed)) continue;
    bool is_undone = has(Fate::aborted) || has(Fate::open);
    report_.add(is_undone ? Rule::aborted_visible : Rule::invented,
                what + (is_undone ? ", which is not committed" : ", which nobody committed"));
  }
}

/// The first record that a member gets is the first behind what its group has committed.
void Commits::check_start(const Session& session) {
  if (session.group.empty() || session.from) return;
  const Poll* first = nullptr;
  for (const Poll& poll : session.polls) {
    if (first == nullptr && !poll.records.empty()) first = &poll;
  }
  if (first == nullptr) return;
  std::int64_t begin = first->records.front().offset;
  Known& known = known_[{session.group, session.partition}];
  known.value.tell(
      session.assigned, begin,
      fmt::format("{} began at {}, assigned at {}", session.client,
                  checker::text(session.partition, begin), checker::text(session.assigned)));
  std::int64_t most = 0;
  for (auto commit = known.invoked.begin();
       commit != known.invoked.end() && commit->first < first->returned; ++commit) {
    const Fate* fate = log_.commit_fate(commit->second->uid);
    if (fate != nullptr && *fate == Fate::committed) {
      most = std::max(most, commit->second->offsets.at(session.partition));
    }
  }
  // Of what is committed automatically nobody says when.
  if (auto logged = log_.commits().find({session.group, session.partition});
      logged != log_.commits().end()) {
    for (const LoggedCommit& commit : logged->second) {
      if (commit.uid.empty()) most = std::max(most, commit.value);
    }
  }
  const LoggedRecord* skipped =
      log_.first_visible(session.partition, most, begin, session.is_committed);
  if (skipped == nullptr) return;
  report_.add(Rule::skipped,
              fmt::format("{} of group {} began at {}, and nobody had committed past {} at {}",
                          session.client, session.group, checker::text(session.partition, begin),
                          skipped->uid, skipped->offset));
}

void Commits::check_log_order(const Key& key, const std::vector<LoggedCommit>& commits) {
  std::int64_t last = 0;
  for (const LoggedCommit& commit : commits) {
    if (commit.fate != Fate::committed) continue;
    if (commit.value < 0) {
      report_.add(Rule::commit_lost, fmt::format("{} was removed at {}", text(key), commit.offset));
    } else if (commit.value < last) {
      report_.add(Rule::commit_back, fmt::format("{} went from {} to {} with {}", text(key), last,
                                                 commit.value, commit.uid));
    }
    last = std::max(last, commit.value);
  }
}

void Commits::check() {
  for (const Commit& commit : history_.commits) {
    add(commit);
    check_outcome(commit);
  }
  for (const CommittedQuery& query : history_.committed_queries) check_query(query);
  for (const Session& session : history_.sessions) check_start(session);
  for (const auto& [key, commits] : log_.commits()) check_log_order(key, commits);
  for (auto& [key, known] : known_) {
    known.value.check([&](const std::string& told, const std::string& before) {
      report_.add(Rule::commit_back, told + ", after " + before);
    });
  }
}

}  // namespace

void check_commits(const History& history, const LogIndex& log, Report& report) {
  Commits(history, log, report).check();
}

}  // namespace leat::checker
