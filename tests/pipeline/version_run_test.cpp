// Runs on threads of their own.
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "file/posix_file_system.h"
#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

struct World {
  World() : epochs(topics) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "leat-pipeline-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    REQUIRE(topics.create_topic("in", 1).has_value());
  }
  ~World() { std::filesystem::remove_all(directory); }
  void produce(int n) {
    std::string value = fmt::format(R"({{"t": {}, "k": "a", "n": {}}})", n, n);
    stream::OutputBatches batches;
    batches.append({topics.find_topic("in")->id, PartitionId{0}}, n, {}, as_bytes(value));
    for (auto& batch : batches.take()) {
      topics.append(batch.partition, std::move(batch.bytes), [](const Result<Offset>&) {});
    }
  }
  std::unique_ptr<VersionRun> start(EpochObserver* observer = nullptr) {
    VersionRun::Options options;
    options.plan = plan_of("");
    options.pipeline = "p";
    options.observer = observer;
    return VersionRun::start(std::move(options), {topics, files, clock, epochs, directory});
  }
  std::size_t rows() { return topics.records("out", 0).size(); }

  std::string directory;
  SystemClock clock;
  file::PosixFileSystem files;
  stream::MemoryTopics topics;
  MemoryEpochs epochs;
};

/// Counts what it is told of.
class Counter final : public EpochObserver {
 public:
  void committed(const CommittedEpoch& epoch) override {
    if (epoch.epoch <= last) ++out_of_order;
    last = epoch.epoch;
    batches += epoch.output.size();
    if (!epoch.positions.empty()) position = epoch.positions[0].offset.value();
  }
  std::uint64_t last = 0;
  int out_of_order = 0;
  std::size_t batches = 0;
  std::int64_t position = 0;
};

}  // namespace

TEST_CASE("a run works while others write, ask and order") {
  World world;
  Counter counter;
  constexpr int records = 2'000;
  {
    auto run = world.start(&counter);
    std::thread writer([&] {
      for (int i = 0; i < records; ++i) world.produce(i);
    });
    for (int i = 0; i < 20; ++i) {
      std::atomic<bool> paused{false};
      run->pause([&](const Result<void>& done) {
        CHECK(done.has_value());
        paused = true;
        paused.notify_all();
      });
      paused.wait(false);
      auto status = run->status();
      CHECK(status.state == RunState::paused);
      CHECK(status.rows_in == world.rows());
      CHECK(run->positions()[0].offset.value() == static_cast<std::int64_t>(world.rows()));
      run->resume();
    }
    writer.join();
    std::atomic<bool> there{false};
    run->run_to({{"in", PartitionId{0}, Offset{records}}}, [&](const Result<void>& done) {
      CHECK(done.has_value());
      there = true;
      there.notify_all();
    });
    there.wait(false);
    REQUIRE(run->wait().has_value());
    CHECK(world.rows() == records);
  }
  CHECK(counter.out_of_order == 0);
  CHECK(counter.position == records);
  CHECK(counter.batches > 0);
  // It was destroyed while it worked, and another one goes on.
  auto run = world.start();
  world.produce(records);
  std::atomic<bool> stopped{false};
  run->run_to({{"in", PartitionId{0}, Offset{records + 1}}}, [&](const Result<void>& done) {
    CHECK(done.has_value());
    stopped = true;
    stopped.notify_all();
  });
  stopped.wait(false);
  CHECK(world.rows() == records + 1);
}

TEST_CASE("a run that is destroyed tells who waits for it") {
  World world;
  std::string told;
  {
    auto run = world.start();
    run->run_to({{"in", PartitionId{0}, Offset{10}}},
                [&](const Result<void>& done) { told = done ? "fine" : done.error().what; });
  }
  CHECK(told == "the run of the version has ended");
}

TEST_SUITE_END();
