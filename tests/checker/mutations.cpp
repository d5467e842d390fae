#include "checker/mutations.h"

#include <algorithm>
#include <map>
#include <utility>

#include "checker/log_index.h"
#include "checker/transactions.h"

namespace leat::checker {
namespace {

/// One of those that a condition holds for.
template <class T, class Wanted>
T* pick(std::vector<T>& all, Random& random, Wanted wanted) {
  std::vector<T*> found;
  for (T& one : all) {
    if (wanted(one)) found.push_back(&one);
  }
  return found.empty() ? nullptr : found[random.below(found.size())];
}

template <class T>
T* pick(std::vector<T>& all, Random& random) {
  return pick(all, random, [](const T&) { return true; });
}

bool is_placed(const Send& send) {
  return send.outcome == Outcome::ok && send.offset.has_value();
}
bool is_placed_alone(const Send& send) {
  return is_placed(send) && !send.transaction;
}

/// An output of a loop that counts.
bool is_output(const LogIndex& log, const Send& send) {
  if (!send.source || !is_placed(send)) return false;
  const LoggedRecord* logged = log.at(send.to, *send.offset);
  return logged != nullptr && logged->fate == Fate::committed;
}

LoggedBatch* batch_at(History& history, const Partition& partition, std::int64_t offset) {
  for (LoggedBatch& batch : history.log[partition]) {
    if (batch.base <= offset && offset < batch.next) return &batch;
  }
  return nullptr;
}

LoggedBatch& append(History& history, const Partition& partition) {
  std::vector<LoggedBatch>& batches = history.log[partition];
  std::int64_t base = batches.empty() ? 0 : batches.back().next;
  LoggedBatch& batch = batches.emplace_back();
  batch.base = base;
  batch.next = base + 1;
  return batch;
}

// ---- What is in the log -------------------------------------------------------------------------

bool lose(History& history, Random& random) {
  Send* send = pick(history.sends, random, is_placed);
  if (send == nullptr) return false;
  batch_at(history, send->to, *send->offset)->records.clear();
  return true;
}

bool append_twice(History& history, Random& random) {
  Send* send = pick(history.sends, random, is_placed);
  if (send == nullptr) return false;
  LoggedBatch& batch = append(history, send->to);
  batch.records.push_back({batch.base, send->uid});
  return true;
}

bool invent(History& history, Random& random) {
  auto partition = static_cast<std::int32_t>(random.below(2));
  LoggedBatch& batch = append(history, {"out", partition});
  batch.records.push_back({batch.base, "nobody:1"});
  return true;
}

bool place_two(History& history, Random& random) {
  Send* send = pick(history.sends, random, is_placed);
  if (send == nullptr) return false;
  batch_at(history, send->to, *send->offset)->records.push_back({*send->offset, "nobody:1"});
  return true;
}

/// Exchanges two records of a partition wherever anybody has seen them.
void exchange(History& history, Send& a, Send& b) {
  for (auto [at, uid] : {std::pair(*a.offset, b.uid), std::pair(*b.offset, a.uid)}) {
    for (LoggedBatch::Record& record : batch_at(history, a.to, at)->records) record.uid = uid;
    for (Session& session : history.sessions) {
      if (session.partition != a.to) continue;
      for (Poll& poll : session.polls) {
        for (Poll::Record& record : poll.records) {
          if (record.offset == at) record.uid = uid;
        }
      }
    }
  }
  std::swap(a.offset, b.offset);
}

bool exchange_of_one_client(History& history, Random& random) {
  Send* a = pick(history.sends, random, is_placed_alone);
  if (a == nullptr) return false;
  Send* b = pick(history.sends, random, [&](const Send& send) {
    return is_placed_alone(send) && send.client == a->client && send.to == a->to && &send != a;
  });
  if (b == nullptr) return false;
  exchange(history, *a, *b);
  return true;
}

bool exchange_acknowledged(History& history, Random& random) {
  Send* a = pick(history.sends, random, is_placed);
  if (a == nullptr) return false;
  Send* b = pick(history.sends, random, [&](const Send& send) {
    return is_placed(send) && send.client != a->client && send.to == a->to &&
           a->returned < send.invoked;
  });
  if (b == nullptr) return false;
  exchange(history, *a, *b);
  return true;
}

bool fail_what_is_there(History& history, Random& random) {
  Send* send = pick(history.sends, random, is_placed_alone);
  if (send == nullptr) return false;
  send->outcome = Outcome::fail;
  return true;
}

// ---- Transactions -------------------------------------------------------------------------------

/// The marker behind an offset, by the producer of what is there.
LoggedBatch* marker_behind(History& history, const Partition& partition, std::int64_t offset) {
  LoggedBatch* first = batch_at(history, partition, offset);
  for (LoggedBatch& batch : history.log[partition]) {
    if (first != nullptr && batch.base > offset && batch.producer == first->producer &&
        batch.marker != LoggedBatch::Marker::none) {
      return &batch;
    }
  }
  return nullptr;
}

void turn(LoggedBatch* marker) {
  if (marker == nullptr) return;
  marker->marker = marker->marker == LoggedBatch::Marker::commit ? LoggedBatch::Marker::abort
                                                                 : LoggedBatch::Marker::commit;
}

/// A transaction whose outcome is known, and all of whose records are placed.
const Transaction* pick_transaction(std::map<TransactionId, Transaction>& all, bool is_committed,
                                    bool has_offsets, Random& random) {
  std::vector<const Transaction*> found;
  for (const auto& [id, transaction] : all) {
    bool is_whole = !transaction.sends.empty() &&
                    std::all_of(transaction.sends.begin(), transaction.sends.end(),
                                [](const Send* send) { return is_placed(*send); });
    bool is_such = is_committed ? transaction.is_committed() : transaction.is_aborted();
    if (is_whole && is_such && (!has_offsets || !transaction.commits.empty())) {
      found.push_back(&transaction);
    }
  }
  return found.empty() ? nullptr : found[random.below(found.size())];
}

/// Turns the transaction's marker in the partitions that its records are in, or in the first.
bool turn_markers(History& history, Random& random, bool is_committed, bool is_one_enough) {
  auto all = transactions_of(history);
  const Transaction* transaction = pick_transaction(all, is_committed, false, random);
  if (transaction == nullptr) return false;
  std::vector<Partition> turned;
  for (const Send* send : transaction->sends) {
    if (std::find(turned.begin(), turned.end(), send->to) != turned.end()) continue;
    turned.push_back(send->to);
    turn(marker_behind(history, send->to, *send->offset));
    if (is_one_enough) break;
  }
  return true;
}

bool tear(History& history, Random& random) {
  return turn_markers(history, random, random.one_in(2), true);
}
bool undo(History& history, Random& random) {
  return turn_markers(history, random, true, false);
}
bool redo(History& history, Random& random) {
  return turn_markers(history, random, false, false);
}

bool tear_offsets(History& history, Random& random) {
  auto all = transactions_of(history);
  const Transaction* transaction = pick_transaction(all, random.one_in(2), true, random);
  if (transaction == nullptr) return false;
  for (const LoggedBatch& batch : history.log[group_partition]) {
    if (batch.group_offsets.empty()) continue;
    if (batch.group_offsets.front().uid != transaction->commits.front()->uid) continue;
    turn(marker_behind(history, group_partition, batch.base));
    return true;
  }
  return false;
}

bool leave_open(History& history, Random& random) {
  auto& batches = history.log[{"out", static_cast<std::int32_t>(random.below(2))}];
  for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch) {
    if (batch->marker == LoggedBatch::Marker::none) continue;
    batches.erase(std::next(batch).base());
    return true;
  }
  return false;
}

bool process_twice(History& history, Random& random) {
  LogIndex log(history);
  Send* a = pick(history.sends, random, [&](const Send& send) { return is_output(log, send); });
  if (a == nullptr) return false;
  Send* b = pick(history.sends, random, [&](const Send& send) {
    return is_output(log, send) && send.to.topic == a->to.topic && send.source != a->source;
  });
  if (b == nullptr) return false;
  b->source = a->source;
  return true;
}

bool process_not(History& history, Random& random) {
  LogIndex log(history);
  Send* send = pick(history.sends, random, [&](const Send& one) { return is_output(log, one); });
  if (send == nullptr) return false;
  send->source.reset();
  return true;
}

// ---- Readers ------------------------------------------------------------------------------------

bool read_other(History& history, Random& random) {
  Session* session =
      pick(history.sessions, random, [](const Session& one) { return !one.polls.empty(); });
  if (session == nullptr) return false;
  Poll* poll = pick(session->polls, random, [](const Poll& one) { return !one.records.empty(); });
  if (poll == nullptr) return false;
  pick(poll->records, random)->uid = "nobody:1";
  return true;
}

bool skip(History& history, Random& random) {
  auto is_long = [](const Poll& poll) { return poll.records.size() > 2; };
  Session* session = pick(history.sessions, random, [&](const Session& one) {
    return std::any_of(one.polls.begin(), one.polls.end(), is_long);
  });
  if (session == nullptr) return false;
  Poll* poll = pick(session->polls, random, is_long);
  auto inner = static_cast<std::ptrdiff_t>(random.below(poll->records.size() - 2));
  poll->records.erase(poll->records.begin() + 1 + inner);
  return true;
}

/// A member begins behind a record that its group has committed nothing of.
bool skip_at_start(History& history, Random& random) {
  Session* session = pick(history.sessions, random, [&](const Session& one) {
    if (one.group.empty() || one.polls.empty() || one.polls.front().records.size() < 2) {
      return false;
    }
    return std::none_of(history.commits.begin(), history.commits.end(), [&](const Commit& commit) {
      return commit.group == one.group && commit.invoked < one.polls.front().returned;
    });
  });
  if (session == nullptr) return false;
  auto& records = session->polls.front().records;
  records.erase(records.begin());
  return true;
}

bool read_backwards(History& history, Random& random) {
  auto is_long = [](const Poll& poll) { return poll.records.size() > 1; };
  Session* session = pick(history.sessions, random, [&](const Session& one) {
    return std::any_of(one.polls.begin(), one.polls.end(), is_long);
  });
  if (session == nullptr) return false;
  auto& records = pick(session->polls, random, is_long)->records;
  std::size_t at = random.below(records.size() - 1);
  std::swap(records[at], records[at + 1]);
  return true;
}

bool read_aborted(History& history, Random& random) {
  LogIndex log(history);
  Session* session = pick(history.sessions, random,
                          [](const Session& one) { return one.is_committed && one.is_final; });
  if (session == nullptr) return false;
  auto records = log.records().find(session->partition);
  if (records == log.records().end()) return false;
  for (const LoggedRecord& record : records->second) {
    if (record.fate != Fate::aborted) continue;
    auto& read = session->polls.front().records;
    auto behind = std::find_if(read.begin(), read.end(),
                               [&](const Poll::Record& one) { return one.offset > record.offset; });
    read.insert(behind, {record.offset, std::string(record.uid)});
    return true;
  }
  return false;
}

bool read_undecided(History& history, Random& random) {
  auto all = transactions_of(history);
  const Transaction* transaction = pick_transaction(all, true, false, random);
  if (transaction == nullptr) return false;
  for (Session& session : history.sessions) {
    if (!session.is_committed) continue;
    for (Poll& poll : session.polls) {
      for (const Poll::Record& record : poll.records) {
        if (record.uid != transaction->sends.front()->uid) continue;
        poll.returned = transaction->commit_invoked() - 1;
        return true;
      }
    }
  }
  return false;
}

bool lower_watermark(History& history, Random& random, bool is_stable, bool then_is_stable) {
  auto is_told = [](const EndQuery& query) {
    return query.outcome == Outcome::ok && query.offset > 0;
  };
  EndQuery* first = pick(history.end_queries, random, [&](const EndQuery& query) {
    return is_told(query) && query.is_stable == is_stable;
  });
  if (first == nullptr) return false;
  EndQuery* then = pick(history.end_queries, random, [&](const EndQuery& query) {
    return is_told(query) && query.is_stable == then_is_stable &&
           query.partition == first->partition && query.invoked > first->returned;
  });
  if (then == nullptr) return false;
  then->offset = first->offset - 1;
  return true;
}

bool lower_high_watermark(History& history, Random& random) {
  return lower_watermark(history, random, false, false);
}
bool lower_stable(History& history, Random& random) {
  return lower_watermark(history, random, true, true);
}
bool stable_above_high_watermark(History& history, Random& random) {
  return lower_watermark(history, random, true, false);
}

// ---- Groups -------------------------------------------------------------------------------------

bool forget_commit(History& history, Random& random) {
  CommittedQuery* query = pick(history.committed_queries, random, [&](const CommittedQuery& one) {
    const auto& [partition, value] = *one.offsets.begin();
    return value > 0 && std::any_of(history.committed_queries.begin(),
                                    history.committed_queries.end(), [&](const auto& other) {
                                      return other.group == one.group &&
                                             other.offsets == one.offsets &&
                                             other.returned < one.invoked;
                                    });
  });
  if (query == nullptr) return false;
  --query->offsets.begin()->second;
  return true;
}

bool begin_again(History& history, Random& random) {
  Session* session = pick(history.sessions, random, [&](const Session& one) {
    if (one.group.empty() || one.polls.empty()) return false;
    return std::any_of(history.commits.begin(), history.commits.end(), [&](const Commit& commit) {
      auto offset = commit.offsets.find(one.partition);
      return commit.group == one.group && commit.known() < one.assigned &&
             offset != commit.offsets.end() && offset->second > 0;
    });
  });
  if (session == nullptr) return false;
  LogIndex log(history);
  const LoggedRecord* first = log.first_visible(session->partition, 0, 1, false);
  if (first == nullptr) return false;
  auto& records = session->polls.front().records;
  records.insert(records.begin(), {first->offset, std::string(first->uid)});
  return true;
}

bool exchange_commits(History& history, Random& random) {
  std::vector<LoggedBatch::GroupOffset*> found;
  for (LoggedBatch& batch : history.log[group_partition]) {
    for (auto& offset : batch.group_offsets) {
      if (offset.group == "watch") found.push_back(&offset);
    }
  }
  if (found.empty()) return false;
  LoggedBatch::GroupOffset& a = *found[random.below(found.size())];
  for (LoggedBatch::GroupOffset* b : found) {
    if (b->partition != a.partition || b->value == a.value) continue;
    std::swap(a.value, b->value);
    return true;
  }
  return false;
}

bool lose_commit(History& history, Random& random) {
  Commit* commit = pick(history.commits, random, [](const Commit& one) {
    return !one.transaction && one.outcome == Outcome::ok;
  });
  if (commit == nullptr) return false;
  for (LoggedBatch& batch : history.log[group_partition]) {
    if (!batch.group_offsets.empty() && batch.group_offsets.front().uid == commit->uid) {
      batch.group_offsets.clear();
    }
  }
  return true;
}

bool fail_commit(History& history, Random& random) {
  Commit* commit = pick(history.commits, random, [](const Commit& one) {
    return !one.transaction && one.outcome == Outcome::ok;
  });
  if (commit == nullptr) return false;
  commit->outcome = Outcome::fail;
  return true;
}

bool invent_commit(History& history, Random& random) {
  CommittedQuery* query = pick(history.committed_queries, random, [](const CommittedQuery& one) {
    return one.offsets.begin()->second > 0;
  });
  if (query == nullptr) return false;
  query->offsets.begin()->second += 1'000;
  return true;
}

// ---- Generations --------------------------------------------------------------------------------

Session* pick_shared(History& history, Random& random) {
  return pick(history.sessions, random,
              [](const Session& one) { return one.generation && !one.polls.empty(); });
}

/// Another member had it as well; it may not have read anything of it.
bool share_partition(History& history, Random& random) {
  Session* session = pick_shared(history, random);
  if (session == nullptr) return false;
  Session other = *session;
  other.client = "another";
  other.polls.clear();
  history.sessions.push_back(std::move(other));
  return true;
}

bool repeat_in_generation(History& history, Random& random) {
  Session* session = pick_shared(history, random);
  if (session == nullptr) return false;
  Session again = *session;
  again.assigned = again.polls.back().returned;
  history.sessions.push_back(std::move(again));
  return true;
}

/// It goes on until after the next one has begun.
bool give_up_late(History& history, Random& random) {
  const Session* next = nullptr;
  Session* session = pick(history.sessions, random, [&](const Session& one) {
    if (!one.generation || one.revoked == never || one.is_lost) return false;
    return std::any_of(history.sessions.begin(), history.sessions.end(), [&](const Session& other) {
      return other.generation && other.partition == one.partition && other.client != one.client &&
             other.assigned > one.revoked;
    });
  });
  if (session == nullptr) return false;
  for (const Session& other : history.sessions) {
    bool is_next = other.generation && other.partition == session->partition &&
                   other.client != session->client && other.assigned > session->revoked;
    if (is_next && next == nullptr) next = &other;
  }
  session->revoked = next->assigned + 1;
  return true;
}

bool process_never(History& history, Random& random) {
  const Commit* commit = nullptr;
  for (const Commit& one : history.commits) {
    bool is_such = one.group == "share" && one.offsets.begin()->second > 0;
    if (is_such && (commit == nullptr || random.one_in(2))) commit = &one;
  }
  if (commit == nullptr) return false;
  const auto& [partition, end] = *commit->offsets.begin();
  LogIndex log(history);
  const LoggedRecord* record = log.first_visible(partition, 0, end, true);
  if (record == nullptr) return false;
  for (Session& session : history.sessions) {
    if (session.group != "share" || session.partition != partition) continue;
    for (Poll& poll : session.polls) {
      std::erase_if(poll.records,
                    [&](const Poll::Record& one) { return one.offset == record->offset; });
    }
  }
  return true;
}

}  // namespace

