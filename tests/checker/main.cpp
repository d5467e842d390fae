// leat-check FILE...: holds a history, with the dump of the log that it led to, against the rules.
// It prints what it counted and what is wrong, and exits with 1 if something is.
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <fmt/core.h>

#include "checker/check.h"
#include "checker/history_reader.h"
#include "checker/transactions.h"

namespace {

using namespace leat::checker;

std::string counts(const History& history) {
  std::size_t committed = 0;
  std::size_t aborted = 0;
  std::size_t unknown = 0;
  for (const auto& [id, transaction] : transactions_of(history)) {
    ++(transaction.is_committed() ? committed : transaction.is_aborted() ? aborted : unknown);
  }
  std::size_t acknowledged = 0;
  for (const Send& send : history.sends) acknowledged += send.outcome == Outcome::ok ? 1 : 0;
  std::size_t read = 0;
  for (const Session& session : history.sessions) {
    for (const Poll& poll : session.polls) read += poll.records.size();
  }
  std::set<std::int32_t> generations;
  std::size_t given_back = 0;
  std::size_t lost = 0;
  for (const Session& session : history.sessions) {
    if (session.generation) generations.insert(*session.generation);
    if (session.revoked != never) ++(session.is_lost ? lost : given_back);
  }
  std::string of_group =
      generations.empty()
          ? ""
          : fmt::format("; generations {}, partitions given {}, given back {}, lost {}",
                        generations.size(), history.sessions.size(), given_back, lost);
  return fmt::format(
      "kills of the server {}, of clients {}; records sent {}, acknowledged {}, read {}; "
      "transactions committed {}, aborted {}, unknown {}; commits of offsets {}; watermarks told "
      "{}, offsets told {}{}",
      history.kills.size(), history.client_kills, history.sends.size(), acknowledged, read,
      committed, aborted, unknown, history.commits.size(), history.end_queries.size(),
      history.committed_queries.size(), of_group);
}

}  // namespace

int main(int argc, char** argv) {
  HistoryReader reader;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    auto read = reader.read(text.str(), argv[i]);
    if (!file || !read) {
      fmt::print(stderr, "leat-check: {}\n",
                 read ? argv[i] + std::string(": cannot be read") : read.error().what);
      return 2;
    }
  }
  const History& history = reader.history();
  if (history.sends.empty() || history.log.empty()) {
    fmt::print(stderr, "usage: leat-check FILE...\nthe files hold no history, or no log\n");
    return 2;
  }
  Report report = check(history);
  fmt::print("{}\n{}anomalies {}\n", counts(history), report.text(), report.count());
  return report.empty() ? 0 : 1;
}
