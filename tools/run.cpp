// leat run: pipelines in the foreground, over a data directory that no server holds, or a cluster.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/clock.h"
#include "base/logging.h"
#include "file/posix_file_system.h"
#include "pipeline/broker_epochs.h"
#include "plan/bound_plan.h"
#include "remote/remote_topics.h"
#include "stream/data_directory.h"
#include "stream/explain.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/foreground_run.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/plan_files.h"
#include "tools/progress.h"
#include "tools/stall_watch.h"

namespace leat::tools {

namespace {

constexpr std::int64_t default_memory_mib = 1024;
constexpr const char* default_data = "./leat-data";

struct RunOptions {
  std::vector<std::string> files;
  std::optional<std::string> data;
  std::optional<std::string> brokers;
  std::vector<std::string> values;
  bool batch = false;
  bool fresh = false;
  bool explain = false;
  std::optional<std::int64_t> workers;
  std::optional<std::int64_t> memory_mib;
};

bool reads_topics(const plan::Plan& plan) {
  return std::any_of(plan.nodes.begin(), plan.nodes.end(), [](const plan::Node& node) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    return source != nullptr && !source->topic.empty();
  });
}

int explain(const std::vector<plan::Plan>& plans) {
  Output output;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    auto bound = plan::bind(plans[i]);
    if (!bound) return fail_command(bound.error());
    output.print((i > 0 ? "\n" : "") + stream::explain(*bound));
  }
  output.flush();
  return exit_ok;
}

/// The topics of a data directory or of a cluster.
class Topics {
 public:
  /// A data directory is made if missing, but not to look for topics in it.
  Result<void> open(const RunOptions& options, bool reads_topics, const Interrupt& interrupt);
  stream::TopicStore& store() {
    return cluster_ ? static_cast<stream::TopicStore&>(*cluster_) : directory_->topics();
  }
  /// Of the data directory; null for a cluster.
  pipeline::EpochStore* epochs() { return epochs_ ? &*epochs_ : nullptr; }

 private:
  file::PosixFileSystem files_;
  SystemClock clock_;
  std::unique_ptr<stream::DataDirectory> directory_;
  std::optional<pipeline::BrokerEpochs> epochs_;
  std::unique_ptr<remote::RemoteTopics> cluster_;
};

Result<void> Topics::open(const RunOptions& options, bool reads_topics,
                          const Interrupt& interrupt) {
  if (options.brokers) {
    cluster_ =
        std::make_unique<remote::RemoteTopics>(client_options(*options.brokers, interrupt.token()));
    return {};
  }
  broker::BrokerOptions broker;
  broker.store.directory = options.data.value_or(default_data);
  if (reads_topics) {
    auto there = files_.exists(broker.store.directory + "/format");
    if (!there) return fail(there);
    if (!*there) {
      return fail(Errc::not_found,
                  fmt::format("{} is no data directory: it has no file 'format'. Give the one that "
                              "has the topics with -d, or a server's address with -b",
                              broker.store.directory));
    }
  }
  auto directory =
      stream::DataDirectory::open(broker, files_, clock_, Random(std::random_device{}()));
  if (!directory) return fail(directory);
  directory_ = std::move(*directory);
  epochs_.emplace(directory_->broker(), directory_->topics());
  return {};
}

/// Runs of all plans, each on a thread of its own.
class Runs {
 public:
  Runs(const RunOptions& options, const Interrupt& interrupt)
      : options_(options), interrupt_(interrupt) {}

  Result<void> open(std::vector<plan::Plan> plans, Topics& topics);
  /// Until all have ended, one has failed, or the user wants to stop.
  Result<void> run();
  void report();
  bool has_batch() const {
    return std::find(is_batch_.begin(), is_batch_.end(), true) != is_batch_.end();
  }

 private:
  Result<std::unique_ptr<ForegroundRun>> open_one(plan::Plan plan, Topics& topics);
  RunGround ground(Topics& topics);
  Result<void> print(std::string_view lines);
  void tell_beginnings();
  void tell_stalls();
  void tell(const std::string& name, const std::string& what);
  std::string line() const;

  const RunOptions& options_;
  const Interrupt& interrupt_;
  file::PosixFileSystem files_;
  SystemClock clock_;
  std::mutex output_mutex_;
  Output output_;  // guarded by output_mutex_
  std::vector<std::string> names_;
  std::vector<bool> is_batch_;
  std::vector<bool> reads_topics_;
  std::vector<std::unique_ptr<ForegroundRun>> runs_;
  std::vector<StallWatch> stalls_;
  Progress progress_;
};

