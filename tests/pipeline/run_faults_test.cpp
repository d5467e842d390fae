// What a run does when what it stands on is not what it was: it ends, and says what and why.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// Some epochs of a version, which was killed.
void live(Play& play, const plan::Plan& plan, int records = 5) {
  play.start(plan);
  for (int i = 0; i < records; ++i) {
    play.produce(1'000 * i, "a", i);
    play.pass(1ms);
  }
  play.crash();
}

/// What a start says then.
std::string start_error(Play& play, const plan::Plan& plan) {
  play.start(plan);
  play.pass(1s);
  auto status = play.status();
  CHECK(status.state == RunState::failed);
  return play.error();
}

const std::string ways_out =
    "put the topic back as it was, from a backup, and resume; or make a new version out of what "
    "there is: leat pipeline replay p --from start --promote";

}  // namespace

TEST_CASE("a step that does not give again what it gave ends the run, by its name") {
  Play play;
  live(play, plan_of(""));
  auto record = play.record(3);
  record.steps[0].output_hash += 1;
  play.epochs.change("p.1", 3, encode(record));
  auto before = play.values();
  play.produce(9'000, "a", 9);
  CHECK(start_error(play, plan_of("")) ==
        "step 1 of 1 in epoch 4 of p.1 does not give again what it gave");
  CHECK(play.status().error->code == Errc::step_mismatch);
  CHECK(play.values() == before);
}

TEST_CASE("a step whose records are another number than there were ends the run") {
  Play play;
  live(play, plan_of(per_second));
  auto record = play.record(1);
  record.steps[0].step.consumed.at(0).records += 1;
  play.epochs.change("p.1", 1, encode(record));
  auto error = start_error(play, plan_of(per_second));
  CHECK_MESSAGE(error.starts_with("step 1 of 2 in epoch 2 of p.1 cannot be repeated: "), error);
  CHECK(play.status().error->code == Errc::step_mismatch);
}

TEST_CASE(
    "fault 39: records that were deleted below where a version stands end the run, with both "
    "offsets and the ways out") {
  Play play;
  play.start(plan_of(""));
  for (int i = 0; i < 5; ++i) play.produce(0, "a", i);
  play.pass(1s);
  bool stopped = false;
  play.run().stop([&](const Result<void>&) { stopped = true; });
  play.pass(1s);
  REQUIRE(stopped);
  for (int i = 0; i < 5; ++i) play.produce(0, "a", i);
  play.topics.trim({play.topics.find_topic("in")->id, PartitionId{0}}, Offset{7});
  CHECK(start_error(play, plan_of("")) ==
        "the next record to read, offset 5 of partition 0 of in, was deleted: its records are 7 to "
        "10 now; " +
            ways_out);
  CHECK(play.status().error->code == Errc::offset_out_of_range);
  CHECK(play.values().size() == 5);
}

TEST_CASE("fault 39: a topic that was made anew under its name ends the run, with both ids") {
  Play play;
  live(play, plan_of(""));
  auto begin = std::get<BeginRecord>(play.records()[0]);
  begin.inputs[0].topic_id.bytes[0] = 0xab;
  play.epochs.change("p.1", 0, encode(begin));
  CHECK(start_error(play, plan_of("")) ==
        "the topic in was made anew: its id is 01000000000000000000000000000000, and was "
        "ab000000000000000000000000000000 when the version began; " +
            ways_out);
}

TEST_CASE("a topic with more partitions than before ends the run") {
  Play play;
  live(play, plan_of(""));
  auto begin = std::get<BeginRecord>(play.records()[0]);
  begin.inputs.push_back(begin.inputs[0]);
  begin.inputs[1].partition = PartitionId{1};
  play.epochs.change("p.1", 0, encode(begin));
  CHECK(start_error(play, plan_of("")) ==
        "in has another number of partitions than when the version began, and keys may be in "
        "others: make a new version: leat pipeline replay p --from start --promote");
}

TEST_CASE("another plan under a version's name ends the run; another mode does not") {
  Play play;
  live(play, plan_of(per_second));
  play.start(plan_of(per_second, R"("mode": {"type": "micro_batch", "trigger_ms": 1000},)"));
  play.pass(1s);
  CHECK(play.error() == "");
  auto error = start_error(play, plan_of(""));
  CHECK_MESSAGE(error.starts_with("p.1 began with another plan: nodes"), error);
  CHECK(play.status().error->code == Errc::snapshot_mismatch);
}

TEST_CASE("fault 33: another plan is refused with what differs, though there is no snapshot") {
  Play play;
  live(play, plan_of(per_second));
  auto longer = plan_of(per_second);
  auto elsewhere = longer;
  for (auto& node : longer.nodes) {
    if (auto* window = std::get_if<plan::Window>(&node.body)) window->window.size_ms = 7'000;
  }
  for (auto& node : elsewhere.nodes) {
    if (auto* sink = std::get_if<plan::Sink>(&node.body)) sink->topic = "elsewhere";
  }
  CHECK(start_error(play, longer) ==
        "p.1 began with another plan: nodes[1] 'x' window.size_ms was 1000 and is 7000");
  CHECK(start_error(play, elsewhere) ==
        "p.1 began with another plan: nodes[2] 'out' topic was \"out\" and is \"elsewhere\"");
}

TEST_CASE("an epoch that is missing, or damaged, ends the run") {
  Play play;
  live(play, plan_of(""));
  auto good = play.epochs.records("p.1");
  play.epochs.change("p.1", 3, good[4]);
  CHECK(start_error(play, plan_of("")) == "__epochs.p.1: behind epoch 3 there is epoch 5");
  play.epochs.change("p.1", 3, Bytes(3));
  auto error = start_error(play, plan_of(""));
  CHECK_MESSAGE(error.starts_with("record 6 of __epochs.p.1: "), error);
  play.epochs.change("p.1", 3, good[3]);
  play.epochs.change("p.1", 0, encode(play.record(1)));
  CHECK(start_error(play, plan_of("")) == "__epochs.p.1: behind epoch 0 there is epoch 2");
}

TEST_CASE("a commit that fails ends the run; the next one goes on behind what counts") {
  Play play;
  play.start(plan_of(""));
  play.produce(0, "a", 1);
  play.pass(1ms);
  play.hold_commits();
  play.produce(0, "a", 2);
  play.pass(1ms);
  REQUIRE(play.held.size() == 1);
  play.held[0].done(fail(Errc::no_space, "the disk is full"));
  play.pass(1ms);
  CHECK(play.status().state == RunState::failed);
  CHECK(play.error() == "epoch 3 cannot be committed: the disk is full");
  CHECK(play.status().error->code == Errc::no_space);
  CHECK(play.states == "running failed ");
  play.epochs.set_commit({});
  play.start(plan_of(""));
  play.pass(1ms);
  CHECK(play.numbers() == "1 2");
  CHECK(play.record(2).epoch == 3);
}

TEST_CASE("what is on its way to the disk is shown before the run ends by what is behind it") {
  Play play;
  auto plan = plan_of("", "", "", R"({"name": "seen", "type": "sink", "input": "in",
                                      "console": true},)");
  auto options = play.options(plan);
  std::string seen;
  options.console = [&](std::string_view text) {
    seen += text;
    return Result<void>();
  };
  play.start(std::move(options));
  play.pass(1ms);
  play.hold_commits();
  play.produce(0, "a", 1);
  play.pass(1ms);
  REQUIRE(play.held.size() == 1);
  play.produce_value("{");
  play.pass(1ms);
  CHECK(seen.empty());
  play.held[0].apply();
  play.held[0].done({});
  play.pass(1ms);
  CHECK(seen.find(R"("n":1)") != std::string::npos);
  CHECK(play.status().state == RunState::failed);
  CHECK_MESSAGE(play.error().starts_with("pipeline p: record 1 of partition 0 of in: "),
                play.error());
}

