// Runs of random plans that are killed at any moment: what is in the topics and files in the end is
// what the recorded steps give when nothing disturbs them, each record once, in their order; and of
// a bounded run it is what a plain run gives.
//
// Commits become durable after a while, are told of after another, or fail, whether they are
// durable or not. LEAT_SIM_SEEDS is how many stories there are, LEAT_SIM_FIRST the first one's
// seed.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/logging.h"
#include "interpreter/random_pipeline.h"
#include "pipeline/output_hash.h"
#include "pipeline/play.h"
#include "plan/bound_plan.h"
#include "stream/node_operators.h"
#include "stream/pipeline.h"
#include "stream/runner.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* wanted = std::getenv(name);
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : otherwise;
}

/// How often what happened, over all stories.
std::map<std::string, int>& happened() {
  static std::map<std::string, int> counts;
  return counts;
}

/// A plan and its log, and a version of it that is killed, paused and stopped at random.
class Story {
 public:
  explicit Story(std::uint64_t seed)
      : random_(seed), files_(executor_, seed), epochs_(topics_), bounded_(seed % 3 == 0) {
    plan_ = interpreter::random_pipeline(random_, static_cast<int>(random_.between(1, 4)));
    for (auto& node : plan_.nodes) {
      if (auto* source = std::get_if<plan::Source>(&node.body)) source->idle_ms = 50;
    }
    if (random_.one_in(2)) add_files();
    plan_.name = "p";
    logs_["a"] = interpreter::random_log(random_, 1 + random_.below(4), 80);
    logs_["b"] = interpreter::random_log(random_, 1 + random_.below(3), 40);
    REQUIRE(files_.make_directories("/data"));
    REQUIRE(files_.sync_directory("/"));
    for (const auto& [name, log] : logs_) {
      REQUIRE(topics_.create_topic(name, static_cast<std::int32_t>(log.partitions.size())));
      next_[name].resize(log.partitions.size(), 0);
    }
    epochs_.set_commit([this](const std::string&, std::function<void()> apply,
                              EpochLog::Done done) { commit(std::move(apply), std::move(done)); });
  }

  const plan::Plan& plan() const { return plan_; }

  void tell() {
    while (bounded_ && append_some()) continue;
    open();
    bool more = true;
    for (int turn = 0; more || turn < 12; ++turn) {
      more = append_some();
      disturb();
      pass();
    }
    come_to_end();
    compare_with_replay();
    if (bounded_) compare_with_plain_run();
  }