// Several pipelines may write there.
Result<void> Runs::print(std::string_view lines) {
  std::lock_guard lock(output_mutex_);
  output_.print(lines);
  output_.flush();
  return output_.failed() ? fail(Errc::io_error, "not everything was printed") : Result<void>();
}

RunGround Runs::ground(Topics& topics) {
  RunGround ground{topics.store(), files_, clock_};
  std::int64_t cores = std::max<std::int64_t>(std::thread::hardware_concurrency(), 1);
  ground.workers = static_cast<std::size_t>(options_.workers.value_or(cores));
  ground.state_bytes_max =
      static_cast<std::size_t>(options_.memory_mib.value_or(default_memory_mib)) << 20;
  ground.console = [this](std::string_view lines) { return print(lines); };
  return ground;
}

Result<std::unique_ptr<ForegroundRun>> Runs::open_one(plan::Plan plan, Topics& topics) {
  bool is_batch = options_.batch || plan.mode.type == plan::Mode::Type::batch;
  is_batch_.push_back(is_batch);
  if (is_batch || topics.epochs() == nullptr) {
    return make_plain_run(std::move(plan), ground(topics), is_batch);
  }
  return make_resuming_run(
      std::move(plan), ground(topics),
      {*topics.epochs(), options_.data.value_or(default_data), options_.fresh});
}

Result<void> Runs::open(std::vector<plan::Plan> plans, Topics& topics) {
  for (auto& plan : plans) {
    if (std::find(names_.begin(), names_.end(), plan.name) != names_.end()) {
      return fail(
          Errc::invalid_argument,
          fmt::format("two plans are called {}, and what they keep goes by the name", plan.name));
    }
    names_.push_back(plan.name);
    reads_topics_.push_back(reads_topics(plan));
    auto run = open_one(std::move(plan), topics);
    if (!run) return fail(run);
    runs_.push_back(std::move(*run));
  }
  return {};
}

Result<void> Runs::run() {
  for (auto& run : runs_) run->start();
  stalls_.resize(runs_.size());
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (is_batch_[i] || reads_topics_[i]) continue;
    tell(names_[i],
         "reads files alone, once, to their end: it waits there until Ctrl-C, and windows stay "
         "open. With --batch they close, and it ends");
  }
  bool stopping = false;
  while (true) {
    constexpr int look_ms = 100;
    pollfd wake{stopping ? -1 : interrupt_.wake_fd(), POLLIN, 0};
    ::poll(&wake, 1, look_ms);
    bool running = false, failed = false;
    for (auto& run : runs_) {
      RunFigures figures = run->figures();
      running = running || figures.is_running;
      failed = failed || figures.has_failed;
    }
    tell_beginnings();
    tell_stalls();
    if (!running) break;
    if ((failed || interrupt_.requested()) && !std::exchange(stopping, true)) {
      for (auto& run : runs_) run->stop();
    }
    progress_.show([&] { return line(); });
  }
  Result<void> result;
  for (auto& run : runs_) {
    auto ended = run->wait();
    if (result) result = ended;
  }
  return result;
}

void Runs::tell_beginnings() {
  for (auto& run : runs_) {
    auto beginning = run->take_beginning();
    if (!beginning) continue;
    progress_.wipe();
    fmt::print(stderr, "{}\n", *beginning);
  }
}

void Runs::tell_stalls() {
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (is_batch_[i]) continue;
    auto stall = stalls_[i].look(runs_[i]->figures(), clock_.monotonic());
    if (stall) tell(names_[i], *stall);
  }
}

void Runs::tell(const std::string& name, const std::string& what) {
  progress_.wipe();
  fmt::print(stderr, "{}: {}\n", name, what);
}

std::string Runs::line() const {
  std::uint64_t in = 0, out = 0;
  std::int64_t left = 0;
  std::optional<RunFigures> slowest;
  for (const auto& run : runs_) {
    RunFigures figures = run->figures();
    in += figures.rows_in;
    out += figures.rows_out;
    left += figures.records_left;
    if (!slowest || figures.watermark < slowest->watermark) slowest = figures;
  }
  return fmt::format("{} rows in, {} out, {} records behind; {}", in, out, left,
                     slowest ? slowest->event_time : "");
}

void Runs::report() {
  progress_.wipe();
  double seconds = std::max(progress_.seconds(), 1e-6);
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    RunFigures figures = runs_[i]->figures();
    fmt::print(stderr, "{}: {} rows in, {} out, {} late, {} bad in {:.2f} s, {:.0f} rows/s\n",
               names_[i], figures.rows_in, figures.rows_out, figures.late, figures.bad, seconds,
               static_cast<double>(figures.rows_in) / seconds);
    // Windows that are open stay unwritten: here is why. One that was refused has none.
    bool was_refused = figures.has_failed && figures.rows_in == 0;
    if (!is_batch_[i] && !was_refused)
      fmt::print(stderr, "{}: {}\n", names_[i], figures.event_time);
  }
}

