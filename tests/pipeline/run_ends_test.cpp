// Runs of versions that come to an end, or begin somewhere: batches, replays, warm-ups.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/run_orders.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

TEST_CASE("micro-batches take all that is there, at each trigger by the wall's clock") {
  Play play;
  play.start(copy(R"("mode": {"type": "micro_batch", "trigger_ms": 30000},)"));
  play.pass(1ms);
  for (int i = 0; i < 5; ++i) {
    play.produce(0, "a", i);
    play.pass(1s);
  }
  CHECK(play.values().empty());
  std::int64_t left_ms = 30'000 - play.executor.wall_ms() % 30'000;
  play.pass(std::chrono::milliseconds(left_ms - 1));
  CHECK(play.values().empty());
  play.pass(2ms);
  CHECK(play.numbers() == "0 1 2 3 4");
  REQUIRE(play.records().size() == 2);
  CHECK(play.record(1).steps.size() == 1);
  play.produce(0, "a", 5);
  play.pass(29s);
  CHECK(play.records().size() == 2);
  play.pass(1s);
  CHECK(play.numbers() == "0 1 2 3 4 5");
  play.pass(90s);
  CHECK(play.records().size() == 3);
}

TEST_CASE("a batch takes what is there when it begins, closes its windows, and has finished") {
  const std::string batch = R"("mode": {"type": "batch"},)";
  Play play;
  for (int i = 0; i < 5; ++i) play.produce(100 * i);
  play.hold_commits();
  play.start(plan_of(per_second, batch));
  play.pass(1ms);
  play.produce(300);  // too late for this one
  play.epochs.set_commit({});
  while (!play.held.empty()) play.commit();
  play.pass(1ms);
  CHECK(play.states == "running finished ");
  REQUIRE(play.values().size() == 1);
  CHECK(play.values()[0].ends_with(R"("rows":5})"));
  CHECK(play.status().progress.percent == 100);
  CHECK(play.status().bounded);
  CHECK(play.status().mode.type == plan::Mode::Type::batch);
  // A start behind it finds it finished.
  play.crash();
  play.states.clear();
  play.start(plan_of(per_second, batch));
  play.pass(1ms);
  CHECK(play.states == "finished ");
  CHECK(play.values().size() == 1);
  // The next one begins with nothing.
  auto options = play.options(plan_of(per_second, batch));
  options.anew_behind = 1'000'000;
  play.start(options);
  play.pass(1ms);
  REQUIRE(play.values().size() == 2);
  CHECK(play.values()[1].ends_with(R"("rows":6})"));
  CHECK(play.status().rows_in == 6);
}

TEST_CASE("a batch that was killed goes on to the end that it began with") {
  const std::string batch = R"("mode": {"type": "batch"},)";
  Play play;
  for (int i = 0; i < 5; ++i) play.produce(100 * i);
  auto options = play.options(plan_of(per_second, batch));
  options.rows_per_s = 1;
  options.block_rows = 2;
  play.start(options);
  play.pass(500ms);
  CHECK(play.records().size() == 2);
  play.crash();
  play.produce(300);
  options.rows_per_s = 0;
  play.start(options);
  play.pass(1ms);
  CHECK(play.status().state == RunState::finished);
  REQUIRE(play.values().size() == 1);
  CHECK(play.values()[0].ends_with(R"("rows":5})"));
}

TEST_CASE("a run begins and ends where it is told, with or without closing its windows") {
  for (bool flush : {false, true}) {
    CAPTURE(flush);
    Play play;
    for (int i = 0; i < 30; ++i) play.produce(100 * i);
    auto options = play.options(plan_of(per_second));
    options.from = {at(5)};
    options.to = Positions{at(25)};
    options.flush = flush;
    play.start(options);
    play.pass(1s);
    CHECK(play.status().state == RunState::finished);
    CHECK(play.status().rows_in == 20);
    CHECK(play.values().size() == (flush ? 3 : 2));
    CHECK(play.record(play.records().size() - 1).finished);
    CHECK(play.values()[0].ends_with(R"("rows":5})"));
  }
  Play play;
  auto options = play.options(copy());
  options.from = {at(5)};
  play.start(options);
  play.pass(1ms);
  CHECK(play.error() ==
        "the version cannot begin at offset 5 of partition 0 of in: its records are 0 to 0");
}

TEST_CASE("a warm-up gives nothing, and what comes behind it counts what was in it") {
  Play play;
  for (int i = 0; i < 14; ++i) play.produce(100 * i);
  auto options = play.options(plan_of(per_second));
  options.silent_to = {at(11)};
  options.block_rows = 4;
  play.start(options);
  play.pass(300ms);
  CHECK(play.values().empty());
  for (int i = 14; i < 21; ++i) play.produce(100 * i);
  play.pass(1ms);
  REQUIRE(play.values().size() == 1);
  CHECK(play.values()[0].ends_with(R"("rows":10})"));
  bool silent = true;
  for (std::size_t i = 1; i < play.records().size(); ++i) {
    // First those that are, then those that are not.
    CHECK((silent || !play.record(i).silent));
    silent = play.record(i).silent;
  }
  CHECK_FALSE(silent);
  play.crash();
  play.start(options);
  play.produce(5'000);
  play.pass(1ms);
  CHECK(play.error() == "");
  CHECK(play.values().size() == 2);
}

TEST_SUITE_END();
