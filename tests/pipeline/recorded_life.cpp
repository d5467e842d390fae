#include "pipeline/recorded_life.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <utility>
#include <variant>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "file/file.h"
#include "pipeline/compare_topics.h"
#include "pipeline/epoch_record.h"
#include "pipeline/output_hash.h"
#include "plan/bound_plan.h"
#include "stream/pipeline.h"
#include "stream/task.h"

namespace leat::pipeline {

using namespace std::chrono_literals;

namespace {

plan::BoundPlan bound(const plan::Plan& plan) {
  auto bound = plan::bind(plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  return std::move(*bound);
}

const std::string& input_of(const plan::Source& source) {
  return source.topic.empty() ? source.file : source.topic;
}

}  // namespace

RecordedLife::RecordedLife(std::uint64_t seed, plan::Plan plan,
                           std::map<std::string, interpreter::Log> logs)
    : random_(seed),
      files_(executor_, seed),
      epochs_(topics_),
      plan_(std::move(plan)),
      logs_(std::move(logs)) {
  plan_.name = "p";
  plan_.mode = {};
  if (random_.one_in(4)) {
    plan_.mode.type = plan::Mode::Type::micro_batch;
    plan_.mode.trigger_ms = random_.between(1, 200);
  }
  for (auto& node : plan_.nodes) {
    if (auto* source = std::get_if<plan::Source>(&node.body)) source->idle_ms = 50;
    // What a batch alone can do.
    if (auto* sink = std::get_if<plan::Sink>(&node.body)) sink->replace.clear();
  }
  REQUIRE(files_.make_directories("/data"));
  REQUIRE(files_.sync_directory("/"));
  make_inputs();
  epochs_.set_commit([this](const std::string&, std::function<void()> apply, EpochLog::Done done) {
    commit(std::move(apply), std::move(done));
  });
}

void RecordedLife::make_inputs() {
  for (auto& node : plan_.nodes) {
    auto* source = std::get_if<plan::Source>(&node.body);
    if (source == nullptr) continue;
    const auto& log = logs_.at(input_of(*source));
    if (!source->topic.empty()) {
      auto partitions = static_cast<std::int32_t>(log.partitions.size());
      REQUIRE(topics_.create_topic(source->topic, partitions).has_value());
      next_[source->topic].resize(log.partitions.size(), 0);
      silent_[source->topic].resize(log.partitions.size(), 0);
      continue;
    }
    std::string text;
    for (const auto& record : log.partitions.at(0)) text += *record.value + "\n";
    std::string path = "/" + source->file;
    auto file = files_.open(path, file::OpenMode::create);
    REQUIRE(file.has_value());
    BytesView parts[] = {as_bytes(text)};
    REQUIRE((*file)->write_at(0, parts));
    REQUIRE((*file)->sync());
    REQUIRE(files_.sync_directory("/"));
    logs_[path] = log;
    source->file = path;
  }
}

VersionRun::Options RecordedLife::options(std::uint32_t version) {
  VersionRun::Options options;
  options.plan = plan_;
  options.pipeline = "p";
  options.version = version;
  if (version > 1) options.suffix = suffix_of(version);
  options.workers = 1 + random_.below(3);
  options.block_rows = std::vector<std::size_t>{1, 5, 64, 1024}[random_.below(4)];
  return options;
}

void RecordedLife::start(VersionRun::Options options) {
  run_.reset();
  started_ = options;
  run_ = VersionRun::start(std::move(options),
                           {topics_, files_, executor_, epochs_, "/data", &executor_});
}

void RecordedLife::commit(std::function<void()> apply, EpochLog::Done done) {
  auto pending = std::make_shared<Commit>(Commit{std::move(apply), std::move(done)});
  commits_.push_back(pending);
  auto durable = std::chrono::microseconds(random_.below(4'000));
  auto told = durable + std::chrono::microseconds(random_.below(2'000));
  bool fails = !calm_ && random_.one_in(80);
  bool counts = !fails || random_.one_in(2);
  executor_.after(durable, [pending, counts] {
    if (counts && pending->apply) pending->apply();
    pending->apply = nullptr;
  });
  executor_.after(told, [pending, fails] {
    pending->done(fails ? fail(Errc::storage_error, "the disk failed") : Result<void>());
  });
}

/// A few records more of each partition that is not silent. False if there were none left.
bool RecordedLife::append_some() {
  bool any = false;
  for (auto& [name, next] : next_) {
    const auto& log = logs_.at(name);
    for (std::size_t p = 0; p < next.size(); ++p) {
      const auto& records = log.partitions[p];
      any = any || next[p] < records.size();
      int& silent = silent_[name][p];
      if (silent > 0) --silent;
      if (silent == 0 && random_.one_in(12)) silent = static_cast<int>(random_.between(2, 12));
      if (silent > 0) continue;
      std::size_t most = std::max<std::size_t>(20, records.size() / 15);
      std::size_t count = std::min(records.size() - next[p], random_.below(most));
      auto from = records.begin() + static_cast<std::ptrdiff_t>(next[p]);
      append(name, p, {from, from + static_cast<std::ptrdiff_t>(count)});
      next[p] += count;
    }
  }
  return any;
}

void RecordedLife::append(const std::string& topic, std::size_t partition,
                          const std::vector<interpreter::Record>& records) {
  stream::OutputBatches batches;
  TopicPartition to{topics_.find_topic(topic)->id,
                    PartitionId{static_cast<std::int32_t>(partition)}};
  auto bytes = [](const std::optional<std::string>& text) {
    return text ? std::optional(as_bytes(*text)) : std::nullopt;
  };
  for (const auto& record : records) {
    batches.append(to, record.timestamp_ms, bytes(record.key), bytes(record.value));
  }
  for (auto& batch : batches.take()) {
    topics_.append(batch.partition, std::move(batch.bytes), [](const Result<Offset>&) {});
  }
}

void RecordedLife::live() {
  start(options(1));
  for (bool more = true; more;) {
    more = append_some();
    disturb();
    // Now and then long enough for snapshots, for silence to count, and for files to be shown.
    auto time = random_.one_in(6) ? std::chrono::milliseconds(random_.between(100, 15'000))
                                  : std::chrono::microseconds(random_.below(30'000));
    executor_.run_for(time);
    auto status = run_->status();
    if (status.state != RunState::failed) continue;
    bool expected = status.error->code == Errc::storage_error || files_.stopped();
    REQUIRE_MESSAGE(expected, status.error->what);
    crash(random_.one_in(2));
  }
  crash(false);
  calm_ = true;
  executor_.run_for(1min);
  run_->pause([](const Result<void>&) {});
  executor_.run_for(1s);
  finish(RunState::paused);
}

void RecordedLife::disturb() {
  switch (random_.below(9)) {
    case 0: return crash(false);
    case 1: return crash(true);
    case 2: return files_.stop_after(random_.below(40));
    case 3:
    case 4: return rest();
    default: return;
  }
}

void RecordedLife::crash(bool power) {
  ++deaths_;
  run_.reset();
  executor_.drop_all();
  // What was on its way may have come to the disk.
  for (auto& pending : commits_) {
    if (pending->apply && random_.one_in(2)) pending->apply();
    pending->apply = nullptr;
  }
  commits_.clear();
  power ? files_.power_loss() : files_.kill();
  auto again = started_;
  auto fresh = options(again.version);
  again.workers = fresh.workers;
  again.block_rows = fresh.block_rows;
  again.carried.reset();
  start(std::move(again));
}

void RecordedLife::rest() {
  run_->pause([](const Result<void>&) {});
  executor_.run_for(std::chrono::milliseconds(random_.below(200)));
  if (run_->status().state != RunState::paused || random_.one_in(2)) return run_->resume();
  std::optional<Result<HandedOver>> handed;
  run_->hand_over([&](Result<HandedOver> done) { handed = std::move(done); });
  executor_.run_for(1us);
  if (!handed || !*handed) return run_->resume();
  auto next = options(1);
  next.carried = std::move(**handed);
  start(std::move(next));
}

void RecordedLife::finish(RunState state) {
  auto status = run_->status();
  REQUIRE_MESSAGE(!status.error, status.error->what);
  REQUIRE(status.state == state);
  for (const auto& partition : status.partitions) CHECK(partition.lag_records == 0);
  run_.reset();
}

void RecordedLife::repeat() {
  auto replay = options(2);
  replay.repeat = "p.1";
  replay.to.emplace();
  if (random_.one_in(2)) replay.rows_per_s = static_cast<double>(random_.between(500, 5'000));
  start(std::move(replay));
  // A replay dies as well as what it repeats.
  for (auto times = random_.below(3); times > 0; --times) {
    executor_.run_for(std::chrono::milliseconds(random_.below(100)));
    if (run_->status().state != RunState::finished) crash(random_.one_in(2));
  }
  executor_.run_for(2min);
  finish(RunState::finished);
  compare_topics_with(suffix_of(2));
  compare_files_with(suffix_of(2));
}

/// As `leat pipeline replay --diff` does, and record by record.
void RecordedLife::compare_topics_with(const std::string& suffix) {
  Comparison comparison;
  for (const auto& name : output_topics(plan_)) {
    CAPTURE(name);
    Comparison::Topic compared;
    compared.name = name;
    auto topic = topics_.find_topic(name);
    REQUIRE(topic.has_value());
    for (std::int32_t p = 0; p < topic->partitions; ++p) {
      auto given = topics_.records(name, p), again = topics_.records(name + suffix, p);
      records_out_ += given.size();
      CHECK(given == again);
      auto end = [](const auto& records) {
        return Offset{static_cast<std::int64_t>(records.size())};
      };
      compared.live.push_back({name, PartitionId{p}, Offset{0}, end(given)});
      compared.other.push_back({name + suffix, PartitionId{p}, Offset{0}, end(again)});
    }
    comparison.topics.push_back(std::move(compared));
  }
  std::atomic<bool> stop{false};
  auto difference = compare_topics(topics_, comparison, stop);
  REQUIRE_MESSAGE(difference.has_value(), difference.error().what);
  CHECK(difference->is_identical);
  CHECK(difference->is_same());
  CHECK(difference->live_records == difference->other_records);
}

void RecordedLife::compare_files_with(const std::string& suffix) {
  for (const auto& node : plan_.nodes) {
    const auto* sink = std::get_if<plan::Sink>(&node.body);
    if (sink == nullptr || sink->files.empty()) continue;
    auto rows = file_rows(sink->files), again = file_rows(sink->files + suffix);
    records_out_ += rows.size();
    CHECK(fmt::format("{}", fmt::join(rows, "\n")) == fmt::format("{}", fmt::join(again, "\n")));
  }
}

/// Each with the folder that its file is in; sorted.
std::vector<std::string> RecordedLife::file_rows(const std::string& folder) {
  std::vector<std::string> rows;
  for (const auto& path : files_.file_paths()) {
    if (!path.starts_with(folder + "/") || path.find("/.leat/") != std::string::npos) continue;
    std::string place = path.substr(folder.size(), path.rfind('/') - folder.size());
    std::string text(as_text(*file::read_file(files_, path)));
    for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
      end = text.find('\n', begin);
      rows.push_back(place + " " + text.substr(begin, end - begin));
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<Record> RecordedLife::epochs_of_live() {
  std::vector<Record> all;
  for (const auto& bytes : epochs_.records("p.1")) {
    auto record = decode(bytes);
    REQUIRE_MESSAGE(record.has_value(), record.error().what);
    all.push_back(std::move(*record));
  }
  return all;
}

interpreter::Run RecordedLife::as_run(bool lifted) {
  interpreter::Run run;
  for (const auto& node : plan_.nodes) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source != nullptr) run.logs[node.name] = logs_.at(input_of(*source));
  }
  if (!lifted) return run;
  std::vector<BeginRecord::Input> inputs;
  for (const auto& record : epochs_of_live()) {
    if (const auto* begin = std::get_if<BeginRecord>(&record)) inputs = begin->inputs;
    const auto* epoch = std::get_if<EpochRecord>(&record);
    if (epoch == nullptr) continue;
    for (const auto& step : epoch->steps) {
      for (const auto& decision : step.step.decisions) {
        const auto& input = inputs.at(decision.input);
        auto& log = run.logs.at(plan_.nodes[input.source].name);
        log.lifted[{input.partition.value(), decision.offset.value()}] = decision.watermark;
        ++woken_;
      }
    }
  }
  return run;
}

/// The recorded steps, and behind them the end of event time, which a live run never sees.
void RecordedLife::end_live(const std::string& suffix) {
  stream::Task::Options task_options;
  task_options.exact = true;
  task_options.watch_idle = true;
  task_options.workers = 1 + random_.below(3);
  auto task = stream::Task::open(stream::shadow_of(plan_, suffix), topics_, &files_, executor_,
                                 task_options);
  REQUIRE_MESSAGE(task.has_value(), task.error().what);
  (*task)->discard_output(true);
  stream::OutputBatches out;
  auto check = [](const Result<void>& done) {
    REQUIRE_MESSAGE(done.has_value(), done.error().what);
  };
  for (const auto& record : epochs_of_live()) {
    const auto* epoch = std::get_if<EpochRecord>(&record);
    if (epoch == nullptr) continue;
    for (const auto& step : epoch->steps) check((*task)->repeat(step.step, out));
  }
  check((*task)->flush(out));
  for (auto& batch : out.take()) {
    topics_.append(batch.partition, std::move(batch.bytes), [](const Result<Offset>&) {});
  }
}

void RecordedLife::reprocess() {
  auto plan = bound(plan_);
  // What a plan gives when rows come is held to the judge by tests of the runtime: here the judge
  // would have to know when they came.
  bool judges = !asks_now(plan_) && !judges_arrival(plan);
  if (judges) {
    end_live(".ended");
    auto wanted = judged_results(plan, as_run(true));
    auto difference = text_of_difference(final_results(topics_, plan, ".ended"), wanted);
    CHECK_MESSAGE(difference.empty(), "live: ", difference);
    ++judged_;
  }
  reprocess_as({}, 3);
  reprocess_as({plan::Mode::Type::micro_batch, random_.between(1, 100), ""}, 4);
  reprocess_as({plan::Mode::Type::batch, 0, ""}, 5);
  if (asks_now(plan_)) return;
  auto first = final_results(topics_, plan, suffix_of(3));
  for (std::uint32_t version : {4u, 5u}) {
    auto found = final_results(topics_, plan, suffix_of(version));
    auto difference = text_of_difference(found, first);
    CHECK_MESSAGE(difference.empty(), "version ", version, " and 3: ", difference);
  }
  if (judges) {
    auto difference = text_of_difference(first, judged_results(plan, as_run(false)));
    CHECK_MESSAGE(difference.empty(), "version 3 and the judge: ", difference);
    ++judged_;
  }
  for (const auto& node : plan_.nodes) {
    const auto* sink = std::get_if<plan::Sink>(&node.body);
    if (sink == nullptr || sink->files.empty()) continue;
    auto rows = file_rows(sink->files + suffix_of(3));
    CHECK(rows == file_rows(sink->files + suffix_of(4)));
    CHECK(rows == file_rows(sink->files + suffix_of(5)));
  }
}

void RecordedLife::reprocess_as(plan::Mode mode, std::uint32_t version) {
  auto reprocessed = options(version);
  reprocessed.plan.mode = std::move(mode);
  reprocessed.to.emplace();
  reprocessed.flush = true;
  start(std::move(reprocessed));
  executor_.run_for(1min);
  finish(RunState::finished);
}

}  // namespace leat::pipeline
