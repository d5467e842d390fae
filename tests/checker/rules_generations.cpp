// What holds in a group whose members say in which generation they do what: a partition has one
// owner, a record is processed once, and what is committed was processed by somebody.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/sentences.h"

namespace leat::checker {
namespace {

using Key = LogIndex::GroupPartition;

class Generations {
 public:
  Generations(const History& history, const LogIndex& log, Report& report)
      : history_(history), log_(log), report_(report) {}

  void check();

 private:
  /// What happened to one partition in one generation.
  struct Owned {
    std::string by;
    std::unordered_map<std::int64_t, const Session*> processed;
  };

  void add(const Session& session);
  Owned& own(const Session& session, std::int32_t generation);
  void check_handover(const Key& key, const std::vector<const Session*>& sessions);
  void check_processed(const Key& key, const std::vector<const Session*>& sessions);
  bool has_stood_still(const Session& session) const {
    return history_.stood_still.contains(session.client);
  }

  const History& history_;
  const LogIndex& log_;
  Report& report_;
  std::map<std::tuple<Key, std::int32_t>, Owned> owned_;
};

Generations::Owned& Generations::own(const Session& session, std::int32_t generation) {
  Owned& owned = owned_[{{session.group, session.partition}, generation}];
  if (owned.by.empty()) owned.by = session.client;
  if (owned.by != session.client) {
    report_.add(Rule::shared,
                fmt::format("{} and {} both had {} in generation {} of group {}", owned.by,
                            session.client, text(session.partition), generation, session.group));
  }
  return owned;
}

void Generations::add(const Session& session) {
  if (session.generation) own(session, *session.generation);
  for (const Poll& poll : session.polls) {
    if (!poll.generation) continue;
    Owned& owned = own(session, *poll.generation);
    for (const Poll::Record& record : poll.records) {
      auto [before, is_first] = owned.processed.emplace(record.offset, &session);
      if (is_first) continue;
      report_.add(Rule::repeated,
                  fmt::format("{} was processed by {} and by {} in generation {} of group {}",
                              text(session.partition, record.offset), before->second->client,
                              session.client, *poll.generation, session.group));
    }
  }
}

/// Who gives a partition back had it alone. Not so who has lost it, or stood still: others may have
/// had it meanwhile.
void Generations::check_handover(const Key& key, const std::vector<const Session*>& sessions) {
  for (const Session* one : sessions) {
    if (one->revoked == never || one->is_lost || has_stood_still(*one)) continue;
    for (const Session* other : sessions) {
      bool is_between = one->assigned < other->assigned && other->assigned < one->revoked;
      if (!is_between || other->client == one->client || has_stood_still(*other)) continue;
      report_.add(Rule::shared,
                  fmt::format("{} of group {} was given to {} at {}, and {} had it from {} to {}",
                              text(key.second), key.first, other->client, text(other->assigned),
                              one->client, text(one->assigned), text(one->revoked)));
    }
  }
}

void Generations::check_processed(const Key& key, const std::vector<const Session*>& sessions) {
  auto logged = log_.commits().find(key);
  if (logged == log_.commits().end()) return;
  std::int64_t committed = 0;
  for (const LoggedCommit& commit : logged->second) {
    if (commit.fate == Fate::committed) committed = std::max(committed, commit.value);
  }
  std::set<std::int64_t> processed;
  for (const Session* session : sessions) {
    for (const Poll& poll : session->polls) {
      for (const Poll::Record& record : poll.records) processed.insert(record.offset);
    }
  }
  bool is_committed = sessions.front()->is_committed;
  std::int64_t from = 0;
  while (const LoggedRecord* record =
             log_.first_visible(key.second, from, committed, is_committed)) {
    if (!processed.contains(record->offset)) {
      report_.add(Rule::unprocessed,
                  fmt::format("{} was processed by nobody, and group {} has committed {}",
                              text(key.second, record->offset), key.first, committed));
    }
    from = record->offset + 1;
  }
}

void Generations::check() {
  std::map<Key, std::vector<const Session*>> by_key;
  std::set<std::string> groups;
  for (const Session& session : history_.sessions) {
    if (session.group.empty()) continue;
    add(session);
    by_key[{session.group, session.partition}].push_back(&session);
    if (session.generation) groups.insert(session.group);
  }
  for (const auto& [key, sessions] : by_key) {
    check_handover(key, sessions);
    // Others write down part of what their members do.
    if (groups.contains(key.first)) check_processed(key, sessions);
  }
}

}  // namespace

void check_generations(const History& history, const LogIndex& log, Report& report) {
  Generations(history, log, report).check();
}

}  // namespace leat::checker
