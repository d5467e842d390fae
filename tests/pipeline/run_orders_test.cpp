// Runs of versions that are told to stop, to rest, to come to a place, to go on in another role.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/run_orders.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

TEST_CASE("a stop writes a snapshot, so that the next start repeats nothing") {
  Play play;
  play.start(copy());
  for (int i = 0; i < 5; ++i) {
    play.produce(0, "a", i);
    play.pass(1ms);
  }
  bool stopped = false;
  play.run().stop([&](const Result<void>& done) { stopped = done.has_value(); });
  play.pass(1s);
  CHECK(stopped);
  CHECK(play.states == "running stopped ");
  play.start(copy());
  play.produce(0, "a", 5);
  play.pass(1ms);
  CHECK(play.status().recovery.epochs_repeated == 0);
  CHECK(play.status().recovery.snapshot_epoch == 6);
  CHECK(play.numbers() == "0 1 2 3 4 5");
}

TEST_CASE("a pause reads no more, and what was read is committed") {
  Play play;
  play.hold_commits();
  play.start(copy());
  play.pass(1ms);
  play.produce(0, "a", 1);
  play.pass(1ms);
  auto paused = nothing_yet();
  play.run().pause(tell(paused));
  play.pass(1ms);
  play.produce(0, "a", 2);
  play.commit();
  play.pass(1ms);
  CHECK_FALSE(paused->has_value());
  play.commit();
  play.pass(1ms);
  REQUIRE(paused->has_value());
  CHECK((*paused)->has_value());
  CHECK(play.held.empty());
  CHECK(play.status().state == RunState::paused);
  CHECK(play.run().positions() == Positions{at(1)});
  play.pass(1min);
  CHECK(play.held.empty());
  play.epochs.set_commit({});
  play.run().resume();
  play.pass(1ms);
  CHECK(play.states == "running paused running ");
  CHECK(play.numbers() == "1 2");
}

TEST_CASE("a run stops exactly where it is asked to, and goes on from there") {
  Play play(1, 2);
  for (int i = 0; i < 10; ++i) play.produce(i, "a", i, i % 2);
  play.start(copy());
  play.pass(1ms);
  for (int i = 10; i < 20; ++i) {
    play.produce(i, "a", i, i % 2);
    play.pass(1ms);
  }
  REQUIRE(pause(play));
  for (int i = 20; i < 40; ++i) play.produce(i, "a", i, i % 2);
  auto back = run_to(play, {at(9)});
  REQUIRE_FALSE(back.has_value());
  CHECK(back.error().code == Errc::invalid_argument);
  CHECK(back.error().what ==
        "the version cannot stop at offset 9 of partition 0 of in: it is at 10");
  CHECK_FALSE(run_to(play, {{"other", PartitionId{0}, Offset{9}}}).has_value());
  REQUIRE(run_to(play, {at(13), at(10, 1)}));
  CHECK(play.status().state == RunState::paused);
  CHECK(play.run().positions() == Positions{at(13), at(10, 1)});
  CHECK(play.count() == 23);
  // Where there is nothing yet, it waits.
  auto reached = nothing_yet();
  play.run().run_to({at(22), at(20, 1)}, tell(reached));
  play.pass(1s);
  CHECK_FALSE(reached->has_value());
  CHECK(play.status().state == RunState::running);
  for (int i = 0; i < 10; ++i) play.produce(50, "a", i);
  play.pass(1ms);
  REQUIRE(reached->has_value());
  CHECK((*reached)->has_value());
  CHECK(play.count() == 42);
  play.run().resume();
  play.pass(1ms);
  CHECK(play.count() == 50);
}

