// L7: the high watermark and the last stable offset never go back, and this one is never above
// that.
#include <map>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/rising.h"
#include "checker/sentences.h"

namespace leat::checker {
namespace {

struct Ends {
  Rising high_watermark;
  Rising stable;
};

void add_sessions(const History& history, std::map<Partition, Ends>& ends) {
  for (const Session& session : history.sessions) {
    Ends& of = ends[session.partition];
    for (const Poll& poll : session.polls) {
      if (poll.records.empty()) continue;
      std::int64_t next = poll.records.back().offset + 1;
      std::string what =
          fmt::format("{} read {}", session.client, text(session.partition, next - 1));
      of.high_watermark.know(poll.returned, next, what);
      if (session.is_committed) of.stable.know(poll.returned, next, what);
    }
  }
}

}  // namespace

void check_watermarks(const History& history, const LogIndex& log, Report& report) {
  std::map<Partition, Ends> ends;
  add_sessions(history, ends);
  for (const Send& send : history.sends) {
    if (send.outcome != Outcome::ok || !send.offset) continue;
    ends[send.to].high_watermark.know(send.returned, *send.offset + 1,
                                      fmt::format("{} was acknowledged", send.uid));
  }
  for (const EndQuery& query : history.end_queries) {
    if (query.outcome != Outcome::ok) continue;
    std::string what = fmt::format("the {} of {} was {} at {}",
                                   query.is_stable ? "last stable offset" : "high watermark",
                                   text(query.partition), query.offset, text(query.invoked));
    Ends& of = ends[query.partition];
    Rising& asked = query.is_stable ? of.stable : of.high_watermark;
    asked.tell(query.invoked, query.offset, what);
    asked.know(query.returned, query.offset, what);
    if (query.is_stable) of.high_watermark.know(query.returned, query.offset, what);
    if (query.offset > log.end(query.partition)) {
      report.add(Rule::lost,
                 what + fmt::format(", and the log ends at {}", log.end(query.partition)));
    }
  }
  for (auto& [partition, of] : ends) {
    auto complain = [&](const std::string& told, const std::string& known) {
      report.add(Rule::watermark_back, told + ", after " + known);
    };
    of.high_watermark.check(complain);
    of.stable.check(complain);
  }
}

}  // namespace leat::checker
