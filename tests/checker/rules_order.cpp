// L5 and L6: the order of records in a partition is that of acknowledgements, and of each client.
#include <map>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/rising.h"
#include "checker/sentences.h"

namespace leat::checker {

void check_order(const History& history, const LogIndex& log, Report& report) {
  std::map<Partition, Rising> acknowledged;
  std::map<std::pair<std::string, Partition>, std::pair<std::int64_t, const Send*>> last_of;
  for (const Send& send : history.sends) {
    const std::vector<Place>& places = log.places(send.uid);
    for (const Place& place : places) {
      if (*place.partition != send.to) continue;
      // Only the last copy counts of what was aborted and sent again.
      if (&place != &places.back() && place.record.fate == Fate::aborted) continue;
      std::int64_t offset = place.record.offset;
      Rising& end = acknowledged[send.to];
      std::string what = fmt::format("{} at {}", send.uid, text(send.to, offset));
      end.tell(send.invoked, offset, what + ", sent at " + text(send.invoked));
      if (send.outcome == Outcome::ok) {
        end.know(send.returned, offset, what + ", acknowledged at " + text(send.returned));
      }
      // A client's operations are in the order in which it began them.
      auto [last, is_first] = last_of.try_emplace({send.client, send.to}, offset, &send);
      if (!is_first && last->second.first > offset) {
        report.add(Rule::out_of_order, fmt::format("{} is behind {}, which was sent after it",
                                                   last->second.second->uid, what));
      }
      last->second = {offset, &send};
    }
  }
  for (auto& [partition, end] : acknowledged) {
    end.check([&](const std::string& told, const std::string& known) {
      report.add(Rule::reordered, fmt::format("{}, is before {}", told, known));
    });
  }
}

}  // namespace leat::checker
