// A history's operations by transaction.
#pragma once

#include <map>
#include <vector>

#include "checker/history.h"

namespace leat::checker {

/// Borrowed from the history.
struct Transaction {
  std::vector<const Send*> sends;
  std::vector<const Commit*> commits;
  std::vector<const End*> ends;

  bool was(bool is_commit, Outcome outcome) const {
    for (const End* end : ends) {
      if (end->is_commit == is_commit && end->outcome == outcome) return true;
    }
    return false;
  }
  bool is_committed() const { return was(true, Outcome::ok); }
  bool is_aborted() const { return was(false, Outcome::ok) && !is_committed(); }
  /// When its client first asked for the commit; never, if it did not.
  Time commit_invoked() const {
    Time first = never;
    for (const End* end : ends) {
      if (end->is_commit && end->invoked < first) first = end->invoked;
    }
    return first;
  }
  /// When it was known to be committed; never, if it was not.
  Time commit_known() const {
    Time first = never;
    for (const End* end : ends) {
      if (end->is_commit && end->known() < first) first = end->known();
    }
    return first;
  }
};

inline std::map<TransactionId, Transaction> transactions_of(const History& history) {
  std::map<TransactionId, Transaction> all;
  for (const Send& send : history.sends) {
    if (send.transaction) all[{send.client, *send.transaction}].sends.push_back(&send);
  }
  for (const Commit& commit : history.commits) {
    if (commit.transaction) all[{commit.client, *commit.transaction}].commits.push_back(&commit);
  }
  for (const End& end : history.ends) all[{end.client, end.transaction}].ends.push_back(&end);
  return all;
}

}  // namespace leat::checker
