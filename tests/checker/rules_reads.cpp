// What a consumer gets between two assignments: all that it may see, in order, and nothing else.
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/sentences.h"
#include "checker/transactions.h"

namespace leat::checker {
namespace {

class Reads {
 public:
  Reads(const History& history, const LogIndex& log, Report& report)
      : log_(log), report_(report), transactions_(transactions_of(history)) {
    for (const Send& send : history.sends) {
      if (send.transaction) transactional_[send.uid] = &send;
    }
  }

  void check(const Session& session);

 private:
  void check_record(const Session& session, const Poll& poll, const Poll::Record& record);
  /// That nothing visible lies in [position, to).
  void check_skipped(const Session& session, std::int64_t to);

  const LogIndex& log_;
  Report& report_;
  std::map<TransactionId, Transaction> transactions_;
  std::unordered_map<std::string_view, const Send*> transactional_;
  std::optional<std::int64_t> position_;
};

void Reads::check(const Session& session) {
  position_ = session.from;
  for (const Poll& poll : session.polls) {
    for (const Poll::Record& record : poll.records) {
      check_record(session, poll, record);
      if (position_ && record.offset < *position_) {
        report_.add(Rule::read_back, fmt::format("{} got {} at {}, and was at {}", session.client,
                                                 text(session.partition, record.offset),
                                                 text(poll.returned), *position_));
      } else {
        check_skipped(session, record.offset);
        position_ = record.offset + 1;
      }
    }
    if (poll.end) {
      check_skipped(session, *poll.end);
      if (position_ && *poll.end > *position_) position_ = *poll.end;
    }
  }
  if (session.is_final) check_skipped(session, log_.end(session.partition));
}

void Reads::check_skipped(const Session& session, std::int64_t to) {
  if (!position_) return;
  const LoggedRecord* record =
      log_.first_visible(session.partition, *position_, to, session.is_committed);
  if (record == nullptr) return;
  report_.add(Rule::skipped,
              fmt::format("{}, which was assigned {} at {}, did not get {} at {} on its way to {}",
                          session.client, text(session.partition), text(session.assigned),
                          record->uid, record->offset, to));
}

void Reads::check_record(const Session& session, const Poll& poll, const Poll::Record& record) {
  if (!session.is_committed) return;
  std::string what =
      fmt::format("{} got {} at {}, {}", session.client, text(session.partition, record.offset),
                  text(poll.returned), record.uid);
  const LoggedRecord* logged = log_.at(session.partition, record.offset);
  if (logged != nullptr && logged->fate != Fate::committed) {
    report_.add(Rule::aborted_visible, what + (logged->fate == Fate::open ? ", which is undecided"
                                                                          : ", which is aborted"));
  }
  auto sent = transactional_.find(record.uid);
  if (sent == transactional_.end()) return;
  const Send& send = *sent->second;
  Time asked = transactions_[{send.client, *send.transaction}].commit_invoked();
  if (asked > poll.returned) {
    report_.add(Rule::read_undecided, what + ", before its client asked to commit it");
  }
}

}  // namespace

void check_reads(const History& history, const LogIndex& log, Report& report) {
  Reads reads(history, log, report);
  for (const Session& session : history.sessions) reads.check(session);
}

}  // namespace leat::checker
