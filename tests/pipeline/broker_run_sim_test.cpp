// Runs over a broker on a simulated disk, whose power is cut: what readers of committed records see
// in the end is what each step gave, once, in their order; and a copy is what was copied.
//
// LEAT_SIM_SEEDS is how many stories there are, LEAT_SIM_FIRST the first one's seed.
#include <deque>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/logging.h"
#include "base/metrics.h"
#include "broker/broker.h"
#include "file/fake_file_system.h"
#include "pipeline/broker_epochs.h"
#include "pipeline/play.h"
#include "record/record.h"
#include "shards.h"
#include "sim/crash_points.h"
#include "sim/operator.h"
#include "sim/seeds.h"
#include "stream/broker_topics.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// The run's thread: what is posted to it waits until it is its turn.
class RunThread final : public Executor {
 public:
  explicit RunThread(SimExecutor& machine) : machine_(machine) {}
  void post(Work work) override { queue_.push_back(std::move(work)); }
  TimerId after(std::chrono::nanoseconds delay, Work work) override {
    auto shared = std::make_shared<Work>(std::move(work));
    return machine_.after(delay, [this, shared] { post(std::move(*shared)); });
  }
  void cancel(TimerId timer) override { machine_.cancel(timer); }
  bool idle() const { return queue_.empty(); }
  void run_one() {
    Work work = std::move(queue_.front());
    queue_.pop_front();
    work();
  }
  void drop_all() { queue_.clear(); }

 private:
  SimExecutor& machine_;
  std::deque<Work> queue_;
};

/// Copies "in" to "out", counts by second into "counts", and writes files.
plan::Plan story_plan() {
  return plan_of("", R"("bad_rows": {"policy": "skip"},)", "",
                 R"({"name": "w", "type": "window", "input": "in", "keys": ["k"],
                     "window": {"kind": "tumbling", "size_ms": 1000}, "late_topic": "late",
                     "aggregates": [{"function": "count", "name": "rows"}]},
                    {"name": "counts", "type": "sink", "topic": "counts", "input": "w"},
                    {"name": "files", "type": "sink", "files": "/out", "input": "in"},)");
}

class BrokerStory {
 public:
  explicit BrokerStory(std::uint64_t seed, bool is_verbose = false,
                       const sim::CrashPoint* point = nullptr)
      : seed_(seed),
        is_verbose_(is_verbose),
        point_(point),
        random_(seed),
        shards_(machine_, seed, 1 + seed % 3),
        files_(machine_, seed ^ 0x5eed),
        crasher_(files_, point, seed ^ 0xc4a5),
        thread_(machine_) {
    options_.store.directory = "/data/leat";
    options_.store.owner = "pid 1";
    options_.store.free_bytes_min = 0;
    options_.store.scrub_bytes_per_second = 0;
    options_.store.journal_bytes = std::uint64_t{1} << 20;
    REQUIRE(files_.make_directories("/data"));
    REQUIRE(files_.sync_directory("/"));
  }
  ~BrokerStory() { let_go(); }

  /// Fails by itself where something is wrong.
  std::string run() {
    CAPTURE(seed_);
    CAPTURE(point_ == nullptr ? "" : point_->name);
    tell();
    if (is_verbose_) fmt::print("seed {}: copied {}\n", seed_, copied_);
    return "";
  }
  /// How often the process died at the point.
  int crashes() const { return crasher_.times(); }

  void tell() {
    for (auto lives = random_.between(2, 6); lives > 0; --lives) {
      open();
      if (random_.one_in(3)) crasher_.stop_after(random_.below(300));
      live();
      crasher_.stop_after(random_.below(60));
      pass(std::chrono::milliseconds(random_.below(100)));
      die();
    }
    crasher_.begin_end();
    open();
    come_to_end();
    compare();
  }

  std::uint64_t deaths_in_recovery() const { return deaths_in_recovery_; }
  std::uint64_t copied() const { return copied_; }

 private:
  void open() {
    crasher_.begin_life();
    while (true) {
      auto opened =
          broker::Broker::open({files_, machine_, machine_, metrics_, shards_.executors()},
                               options_, Random(random_.next()));
      if (opened) {
        broker_ = std::move(*opened);
        break;
      }
      REQUIRE_MESSAGE(sim::allow_recovery(files_, options_.store.directory, opened.error()),
                      opened.error().what);
    }
    crasher_.now(sim::Doing::anything);
    topics_ = std::make_unique<stream::BrokerTopics>(*broker_, [this] { return pump(); });
    epochs_ = std::make_unique<BrokerEpochs>(*broker_, *topics_);
    auto topic = topics_->create_topic("in", partitions);
    REQUIRE_MESSAGE(topic.has_value(), topic.error().what);
    in_ = *topic;
    start(version_options(1));
  }