TEST_CASE("a cut may lie within what was decoded, and nothing is read over") {
  Play play;
  stream::OutputBatches batches;
  auto topic = play.topics.find_topic("in");
  for (int i = 0; i < 100; ++i) {
    std::string value = fmt::format(R"({{"t": {}, "k": "a", "n": {}}})", i, i);
    batches.append({topic->id, PartitionId{0}}, i, {}, as_bytes(value));
  }
  for (auto& batch : batches.take()) {
    play.topics.append(batch.partition, std::move(batch.bytes), [](const Result<Offset>&) {});
  }
  auto options = play.options(copy());
  options.rows_per_s = 1;
  options.block_rows = 30;
  play.start(options);
  play.pass(1ms);
  REQUIRE(pause(play));
  CHECK(play.values().size() == 30);
  play.run().set_rows_per_s(0);
  auto there = run_to(play, {at(45)});
  REQUIRE_MESSAGE(there.has_value(), there.error().what);
  CHECK(play.values().size() == 45);
  REQUIRE(run_to(play, {at(46)}));
  REQUIRE(run_to(play, {at(46)}));
  CHECK(play.values().size() == 46);
  play.run().resume();
  play.pass(1ms);
  REQUIRE(play.values().size() == 100);
  for (int i = 0; i < 100; ++i) {
    CHECK(play.values()[static_cast<std::size_t>(i)].find(fmt::format("\"n\":{}}}", i)) !=
          std::string::npos);
  }
}

TEST_CASE("a version goes on in another role with the state that it had") {
  Play play;
  play.start(plan_of(per_second));
  for (int i = 0; i < 5; ++i) play.produce(100 + i);
  play.pass(200ms);
  CHECK_FALSE(hand_over(play).has_value());
  REQUIRE(pause(play));
  auto handed = hand_over(play);
  REQUIRE_MESSAGE(handed.has_value(), handed.error().what);
  CHECK(play.status().state == RunState::stopped);
  auto options = play.options(plan_of(per_second));
  options.suffix = ".v1";
  options.carried = *handed;
  play.start(options);
  play.pass(1ms);
  CHECK(play.error() == "");
  CHECK(play.status().recovery.epochs_repeated == 0);
  play.produce(200);
  play.produce(2'000);
  play.pass(1ms);
  CHECK(play.values().empty());
  REQUIRE(play.values("out.v1").size() == 1);
  CHECK(play.values("out.v1")[0].ends_with(R"("rows":6})"));
  CHECK(play.record(2).suffix == ".v1");
  // A later start repeats the epochs of both roles.
  play.crash();
  play.produce(4'000);
  options.carried.reset();
  play.start(options);
  play.pass(1ms);
  CHECK(play.error() == "");
  CHECK(play.values("out.v1").size() == 2);
  // What was handed over is of no use once the version has gone on.
  options.carried = *handed;
  play.start(options);
  play.pass(1ms);
  CHECK(play.status().state == RunState::failed);
  CHECK(play.error() ==
        "__epochs.p.1 has epochs behind 2, where the version stood when it was handed over");
}

TEST_CASE(
    "a version in its warm-up cannot be asked to stop somewhere: it would give what is given") {
  Play play;
  for (int i = 0; i < 14; ++i) play.produce(100 * i);
  auto options = play.options(copy());
  options.silent_to = {at(11)};
  options.block_rows = 1;
  options.rows_per_s = 10;
  play.start(options);
  play.pass(200ms);
  auto asked = run_to(play, {at(13)});
  REQUIRE_FALSE(asked.has_value());
  CHECK(asked.error().what ==
        "the version is in its warm-up: it reads what others have given results of");
  play.pass(10s);
  CHECK(play.values().size() == 3);
  CHECK(run_to(play, {at(14)}).has_value());
}

TEST_CASE("a rate is kept to, and may change on the way") {
  Play play;
  for (int i = 0; i < 1'000; ++i) play.produce(i, "a", i);
  auto options = play.options(copy());
  options.rows_per_s = 10;
  options.block_rows = 5;
  play.start(options);
  play.pass(10s);
  CHECK(play.values().size() >= 95);
  CHECK(play.values().size() <= 110);
  CHECK(play.status().rows_in_per_s == doctest::Approx(10).epsilon(0.2));
  auto progress = play.status().progress;
  CHECK(progress.percent == doctest::Approx(10).epsilon(0.2));
  REQUIRE(progress.seconds_left.has_value());
  CHECK(*progress.seconds_left == doctest::Approx(90).epsilon(0.2));
  play.run().set_rows_per_s(100);
  play.pass(1s);
  CHECK(play.values().size() >= 190);
  CHECK(play.values().size() <= 215);
  play.run().set_rows_per_s(0);
  play.pass(1s);
  CHECK(play.values().size() == 1'000);
}

TEST_SUITE_END();