const std::vector<Mutation>& mutations() {
  static const std::vector<Mutation> all{
      {"an acknowledged record is not in the log", Rule::lost, lose},
      {"a record is in the log twice", Rule::doubled, append_twice},
      {"a record is in the log that nobody sent", Rule::invented, invent},
      {"an offset has two records", Rule::two_values, place_two},
      {"a reader sees another value", Rule::two_values, read_other},
      {"two records of one client changed places", Rule::out_of_order, exchange_of_one_client},
      {"a record stands before one that was acknowledged", Rule::reordered, exchange_acknowledged},
      {"a write that failed is there", Rule::failed_visible, fail_what_is_there},
      {"one partition ends a transaction otherwise", Rule::torn, tear},
      {"a transaction that was committed is aborted", Rule::lost, undo},
      {"a transaction that was aborted is committed", Rule::aborted_visible, redo},
      {"a transaction's offsets end otherwise", Rule::torn_offsets, tear_offsets},
      {"a transaction is never ended in a partition", Rule::hanging, leave_open},
      {"a loop processes a record twice", Rule::processed_twice, process_twice},
      {"a loop commits what it did not process", Rule::processed_not, process_not},
      {"a reader misses a record", Rule::skipped, skip},
      {"a member begins too late", Rule::skipped, skip_at_start},
      {"a reader goes back", Rule::read_back, read_backwards},
      {"a reader of what is committed gets what was aborted", Rule::aborted_visible, read_aborted},
      {"or what is not decided yet", Rule::read_undecided, read_undecided},
      {"the high watermark goes back", Rule::watermark_back, lower_high_watermark},
      {"the last stable offset goes back", Rule::watermark_back, lower_stable},
      {"the last stable offset is above the high watermark", Rule::watermark_back,
       stable_above_high_watermark},
      {"a group is told less than before", Rule::commit_back, forget_commit},
      {"a member begins before what its group has committed", Rule::commit_back, begin_again},
      {"a group's commits changed places", Rule::commit_back, exchange_commits},
      {"an acknowledged commit is not in the log", Rule::commit_lost, lose_commit},
      {"a commit that failed is there", Rule::failed_visible, fail_commit},
      {"a group is told what nobody committed", Rule::invented, invent_commit},
      {"two members have a partition in one generation", Rule::shared, share_partition},
      {"a member has a partition that another one has not given back", Rule::shared, give_up_late},
      {"a record is processed twice in a generation", Rule::repeated, repeat_in_generation},
      {"a group commits what nobody processed", Rule::unprocessed, process_never},
  };
  return all;
}

}  // namespace leat::checker