Result<std::vector<plan::Plan>> read_plans(const RunOptions& options) {
  auto values = parse_parameters(options.values);
  if (!values) return fail(values);
  PlanFiles files(std::move(*values), SystemClock().wall_ms());
  std::vector<plan::Plan> plans;
  for (const auto& path : options.files) {
    auto plan = files.read(path);
    if (!plan) return fail(plan);
    plans.push_back(std::move(*plan));
  }
  if (auto used = files.check_all_used(); !used) return fail(used);
  return plans;
}

int run(const RunOptions& options) {
  set_log_level(LogLevel::warning);
  auto read = read_plans(options);
  if (!read) return fail_command(read.error());
  std::vector<plan::Plan>& plans = *read;
  if (options.explain) return explain(plans);
  if (options.workers.value_or(1) < 1) {
    return fail_command({Errc::invalid_argument, "--workers must be at least 1"});
  }
  constexpr std::int64_t memory_mib_max = std::int64_t{1} << 33;
  std::int64_t memory_mib = options.memory_mib.value_or(default_memory_mib);
  if (memory_mib < 1 || memory_mib > memory_mib_max) {
    return fail_command(
        {Errc::invalid_argument, fmt::format("--memory must be from 1 to {} MiB", memory_mib_max)});
  }
  if (options.data && options.brokers) {
    return fail_command({Errc::invalid_argument, "-d and -b exclude each other"});
  }
  if (options.fresh && (options.brokers || options.batch)) {
    return fail_command({Errc::invalid_argument,
                         "--fresh is for runs that go on where they stopped: those of a data "
                         "directory, without --batch"});
  }
  Interrupt interrupt;
  Topics topics;
  bool any_reads = std::any_of(plans.begin(), plans.end(), reads_topics);
  if (auto opened = topics.open(options, any_reads, interrupt); !opened) {
    return fail_command(opened.error());
  }
  Runs runs(options, interrupt);
  auto opened = runs.open(std::move(plans), topics);
  if (!opened && interrupt.requested()) return interrupt.exit_code();
  if (!opened) return fail_command(opened.error());
  auto ran = runs.run();
  runs.report();
  if (!ran) return fail_command(ran.error());
  // A live run has no other end.
  return interrupt.requested() && runs.has_batch() ? interrupt.exit_code() : exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<RunOptions>();
  arguments.positionals("FILE", options->files, "Plans as JSON; - for stdin", true);
  arguments.option("-d,--data DIR", options->data,
                   "The data directory whose topics they read and write, ./leat-data if not said");
  arguments.option("-b,--brokers HOST:PORT", options->brokers,
                   "The cluster whose topics they read and write instead: HOST:PORT[,HOST:PORT]");
  arguments.option("--set NAME=VALUE", options->values, set_help);
  arguments.flag("--batch", options->batch,
                 "Read what is there when it starts, close all windows, and end");
  arguments.flag("--fresh", options->fresh,
                 "Begin at the start of the topics, with nothing of what earlier runs kept");
  arguments.flag("--explain", options->explain, "Print what the plans do, and run nothing");
  arguments.option("--workers N", options->workers,
                   "Threads of each plan that share its work; as many as there are cores");
  arguments.option("--memory MIB", options->memory_mib,
                   "What the operators of a plan may keep, 1024 if not said; more ends the run");
  arguments.run([options] { return run(*options); });
}

}  // namespace

const Command run_command{
    "run", "Runs pipelines in the foreground",
    "  leat run daily.plan.json --batch       what is there now, then ends\n"
    "  leat run fraud.plan.json               as records come, until Ctrl-C\n"
    "  leat run fraud.plan.json               the next time: goes on where it stopped\n"
    "  leat run daily.plan.json --explain     what the plan does\n"
    "  leat run daily.plan.json --batch --set date=2026-03-02\n"
    "                                         with that in the place of ${date}\n"
    "  leat run fraud.plan.json -b broker-1:9092\n"
    "                                         over a cluster's topics\n"
    "A plan names its sources and sinks. Results for the console are on stdout, all else on\n"
    "stderr. ${NAME:-DEFAULT} in a plan stands for DEFAULT where no value is given.\n"
    "\n"
    "Over a data directory a run goes on where the one before stopped or was killed, and what it\n"
    "writes to topics is there once: what it needs for that is kept there, under the plan's name.\n"
    "A plan that has changed needs --fresh. With --batch, or over brokers, each run begins at the\n"
    "start; over brokers a micro-batch tells what has changed at once.\n",
    declare};

}  // namespace leat::tools