TEST_CASE("steps that were done before the one that fails come out, and it gives nothing") {
  Play play;
  auto plan = plan_of("", "", "", R"({"name": "seen", "type": "sink", "input": "in",
                                      "console": true},)");
  std::string seen;
  auto start = [&] {
    auto options = play.options(plan);
    options.console = [&](std::string_view text) {
      seen += text;
      return Result<void>();
    };
    play.start(std::move(options));
  };
  start();
  play.pass(1ms);
  play.hold_commits();
  for (int i = 1; i < 4; ++i) {
    play.produce(0, "a", i);
    play.pass(1ms);
  }
  REQUIRE(play.held.size() == 1);
  play.produce(0, "a", 4);
  play.produce_value("{");
  play.pass(1ms);
  CHECK(play.status().state == RunState::running);
  play.commit();
  play.pass(1ms);
  CHECK(play.numbers() == "1");
  CHECK(play.status().state == RunState::running);
  play.commit();
  play.pass(1ms);
  CHECK(play.status().state == RunState::failed);
  CHECK_MESSAGE(play.error().starts_with("pipeline p: record 4 of partition 0 of in: "),
                play.error());
  CHECK(play.numbers() == "1 2 3");
  CHECK(std::count(seen.begin(), seen.end(), '\n') == 3);
  CHECK(play.status().rows_in == 3);
  CHECK(play.record(2).counts.rows_in == 2);
  // The next one goes on behind them.
  play.epochs.set_commit({});
  auto before = play.error();
  start();
  play.pass(1s);
  CHECK(play.error() == before);
  CHECK(play.numbers() == "1 2 3");
  CHECK(std::count(seen.begin(), seen.end(), '\n') == 3);
}

