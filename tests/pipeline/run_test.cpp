// Runs of versions: what is an epoch, what a start repeats, and what a run says of itself.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/run_orders.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

TEST_CASE("an epoch is what was there when the run woke, with what came of it") {
  Play play;
  play.produce(0, "a", 1);
  play.produce(0, "a", 2);
  play.start(copy());
  play.pass(1ms);
  CHECK(play.states == "running ");
  CHECK(play.numbers() == "1 2");
  play.produce(0, "a", 3);
  play.pass(1ms);
  CHECK(play.numbers() == "1 2 3");
  REQUIRE(play.records().size() == 3);
  auto begin = std::get<BeginRecord>(play.records()[0]);
  CHECK(begin.epoch == 1);
  CHECK(begin.inputs.size() == 1);
  CHECK(begin.inputs[0].start == Offset{0});
  CHECK_FALSE(begin.bounded);
  EpochRecord epoch = play.record(2);
  CHECK(epoch.epoch == 3);
  CHECK(epoch.counts == Counts{1, 1, 0, 0});
  REQUIRE(epoch.steps.size() == 1);
  CHECK(epoch.steps[0].step.consumed.at(0).next == Offset{3});
  CHECK(play.status().epochs == 3);
}

TEST_CASE("what gives nothing waits 100 ms for more, and where nothing happens there is no epoch") {
  Play play;
  play.start(plan_of(per_second));
  play.pass(1ms);
  for (int i = 0; i < 4; ++i) {
    play.produce(100 + i);
    play.pass(20ms);
  }
  CHECK(play.records().size() == 1);
  play.pass(21ms);
  REQUIRE(play.records().size() == 2);
  CHECK(play.record(1).steps.size() == 4);
  play.pass(20s);
  CHECK(play.records().size() == 2);
  // What gives something waits for nothing, and takes along what waits.
  play.produce(200);
  play.pass(1ms);
  play.produce(5'000);
  play.pass(1ms);
  REQUIRE(play.records().size() == 3);
  CHECK(play.record(2).steps.size() == 2);
  REQUIRE(play.values().size() == 1);
  CHECK(play.values()[0] ==
        R"({"window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:01Z",)"
        R"("k":"a","rows":5})");
}

TEST_CASE("while an epoch is committed the next one is made, and handed over when it is durable") {
  Play play;
  play.hold_commits();
  play.start(copy());
  play.pass(1ms);
  play.commit();  // the beginning
  play.produce(0, "a", 1);
  play.pass(1ms);
  REQUIRE(play.held.size() == 1);
  play.produce(0, "a", 2);
  play.pass(1ms);
  play.produce(0, "a", 3);
  play.pass(1ms);
  CHECK(play.held.size() == 1);
  CHECK(play.values().empty());
  play.commit();
  CHECK(play.numbers() == "1");
  play.pass(0ns);
  REQUIRE(play.held.size() == 1);
  play.commit();
  CHECK(play.numbers() == "1 2 3");
  CHECK(play.record(2).steps.size() == 2);
}

TEST_CASE("a restart goes on behind the last committed epoch, whether it was told of it or not") {
  for (bool durable : {false, true}) {
    CAPTURE(durable);
    Play play;
    play.start(copy());
    play.produce(0, "a", 1);
    play.pass(1ms);
    play.hold_commits();
    play.produce(0, "a", 2);
    play.pass(1ms);
    REQUIRE(play.held.size() == 1);
    if (durable) play.held[0].apply();
    play.crash();
    play.held.clear();
    play.epochs.set_commit({});
    play.produce(0, "a", 3);
    play.start(copy());
    play.pass(1ms);
    CHECK(play.numbers() == "1 2 3");
    CHECK(play.status().recovery.epochs_repeated == (durable ? 2 : 1));
    CHECK(play.status().rows_in == 3);
    CHECK(play.status().rows_out == 3);
  }
}

TEST_CASE("a start repeats what is behind the last snapshot, and nothing before it") {
  Play play;
  play.start(plan_of(per_second));
  for (int i = 0; i < 70; ++i) {
    play.produce(100 * i);
    play.pass(1s);
  }
  REQUIRE(play.status().snapshot.has_value());
  auto snapshot = *play.status().snapshot;
  CHECK(snapshot.epoch > 20);
  CHECK(snapshot.bytes > 0);
  play.crash();
  // Records before the snapshot are not needed any more.
  play.topics.trim({play.topics.find_topic("in")->id, PartitionId{0}}, Offset{50});
  auto reads = play.topics.reads();
  play.start(plan_of(per_second));
  play.pass(1ms);
  auto status = play.status();
  CHECK(play.error() == "");
  CHECK(status.recovery.snapshot_epoch == snapshot.epoch);
  CHECK(status.recovery.epochs_repeated == status.epochs - snapshot.epoch);
  CHECK(status.recovery.epochs_repeated < 40);
  CHECK(play.topics.reads() - reads < 50);
  CHECK(status.rows_in == 70);
  play.produce(20'000);
  play.pass(1ms);
  CHECK(play.values().size() == 7);
  CHECK(play.values().back().ends_with(R"("rows":10})"));
}

TEST_CASE("a version says how far it is behind, and what holds its watermark back") {
  Play play(1, 2);
  play.start(plan_of(per_second));
  play.pass(1ms);
  std::int64_t now = play.executor.wall_ms();
  play.produce(now, "a", 1, 0);
  play.produce(now - 5'000, "a", 1, 1);
  play.pass(200ms);
  auto status = play.status();
  REQUIRE(status.partitions.size() == 2);
  CHECK(status.watermark == now - 5'000);
  CHECK(status.held_back_by == 1);
  CHECK(status.partitions[0].lag_records == 0);
  CHECK(status.partitions[0].lag_ms == 0);
  REQUIRE(pause(play));
  play.produce(now - 2'000, "a", 1, 0);
  play.produce(now - 1'000, "a", 1, 0);
  static_cast<void>(play.status());
  play.pass(1ms);
  status = play.status();
  CHECK(status.partitions[0].name == "in");
  CHECK(status.partitions[0].lag_records == 2);
  CHECK(status.partitions[0].end == Offset{3});
  REQUIRE(status.partitions[0].lag_ms.has_value());
  CHECK(*status.partitions[0].lag_ms == play.executor.wall_ms() - (now - 2'000) - 1);
}

TEST_CASE("an observer is told what was recovered, what is on its way, and what is committed") {
  class Listener final : public EpochObserver {
   public:
    void recovered(std::uint64_t epoch, operators::Watermark watermark,
                   const Positions& positions) override {
      told += fmt::format("recovered {} {} {}; ", epoch, watermark, positions.at(0).offset.value());
    }
    void handed_over(std::uint64_t epoch) override {
      told += fmt::format("{} on its way; ", epoch);
    }
    void committed(const CommittedEpoch& epoch) override {
      told += fmt::format("{} committed {} {} {}; ", epoch.epoch, epoch.watermark,
                          epoch.output.size(), epoch.positions.at(0).offset.value());
    }
    std::string told;
  };
  Listener listener;
  Play play;
  play.hold_commits();
  auto options = play.options(copy());
  options.observer = &listener;
  play.start(options);
  play.pass(1ms);
  CHECK(listener.told == "1 on its way; ");
  play.commit();
  play.produce(70, "a", 1);
  play.pass(1ms);
  play.commit();
  play.pass(1ms);
  CHECK(listener.told ==
        "1 on its way; 1 committed -9223372036854775808 0 0; 2 on its way; 2 committed 70 1 1; ");
  play.crash();
  listener.told.clear();
  play.start(options);
  play.produce(80, "a", 2);
  play.pass(1ms);
  play.commit();
  play.pass(1ms);
  CHECK(listener.told == "recovered 2 70 1; 3 on its way; 3 committed 80 1 2; ");
  play.drop();
}

TEST_SUITE_END();
