// Runs of versions: what is an epoch, how a run rests, goes on, ends, and what it says of itself.
#include <string>

#include <doctest/doctest.h>

#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// Rows as they are.
plan::Plan copy(const std::string& more = "") {
  return plan_of("", more);
}

/// What an order has come to, once it has.
template <class T>
using Told = std::shared_ptr<std::optional<Result<T>>>;

template <class T = void>
Told<T> nothing_yet() {
  return std::make_shared<std::optional<Result<T>>>();
}

template <class T>
UniqueFunction<void(Result<T>)> tell(const Told<T>& told) {
  return [told](Result<T> result) { *told = std::move(result); };
}

template <class T>
Result<T> wait(Play& play, const Told<T>& told) {
  play.pass(1s);
  if (*told) return std::move(**told);
  return fail(Errc::request_timed_out, "it does not come there");
}

Result<void> pause(Play& play) {
  auto told = nothing_yet();
  play.run().pause(tell(told));
  return wait(play, told);
}

Result<void> run_to(Play& play, Positions positions) {
  auto told = nothing_yet();
  play.run().run_to(std::move(positions), tell(told));
  return wait(play, told);
}

Result<HandedOver> hand_over(Play& play) {
  auto told = nothing_yet<HandedOver>();
  play.run().hand_over(tell(told));
  return wait(play, told);
}

Position at(std::int64_t offset, std::int32_t partition = 0) {
  return {"in", PartitionId{partition}, Offset{offset}};
}

}  // namespace

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