  // What waits for the broker has it work meanwhile; if its process is dead, not for ever.
  bool pump() {
    constexpr int patience = 5'000;
    if (files_.stopped() && ++pumped_dead_ > patience) return false;
    return machine_.run_one();
  }

  VersionRun::Options version_options(std::uint32_t version) {
    VersionRun::Options options;
    options.plan = story_plan();
    options.pipeline = "p";
    options.version = version;
    options.block_rows = std::vector<std::size_t>{1, 7, 1024}[random_.below(3)];
    if (version > 1) options.suffix = suffix_of(version);
    return options;
  }
  void start(VersionRun::Options options) {
    run_ = VersionRun::start(std::move(options), {*topics_, files_, machine_, *epochs_,
                                                  options_.store.directory, &thread_});
  }

  void pass(std::chrono::nanoseconds time) {
    auto over = std::make_shared<bool>(false);
    machine_.after(time, [over] { *over = true; });
    while (!*over) {
      if (!thread_.idle() && random_.one_in(2)) {
        thread_.run_one();
      } else if (!machine_.run_one()) {
        break;
      }
    }
    bool failed = run_->status().state == RunState::failed;
    if (failed && !files_.stopped()) FAIL(run_->status().error->what);
  }

  void live() {
    for (auto turns = random_.between(1, 12); turns > 0; --turns) {
      produce();
      pass(random_.one_in(5) ? std::chrono::milliseconds(random_.between(5'000, 40'000))
                             : std::chrono::microseconds(random_.below(30'000)));
      if (random_.one_in(6)) rest();
    }
  }

  void produce() {
    for (auto batches = random_.below(4); batches > 0; --batches) {
      stream::OutputBatches out;
      TopicPartition to{in_.id, PartitionId{static_cast<std::int32_t>(random_.below(partitions))}};
      for (auto records = random_.between(1, 8); records > 0; --records) {
        time_ms_ += static_cast<std::int64_t>(random_.below(200));
        std::int64_t time_ms = time_ms_ - (random_.one_in(9) ? 3'000 : 0);
        std::string value = fmt::format(R"({{"t": {}, "k": "k{}", "n": {}}})", time_ms,
                                        random_.below(3), ++number_);
        out.append(to, time_ms, {}, as_bytes(value));
      }
      for (auto& batch : out.take()) {
        topics_->append(batch.partition, std::move(batch.bytes), [](const Result<Offset>&) {});
      }
    }
  }

  void rest() {
    run_->pause([](const Result<void>&) {});
    pass(50ms);
    if (run_->status().state == RunState::paused && random_.one_in(2)) {
      auto handed = std::make_shared<std::optional<Result<HandedOver>>>();
      run_->hand_over([handed](Result<HandedOver> done) { *handed = std::move(done); });
      pass(1ms);
      if (*handed && **handed) {
        auto options = version_options(1);
        options.carried = std::move(***handed);
        run_.reset();
        start(std::move(options));
        return;
      }
    }
    run_->resume();
  }

  void let_go() {
    thread_.drop_all();
    machine_.drop_all();
    run_.reset();
    epochs_.reset();
    topics_.reset();
    broker_.reset();
  }

  void die() {
    if (run_->status().state == RunState::recovering) ++deaths_in_recovery_;
    random_.one_in(2) ? files_.power_loss() : files_.kill();
    let_go();
    pumped_dead_ = 0;
  }

  void settle(RunState state) {
    for (int i = 0; i < 200 && run_->status().state != state; ++i) pass(500ms);
    auto status = run_->status();
    REQUIRE_MESSAGE(!status.error, status.error->what);
    REQUIRE(status.state == state);
  }

  void come_to_end() {
    produce();
    pass(1min);
    settle(RunState::running);
    for (const auto& partition : run_->status().partitions) CHECK(partition.lag_records == 0);
    run_->pause([](const Result<void>&) {});
    settle(RunState::paused);
    run_.reset();
    thread_.drop_all();
    auto replay = version_options(2);
    replay.repeat = "p.1";
    replay.to.emplace();
    start(std::move(replay));
    settle(RunState::finished);
    run_.reset();
    thread_.drop_all();
  }

  std::vector<std::string> records(const std::string& name, std::int32_t partition) {
    std::vector<std::string> all;
    auto topic = topics_->find_topic(name);
    REQUIRE_MESSAGE(topic.has_value(), topic.error().what);
    auto reader = *topics_->open(*topic);
    auto [next, end] = (*reader->readable()).at(static_cast<std::size_t>(partition));
    while (next < end) {
      auto batches = reader->read(PartitionId{partition}, next, 1);
      REQUIRE_MESSAGE(batches.has_value(), batches.error().what);
      auto batch = record::BatchView::parse(batches->bytes);
      REQUIRE(batch.has_value());
      next = batch->next_offset();
      if (batch->is_control()) continue;
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        std::string line = std::to_string(record->timestamp_ms);
        for (const auto& header : record->headers) {
          line += fmt::format(" {}={}", header.key, as_text(*header.value));
        }
        all.push_back(line + " " + std::string(as_text(*record->value)));
      }
    }
    return all;
  }

  std::string number_of(const std::string& line) {
    auto at = line.find("\"n\":") + 4;
    at = line.find_first_not_of(' ', at);
    return line.substr(at, line.find('}', at) - at);
  }

  std::vector<std::string> numbers_of(std::vector<std::string> lines) {
    for (auto& line : lines) line = number_of(line);
    return lines;
  }

  void compare() {
    std::vector<std::string> in_files, in_topic;
    for (std::int32_t p = 0; p < partitions; ++p) {
      CAPTURE(p);
      for (const std::string name : {"out", "counts", "late"}) {
        CAPTURE(name);
        auto given = records(name, p), again = records(name + ".v2", p);
        CHECK(fmt::format("{}", fmt::join(given, "\n")) ==
              fmt::format("{}", fmt::join(again, "\n")));
      }
      auto in = numbers_of(records("in", p)), out = numbers_of(records("out", p));
      CHECK(fmt::format("{}", fmt::join(out, " ")) == fmt::format("{}", fmt::join(in, " ")));
      copied_ += out.size();
      in_topic.insert(in_topic.end(), out.begin(), out.end());
    }
    for (const auto& path : files_.file_paths()) {
      if (!path.starts_with("/out/") || path.find("/.leat/") != std::string::npos) continue;
      std::string text(as_text(*file::read_file(files_, path)));
      for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
        end = text.find('\n', begin);
        in_files.push_back(number_of(text.substr(begin, end - begin)));
      }
    }
    std::sort(in_files.begin(), in_files.end());
    std::sort(in_topic.begin(), in_topic.end());
    CHECK(in_files == in_topic);
  }

  static constexpr std::int32_t partitions = 2;

  const std::uint64_t seed_;
  const bool is_verbose_;
  const sim::CrashPoint* const point_;
  Random random_;
  SimExecutor machine_;
  testing::SimShards shards_;
  file::FakeFileSystem files_;
  sim::Crasher crasher_;
  RunThread thread_;
  Metrics metrics_;
  broker::BrokerOptions options_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<stream::BrokerTopics> topics_;
  std::unique_ptr<BrokerEpochs> epochs_;
  std::unique_ptr<VersionRun> run_;
  stream::Topic in_;
  std::int64_t time_ms_ = 1'000'000;
  int number_ = 0;
  int pumped_dead_ = 0;
  std::uint64_t deaths_in_recovery_ = 0;
  std::uint64_t copied_ = 0;
};

}  // namespace

TEST_CASE("over a broker whose power is cut each record is in the output once, and in its order") {
  sim::Telling telling;
  std::uint64_t first = sim::number_from("LEAT_SIM_FIRST", 1);
  std::uint64_t seeds = sim::number_from("LEAT_SIM_SEEDS", 100);
  std::uint64_t copied = 0, deaths = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    CAPTURE(seed);
    sim::current_seed = seed;
    BrokerStory story(seed);
    story.tell();
    copied += story.copied();
    deaths += story.deaths_in_recovery();
  }
  CHECK(copied > 0);
  if (seeds >= 100) CHECK(deaths > 0);
}

TEST_CASE(
    "a pipeline that dies at a named step of an epoch, of its files or of a snapshot goes on "
    "there") {
  sim::check_points<BrokerStory>(sim::Story::pipelines);
}

TEST_SUITE_END();