 private:
  void add_files() {
    auto bound = plan::bind(plan_);
    REQUIRE(bound.has_value());
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
      const auto* sink = std::get_if<plan::Sink>(&plan_.nodes[i].body);
      if (sink == nullptr || bound->nodes[bound->nodes[i].inputs[0]].revises) continue;
      plan::Sink files;
      files.input = sink->input;
      files.files = "/out";
      files_of_ = sink->topic;
      plan_.nodes.push_back({"files", std::move(files)});
      return;
    }
  }

  VersionRun::Options options() {
    VersionRun::Options options;
    options.plan = plan_;
    options.pipeline = "p";
    options.workers = 1 + random_.below(3);
    options.block_rows = std::vector<std::size_t>{1, 5, 64, 1024}[random_.below(4)];
    if (random_.one_in(3)) options.rows_per_s = static_cast<double>(random_.between(50, 5'000));
    if (bounded_) options.to.emplace();
    options.flush = bounded_;
    return options;
  }
  std::unique_ptr<VersionRun> start(VersionRun::Options options) {
    return VersionRun::start(std::move(options),
                             {topics_, files_, executor_, epochs_, "/data", &executor_});
  }
  void open() { run_ = start(options()); }

  void commit(std::function<void()> apply, EpochLog::Done done) {
    auto pending = std::make_shared<Commit>(Commit{std::move(apply), std::move(done)});
    commits_.push_back(pending);
    auto durable = std::chrono::microseconds(random_.below(4'000));
    auto told = durable + std::chrono::microseconds(random_.below(2'000));
    bool fails = calm_ ? false : random_.one_in(60);
    bool counts = !fails || random_.one_in(2);
    executor_.after(durable, [pending, counts] {
      if (counts) std::exchange(pending->apply, nullptr)();
      pending->apply = nullptr;
    });
    executor_.after(told, [pending, fails] {
      if (fails) ++happened()["a commit fails"];
      pending->done(fails ? fail(Errc::storage_error, "the disk failed") : Result<void>());
    });
  }

  /// A few records more of each partition. False if there were none left.
  bool append_some() {
    bool any = false;
    for (const auto& [name, log] : logs_) {
      auto topic = topics_.find_topic(name);
      for (std::size_t p = 0; p < log.partitions.size(); ++p) {
        std::size_t& next = next_[name][p];
        std::size_t count = std::min(log.partitions[p].size() - next, random_.below(20));
        any = any || next < log.partitions[p].size();
        stream::OutputBatches batches;
        TopicPartition to{topic->id, PartitionId{static_cast<std::int32_t>(p)}};
        for (std::size_t i = next; i < next + count; ++i) {
          const auto& record = log.partitions[p][i];
          auto bytes = [](const std::optional<std::string>& text) {
            return text ? std::optional(as_bytes(*text)) : std::nullopt;
          };
          batches.append(to, record.timestamp_ms, bytes(record.key), bytes(record.value));
        }
        for (auto& batch : batches.take()) {
          topics_.append(batch.partition, std::move(batch.bytes), [](const Result<Offset>&) {});
        }
        next += count;
      }
    }
    return any;
  }

  void pass() {
    // Now and then long enough for snapshots, and for files to be shown.
    auto time = random_.one_in(6) ? std::chrono::milliseconds(random_.between(5'000, 40'000))
                                  : std::chrono::microseconds(random_.below(30'000));
    executor_.run_for(time);
    if (run_->status().state != RunState::failed) return;
    auto error = *run_->status().error;
    bool expected = error.code == Errc::storage_error || files_.stopped();
    REQUIRE_MESSAGE(expected, error.what);
    crash(random_.one_in(2));
  }

  void disturb() {
    switch (random_.below(9)) {
      case 0: return crash(false);
      case 1: return crash(true);
      case 2: return files_.stop_after(random_.below(40));
      case 3: return rest_and_go_on();
      case 4: return stop_and_start();
      case 5: return run_->set_rows_per_s(random_.one_in(2) ? 0 : 300);
      case 6: return cut();
      default: return;
    }
  }

  void crash(bool power) {
    ++happened()[power ? "the machine dies" : "the process dies"];
    if (run_->status().state == RunState::recovering) ++happened()["it dies while it recovers"];
    run_.reset();
    executor_.drop_all();
    // What was on its way may have come to the disk.
    for (auto& pending : commits_) {
      bool arrived = pending->apply && random_.one_in(2);
      if (arrived) std::exchange(pending->apply, nullptr)();
      happened()["a commit counts that nobody was told of"] += arrived ? 1 : 0;
    }
    commits_.clear();
    power ? files_.power_loss() : files_.kill();
    open();
  }

  void rest_and_go_on() {
    bool hands_over = random_.one_in(2);
    run_->pause([](const Result<void>&) {});
    executor_.run_for(std::chrono::milliseconds(random_.below(200)));
    if (run_->status().state != RunState::paused) return run_->resume();
    ++happened()["it rests"];
    if (!hands_over) return run_->resume();
    std::optional<Result<HandedOver>> handed;
    run_->hand_over([&](Result<HandedOver> done) { handed = std::move(done); });
    executor_.run_for(1us);
    if (!handed || !*handed) return run_->resume();
    ++happened()["it is handed over"];
    auto next = options();
    next.carried = std::move(**handed);
    run_.reset();
    run_ = start(std::move(next));
  }

  void stop_and_start() {
    run_->stop([](const Result<void>&) {});
    executor_.run_for(std::chrono::milliseconds(random_.below(200)));
    if (run_->status().state == RunState::stopped) {
      ++happened()["it is stopped"];
      open();
    } else if (run_->status().state != RunState::failed) {
      crash(false);
    }
  }

  // Stops somewhere between where it is and what there is, or a little behind.
  void cut() {
    Positions positions;
    for (const auto& partition : run_->status().partitions) {
      std::int64_t end = partition.end.value_or(partition.position).value();
      std::int64_t at =
          std::max(end - static_cast<std::int64_t>(random_.below(10)), partition.position.value());
      if (random_.one_in(2)) positions.push_back({partition.name, partition.partition, Offset{at}});
    }
    std::optional<Result<void>> reached;
    run_->run_to(positions, [&](Result<void> done) { reached = std::move(done); });
    executor_.run_for(2s);
    bool there = reached && *reached;
    happened()["it stops where it was asked to"] += there ? 1 : 0;
    in_order_ = in_order_ && !there;
    if (there) {
      for (const auto& wanted : positions) {
        auto at = run_->positions();
        CHECK(std::find(at.begin(), at.end(), wanted) != at.end());
      }
    }
    run_->resume();
    // What is called must not be called behind this.
    executor_.run_for(1us);
    if (!reached && run_->status().state != RunState::failed) crash(false);
  }

  // Nothing disturbs it any more.
  void come_to_end() {
    while (append_some()) continue;
    crash(random_.one_in(2));
    calm_ = true;
    run_->set_rows_per_s(0);
    executor_.run_for(1min);
    run_->pause([](const Result<void>&) {});
    executor_.run_for(1s);
    auto status = run_->status();
    REQUIRE_MESSAGE(!status.error, status.error->what);
    CHECK(status.state == (bounded_ ? RunState::finished : RunState::paused));
    for (const auto& partition : status.partitions) CHECK(partition.lag_records == 0);
    happened()["it goes on from a snapshot"] += status.recovery.snapshot_epoch ? 1 : 0;
    run_.reset();
  }

  void compare_with_replay() {
    auto replay = options();
    replay.version = 2;
    replay.suffix = suffix_of(2);
    replay.repeat = "p.1";
    replay.to.emplace();
    replay.rows_per_s = 0;
    run_ = start(std::move(replay));
    executor_.run_for(1min);
    auto status = run_->status();
    REQUIRE_MESSAGE(!status.error, status.error->what);
    CHECK(status.state == RunState::finished);
    run_.reset();
    for (const auto& name : output_topics(plan_)) {
      CAPTURE(name);
      auto topic = topics_.find_topic(name);
      REQUIRE(topic.has_value());
      for (std::int32_t p = 0; p < topic->partitions; ++p) {
        CHECK(topics_.records(name, p) == topics_.records(name + ".v2", p));
      }
    }
    if (files_of_.empty()) return;
    auto rows = rows_in("/out/");
    CHECK(rows == rows_in("/out.v2/"));
    std::vector<std::string> in_topic;
    auto topic = topics_.find_topic(files_of_);
    for (std::int32_t p = 0; p < topic->partitions; ++p) {
      for (const auto& record : topics_.records(files_of_, p)) in_topic.push_back(*record.value);
    }
    std::sort(in_topic.begin(), in_topic.end());
    CHECK(rows == in_topic);
    happened()["rows of files"] += static_cast<int>(rows.size());
  }

  /// Sorted.
  std::vector<std::string> rows_in(const std::string& folder) {
    std::vector<std::string> rows;
    for (const auto& path : files_.file_paths()) {
      if (!path.starts_with(folder) || path.find("/.leat/") != std::string::npos) continue;
      std::string text(as_text(*file::read_file(files_, path)));
      for (std::size_t begin = 0; begin < text.size();) {
        std::size_t end = text.find('\n', begin);
        rows.push_back(text.substr(begin, end - begin));
        begin = end + 1;
      }
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  /// What stands in the end, of rows that may be taken back.
  std::map<std::string, int> last_word(const std::string& name) {
    std::map<std::string, int> counts;
    auto topic = topics_.find_topic(name);
    for (std::int32_t p = 0; p < topic->partitions; ++p) {
      for (const auto& record : topics_.records(name, p)) {
        std::string kind;
        for (const auto& [header, value] : record.headers) kind = value;
        bool gone = kind == "update_before" || kind == "delete";
        counts[fmt::format("{} {} {}", record.timestamp_ms, record.key.value_or("-"),
                           record.value.value_or("-"))] += gone ? -1 : 1;
      }
    }
    std::erase_if(counts, [](const auto& count) { return count.second == 0; });
    return counts;
  }

  // Whether a plain run may give something else: it takes rows in their order, and reads tables
  // whole before the first row. A run that is told where to stop reads some partitions only.
  bool depends_on_order() {
    auto bound = plan::bind(plan_);
    return std::any_of(bound->nodes.begin(), bound->nodes.end(),
                       [](const auto& node) { return stream::traits_of(node).judges_arrival; });
  }

  void compare_with_plain_run() {
    if (plan::print(plan_).find(R"("call":"now")") != std::string::npos) return;
    if (!in_order_ && depends_on_order()) return;
    ++happened()["it is compared with a plain run"];
    plan::Plan plain = stream::shadow_of(plan_, ".plain");
    auto runner =
        stream::Runner::open(plain, topics_, &files_, executor_, {.at_end = stream::AtEnd::flush});
    REQUIRE_MESSAGE(runner.has_value(), runner.error().what);
    auto ran = (*runner)->run();
    REQUIRE_MESSAGE(ran.has_value(), ran.error().what);
    for (const auto& node : plan_.nodes) {
      const auto* sink = std::get_if<plan::Sink>(&node.body);
      if (sink == nullptr || sink->topic.empty()) continue;
      CAPTURE(sink->topic);
      CHECK(last_word(sink->topic) == last_word(sink->topic + ".plain"));
    }
  }

  struct Commit {
    std::function<void()> apply;
    EpochLog::Done done;
  };

  Random random_;
  SimExecutor executor_;
  file::FakeFileSystem files_;
  stream::MemoryTopics topics_;
  MemoryEpochs epochs_;
  plan::Plan plan_;
  std::string files_of_;  // the topic that gets the same rows as the files
  std::map<std::string, interpreter::Log> logs_;
  std::map<std::string, std::vector<std::size_t>> next_;
  const bool bounded_;
  bool calm_ = false;
  bool in_order_ = true;  // rows were taken as one run without end would take them
  std::vector<std::shared_ptr<Commit>> commits_;
  std::unique_ptr<VersionRun> run_;
};

}  // namespace

TEST_CASE("however often a run is killed, its output is that of its steps, each record once") {
  set_log_level(LogLevel::none);
  std::uint64_t first = number_from("LEAT_SIM_FIRST", 1);
  std::uint64_t seeds = number_from("LEAT_SIM_SEEDS", 300);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    CAPTURE(seed);
    Story story(seed);
    CAPTURE(plan::print(story.plan()));
    story.tell();
  }
  set_log_level(LogLevel::info);
  for (const auto& [what, count] : happened()) {
    if (std::getenv("LEAT_SIM_SEEDS") != nullptr) MESSAGE(what << ": " << count);
    if (seeds >= 300) CHECK_MESSAGE(count > 0, what);
  }
}

TEST_SUITE_END();
