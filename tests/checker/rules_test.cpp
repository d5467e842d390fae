// Tests of the checker itself: it says nothing about good histories, and the right thing about
// those that were made wrong.
#include <cstdint>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "checker/check.h"
#include "checker/history_maker.h"
#include "checker/mutations.h"
#include "checker/rising.h"

TEST_SUITE_BEGIN("checker");

using namespace leat;
using namespace leat::checker;

namespace {

constexpr std::uint64_t seeds = 40;

const History& good_history(std::uint64_t seed) {
  static std::map<std::uint64_t, History> made;
  auto [history, is_new] = made.try_emplace(seed);
  if (is_new) history->second = HistoryMaker(seed).make();
  return history->second;
}

}  // namespace

TEST_CASE("a good history has no anomaly") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Report report = check(good_history(seed));
    CHECK_MESSAGE(report.empty(), report.text());
  }
}

TEST_CASE("each way of breaking a promise is reported by its name") {
  for (const Mutation& mutation : mutations()) {
    CAPTURE(mutation.name);
    int done = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      CAPTURE(seed);
      History history = good_history(seed);
      Random random(seed);
      if (!mutation.apply(history, random)) continue;
      ++done;
      Report report = check(history);
      CHECK_MESSAGE(report.has(mutation.rule), name(mutation.rule), " is not in\n", report.text());
    }
    CHECK(done > 0);
  }
}

TEST_CASE("several broken promises do not hide one another") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    History history = good_history(seed);
    Random random(seed);
    int done = 0;
    for (int i = 0; i < 3; ++i) {
      const Mutation& mutation = mutations()[random.below(mutations().size())];
      done += mutation.apply(history, random) ? 1 : 0;
    }
    Report report = check(history);
    CHECK(report.empty() == (done == 0));
  }
}

TEST_CASE("a loss says how many kills it was acknowledged before") {
  History history;
  Send send;
  send.client = "a";
  send.uid = "a:1";
  send.to = {"t", 0};
  send.invoked = 10;
  send.returned = 20;
  send.outcome = Outcome::ok;
  send.offset = 0;
  history.sends.push_back(send);
  history.kills = {5, 30, 40};
  Report report = check(history);
  CHECK(report.has(Rule::lost));
  CHECK(report.text().find("before 2 kills") != std::string::npos);
}

TEST_CASE("a report counts all anomalies of a rule and keeps the first") {
  Report report;
  for (std::size_t i = 0; i < Report::kept_max + 3; ++i) report.add(Rule::lost, "x");
  CHECK(report.count() == Report::kept_max + 3);
  CHECK(report.text().find("L2 lost: and 3 more\n") != std::string::npos);
}

TEST_CASE("of a number that rises, who asks later is told no less") {
  auto complaints = [](Time asked) {
    Rising rising;
    rising.know(10, 7, "seven");
    rising.know(never, 100, "unknown");
    rising.tell(asked, 5, "five");
    int count = 0;
    rising.check([&](const std::string&, const std::string&) { ++count; });
    return count;
  };
  CHECK(complaints(11) == 1);
  // At the same time either may have been first.
  CHECK(complaints(10) == 0);
  CHECK(complaints(9) == 0);
}

TEST_SUITE_END();