TEST_CASE("fault 32: a record that is none ends the run with its place, and again at each start") {
  Play play;
  play.start(plan_of(""));
  play.produce(0, "a", 1);
  play.pass(1ms);
  play.produce_value("{");
  play.pass(1ms);
  CHECK(play.status().state == RunState::failed);
  CHECK_MESSAGE(play.error().starts_with("pipeline p: record 1 of partition 0 of in: "),
                play.error());
  auto before = play.error();
  CHECK(start_error(play, plan_of("")) == before);
  CHECK(play.numbers() == "1");
}

TEST_CASE("a plan that makes no sense, and a topic that is not there, end the run at once") {
  Play play;
  auto plan = plan_of("");
  plan.nodes.back().name = plan.nodes.front().name;
  CHECK(start_error(play, plan).find("a node before it has this name") != std::string::npos);
  plan = plan_of("");
  std::get<plan::Source>(plan.nodes[0].body).topic = "nowhere";
  auto error = start_error(play, plan);
  CHECK_MESSAGE(error.find("nowhere") != std::string::npos, error);
  CHECK(play.status().error->code == Errc::unknown_topic_or_partition);
}

TEST_CASE("who waits for a run that fails is told why") {
  Play play;
  play.hold_commits();
  play.start(plan_of(""));
  play.pass(1ms);
  play.produce(0, "a", 1);
  play.pass(1ms);
  std::vector<std::string> told;
  auto tell = [&](const Result<void>& result) {
    told.push_back(result ? "fine" : result.error().what);
  };
  play.run().pause(tell);
  play.run().stop(tell);
  play.pass(1ms);
  CHECK(told.empty());
  play.held[0].done(fail(Errc::no_space, "full"));
  play.pass(1ms);
  std::string error = "epoch 1 cannot be committed: full";
  CHECK(told == std::vector<std::string>{error, error});
  play.run().pause(tell);
  play.run().run_to({}, tell);
  play.run().stop(tell);
  play.pass(1ms);
  CHECK(told.size() == 5);
  CHECK(told[4] == "fine");
  play.drop();
}

