// L1 to L4: what stands in the log, against what was sent, acknowledged and read.
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/sentences.h"

namespace leat::checker {
namespace {

/// Holds against the log that `who` saw `uid` at that offset.
void check_seen(const LogIndex& log, const Partition& partition, std::int64_t offset,
                const std::string& uid, const std::string& who, Report& report) {
  const LoggedRecord* logged = log.at(partition, offset);
  if (logged != nullptr && logged->uid != uid) {
    report.add(Rule::two_values, fmt::format("{} is {} for {}, and {} in the log",
                                             text(partition, offset), uid, who, logged->uid));
  }
  if (logged == nullptr) {
    report.add(Rule::lost, fmt::format("{} was {} for {}, and is not there any more",
                                       text(partition, offset), uid, who));
  }
}

/// How many kills of the server a record that was acknowledged then had to survive.
std::string kills_since(const History& history, Time time) {
  std::size_t kills = 0;
  for (Time kill : history.kills) kills += kill > time ? 1 : 0;
  return fmt::format("acknowledged at {}, before {} kills", text(time), kills);
}

void check_send(const History& history, const LogIndex& log, const Send& send, Report& report) {
  const std::vector<Place>& places = log.places(send.uid);
  if (send.outcome == Outcome::ok && places.empty()) {
    report.add(Rule::lost, fmt::format("{}, sent to {}, {}, is nowhere", send.uid, text(send.to),
                                       kills_since(history, send.returned)));
  }
  if (send.outcome == Outcome::ok && send.offset) {
    check_seen(log, send.to, *send.offset, send.uid, "its producer", report);
  }
  for (const Place& place : places) {
    if (*place.partition != send.to) {
      report.add(Rule::invented, fmt::format("{}, sent to {}, is at {}", send.uid, text(send.to),
                                             text(*place.partition, place.record.offset)));
    }
    if (send.outcome == Outcome::fail && place.record.fate == Fate::committed) {
      report.add(Rule::failed_visible, fmt::format("{} failed, and is at {}", send.uid,
                                                   text(*place.partition, place.record.offset)));
    }
  }
  // What nobody had acknowledged when the server died is aborted where it stands. Sent again, it
  // may stand once more, behind the marker.
  bool is_doubled = places.size() > 1;
  if (is_doubled) {
    const LoggedRecord& before = places[places.size() - 2].record;
    is_doubled = before.fate != Fate::aborted || send.offset == before.offset;
  }
  if (is_doubled) {
    report.add(Rule::doubled, fmt::format("{} is at {} and at {}", send.uid,
                                          text(*places[0].partition, places[0].record.offset),
                                          text(*places[1].partition, places[1].record.offset)));
  }
}

void check_offsets(const LogIndex& log, Report& report) {
  for (const auto& [partition, records] : log.records()) {
    for (std::size_t i = 1; i < records.size(); ++i) {
      if (records[i].offset != records[i - 1].offset) continue;
      report.add(Rule::two_values,
                 fmt::format("{} is {} and {} in the log", text(partition, records[i].offset),
                             records[i - 1].uid, records[i].uid));
    }
  }
}

}  // namespace

void check_log(const History& history, const LogIndex& log, Report& report) {
  std::unordered_map<std::string_view, const Send*> sent;
  for (const Send& send : history.sends) {
    sent[send.uid] = &send;
    check_send(history, log, send, report);
  }
  check_offsets(log, report);
  for (const auto& [partition, records] : log.records()) {
    for (const LoggedRecord& record : records) {
      if (sent.contains(record.uid)) continue;
      report.add(Rule::invented, fmt::format("nobody sent {}, which is at {}", record.uid,
                                             text(partition, record.offset)));
    }
  }
  for (const Session& session : history.sessions) {
    for (const Poll& poll : session.polls) {
      for (const Poll::Record& record : poll.records) {
        check_seen(log, session.partition, record.offset, record.uid, session.client, report);
      }
    }
  }
}

}  // namespace leat::checker