TEST_CASE(
    "a snapshot that cannot be used is passed over, with the reason, and an older one counts") {
  Play play;
  play.start(plan_of(per_second));
  for (int i = 0; i < 100; ++i) {
    play.produce(100 * i);
    play.pass(1s);
  }
  play.crash();
  Snapshots snapshots(play.files, "/data", "p.1");
  auto epochs = *snapshots.list();
  REQUIRE(epochs.size() == 2);
  std::string newest = fmt::format("/data/pipelines/p.1/{}.snapshot", epochs[0]);
  play.files.flip_bit(newest, 100, 3);
  play.start(plan_of(per_second));
  play.pass(1ms);
  CHECK(play.error() == "");
  auto recovery = play.status().recovery;
  CHECK(recovery.snapshot_epoch == epochs[1]);
  REQUIRE(recovery.passed_over.size() == 1);
  CHECK(recovery.passed_over[0] ==
        fmt::format("snapshot of epoch {}: the snapshot is damaged", epochs[0]));
  CHECK(play.status().rows_in == 100);
  play.crash();
  // One of epochs that are not there is no good either.
  play.files.flip_bit(newest, 100, 3);
  MemoryEpochs fewer(play.topics);
  auto records = play.epochs.records("p.1");
  auto log = *fewer.open("p.1");
  for (std::size_t i = 0; i + 30 < records.size(); ++i) log->commit(records[i], {}, [](auto) {});
  auto options = play.options(plan_of(per_second));
  auto run = VersionRun::start(
      options, {play.topics, play.files, play.executor, fewer, "/data", &play.executor});
  play.pass(1ms);
  recovery = run->status().recovery;
  REQUIRE(recovery.passed_over.size() >= 1);
  CHECK(recovery.passed_over[0] ==
        fmt::format("snapshot of epoch {}: it is newer than the last committed epoch", epochs[0]));
}

TEST_CASE("a snapshot of another build is passed over, and the epochs say what it would") {
  Play play;
  play.start(plan_of(per_second));
  for (int i = 0; i < 100; ++i) {
    play.produce(100 * i);
    play.pass(1s);
  }
  play.crash();
  Snapshots snapshots(play.files, "/data", "p.1");
  auto epochs = *snapshots.list();
  for (std::uint64_t epoch : epochs) {
    Snapshot snapshot = *snapshots.read(epoch);
    StateWriter writer;
    writer.section("task", 99);
    snapshot.state = writer.finish();
    REQUIRE(snapshots.write(snapshot).has_value());
  }
  play.start(plan_of(per_second));
  play.pass(1ms);
  CHECK(play.error() == "");
  auto recovery = play.status().recovery;
  CHECK_FALSE(recovery.snapshot_epoch.has_value());
  REQUIRE(recovery.passed_over.size() == epochs.size());
  CHECK(recovery.passed_over[0] ==
        fmt::format("snapshot of epoch {}: the snapshot has task version "
                    "99 where task version 5 should be",
                    epochs[0]));
  CHECK(play.status().rows_in == 100);
  play.produce(10'000);
  play.pass(20s);
  CHECK(play.error() == "");
  CHECK(play.status().rows_in == 101);
  play.drop();
}

TEST_CASE("a snapshot keeps its plan, so that what another one has changed is told") {
  Play play;
  play.start(plan_of(per_second));
  for (int i = 0; i < 100; ++i) {
    play.produce(100 * i);
    play.pass(1s);
  }
  play.crash();
  std::string per_minute = per_second;
  per_minute.replace(per_minute.find("1000"), 4, "60000");
  CHECK(start_error(play, plan_of(per_minute)) ==
        "p.1 began with another plan: nodes[1] 'x' window.size_ms was 1000 and is 60000");
}

TEST_CASE("a disk without room for snapshots does not end the run") {
  Play play;
  play.start(plan_of(per_second));
  play.files.set_free_bytes(0);
  for (int i = 0; i < 40; ++i) {
    play.produce(100 * i);
    play.pass(1s);
  }
  CHECK(play.status().state == RunState::running);
  CHECK_FALSE(play.status().snapshot.has_value());
  play.files.set_free_bytes({});
  for (int i = 0; i < 40; ++i) {
    play.produce(100 * (40 + i));
    play.pass(1s);
  }
  CHECK(play.status().snapshot.has_value());
}

TEST_SUITE_END();
