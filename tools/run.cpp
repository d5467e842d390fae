// leat run: pipelines in the foreground, over a data directory that no server holds, or a cluster.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/clock.h"
#include "base/logging.h"
#include "column/timestamp.h"
#include "file/posix_file_system.h"
#include "plan/bound_plan.h"
#include "remote/remote_topics.h"
#include "stream/data_directory.h"
#include "stream/explain.h"
#include "stream/runner.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/progress.h"

namespace leat::tools {

namespace {

constexpr std::int64_t default_memory_mib = 1024;
constexpr const char* default_data = "./leat-data";

struct RunOptions {
  std::vector<std::string> files;
  std::optional<std::string> data;
  std::optional<std::string> brokers;
  bool batch = false;
  bool explain = false;
  std::optional<std::int64_t> workers;
  std::optional<std::int64_t> memory_mib;
};

Result<plan::Plan> read_plan(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
  } else {
    std::ifstream in(path, std::ios::binary);
    if (!in.is_open()) {
      return fail(Errc::io_error, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    }
    text << in.rdbuf();
  }
  auto plan = plan::parse(text.str());
  if (!plan) return fail(plan.error().code, fmt::format("{}: {}", path, plan.error().what));
  auto bound = plan::bind(*plan);
  if (!bound) return fail(bound.error().code, fmt::format("{}: {}", path, bound.error().what));
  return plan;
}

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

// "event time is at 2015-09-12T00:45:00Z, held back by partition 2 of edits"
std::string event_time_text(const stream::Progress& progress) {
  if (progress.watermark == stream::watermark_max) return "all windows are closed";
  std::string text = "event time has not begun";
  if (progress.watermark != stream::watermark_min) {
    text = "event time is at ";
    column::append_timestamp(text, {progress.watermark});
  }
  if (!progress.held_back_by) return text + ", all partitions are idle";
  const auto& partition = progress.partitions[*progress.held_back_by];
  bool silent = partition.watermark == stream::watermark_min;
  return fmt::format("{}, held back by partition {} of {}{}", text, partition.id.value(),
                     partition.name, silent ? ", which has given no row" : "");
}

/// Runs of all plans, each on a thread of its own.
class Runs {
 public:
  Runs(const RunOptions& options, const Interrupt& interrupt)
      : options_(options), interrupt_(interrupt) {}

  Result<void> open(std::vector<plan::Plan> plans, stream::TopicStore& store);
  /// Until all have ended, one has failed, or the user wants to stop.
  Result<void> run();
  void report();

 private:
  std::string line() const;

  const RunOptions& options_;
  const Interrupt& interrupt_;
  file::PosixFileSystem files_;
  SystemClock clock_;
  std::mutex output_mutex_;
  Output output_;  // guarded by output_mutex_
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<stream::Runner>> runners_;
  Progress progress_;
};

Result<void> Runs::open(std::vector<plan::Plan> plans, stream::TopicStore& store) {
  stream::RunOptions run;
  run.at_end = options_.batch ? stream::AtEnd::flush : stream::AtEnd::wait;
  std::int64_t cores = std::max<std::int64_t>(std::thread::hardware_concurrency(), 1);
  run.workers = static_cast<std::size_t>(options_.workers.value_or(cores));
  run.state_bytes_max = static_cast<std::size_t>(options_.memory_mib.value_or(default_memory_mib))
                        << 20;
  // Several pipelines may write there.
  run.console = [this](std::string_view lines) {
    std::lock_guard lock(output_mutex_);
    output_.print(lines);
    output_.flush();
    return output_.failed() ? fail(Errc::io_error, "not everything was printed") : Result<void>();
  };
  for (auto& plan : plans) {
    names_.push_back(plan.name);
    auto runner = stream::Runner::open(std::move(plan), store, &files_, clock_, run);
    if (!runner) return fail(runner);
    runners_.push_back(std::move(*runner));
  }
  return {};
}

Result<void> Runs::run() {
  for (auto& runner : runners_) runner->start();
  bool stopping = false;
  while (true) {
    constexpr int look_ms = 100;
    pollfd wake{stopping ? -1 : interrupt_.wake_fd(), POLLIN, 0};
    ::poll(&wake, 1, look_ms);
    bool running = false, failed = false;
    for (auto& runner : runners_) {
      auto state = runner->status().state;
      running = running || state == stream::RunState::running;
      failed = failed || state == stream::RunState::failed;
    }
    if (!running) break;
    if ((failed || interrupt_.requested()) && !std::exchange(stopping, true)) {
      for (auto& runner : runners_) runner->stop();
    }
    progress_.show([&] { return line(); });
  }
  Result<void> result;
  for (auto& runner : runners_) {
    auto ended = runner->wait();
    if (result) result = ended;
  }
  return result;
}

std::string Runs::line() const {
  std::uint64_t in = 0, out = 0;
  std::int64_t left = 0;
  std::optional<stream::Progress> slowest;
  for (const auto& runner : runners_) {
    stream::RunStatus status = runner->status();
    in += status.progress.rows_in;
    out += status.progress.rows_out;
    if (!slowest || status.progress.watermark < slowest->watermark) slowest = status.progress;
    for (std::size_t i = 0; i < status.progress.partitions.size(); ++i) {
      if (!status.ends[i]) continue;
      left += std::max<std::int64_t>(
          status.ends[i]->value() - status.progress.partitions[i].position.value(), 0);
    }
  }
  return fmt::format("{} rows in, {} out, {} records behind; {}", in, out, left,
                     slowest ? event_time_text(*slowest) : "");
}

void Runs::report() {
  progress_.wipe();
  double seconds = std::max(progress_.seconds(), 1e-6);
  for (std::size_t i = 0; i < runners_.size(); ++i) {
    const auto progress = runners_[i]->status().progress;
    fmt::print(stderr, "{}: {} rows in, {} out, {} late, {} bad in {:.2f} s, {:.0f} rows/s\n",
               names_[i], progress.rows_in, progress.rows_out, progress.late, progress.bad, seconds,
               static_cast<double>(progress.rows_in) / seconds);
    // Windows that are open stay unwritten: here is why.
    if (!options_.batch) {
      fmt::print(stderr, "{}: {}\n", names_[i], event_time_text(progress));
    }
  }
}

/// The topics of a data directory or of a cluster.
class Topics {
 public:
  /// A data directory is made if missing, but not to look for topics in it.
  Result<void> open(const RunOptions& options, bool reads_topics, const Interrupt& interrupt);
  stream::TopicStore& store() {
    return cluster_ ? static_cast<stream::TopicStore&>(*cluster_) : directory_->topics();
  }

 private:
  file::PosixFileSystem files_;
  SystemClock clock_;
  std::unique_ptr<stream::DataDirectory> directory_;
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
  return {};
}

int run(const RunOptions& options) {
  set_log_level(LogLevel::warning);
  std::vector<plan::Plan> plans;
  for (const auto& path : options.files) {
    auto plan = read_plan(path);
    if (!plan) return fail_command(plan.error());
    plans.push_back(std::move(*plan));
  }
  if (options.explain) return explain(plans);
  if (options.workers.value_or(1) < 1) {
    return fail_command({Errc::invalid_argument, "--workers must be at least 1"});
  }
  if (options.data && options.brokers) {
    return fail_command({Errc::invalid_argument, "-d and -b exclude each other"});
  }
  Interrupt interrupt;
  Topics topics;
  bool any_reads = std::any_of(plans.begin(), plans.end(), reads_topics);
  if (auto opened = topics.open(options, any_reads, interrupt); !opened) {
    return fail_command(opened.error());
  }
  Runs runs(options, interrupt);
  auto opened = runs.open(std::move(plans), topics.store());
  if (!opened && interrupt.requested()) return interrupt.exit_code();
  if (!opened) return fail_command(opened.error());
  auto ran = runs.run();
  runs.report();
  if (!ran) return fail_command(ran.error());
  // A live run has no other end.
  return interrupt.requested() && options.batch ? interrupt.exit_code() : exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<RunOptions>();
  arguments.positionals("FILE", options->files, "Plans as JSON; - for stdin", true);
  arguments.option("-d,--data DIR", options->data,
                   "The data directory whose topics they read and write, ./leat-data if not said");
  arguments.option("-b,--brokers HOST:PORT", options->brokers,
                   "The cluster whose topics they read and write instead: HOST:PORT[,HOST:PORT]");
  arguments.flag("--batch", options->batch,
                 "Read what is there when it starts, close all windows, and end");
  arguments.flag("--explain", options->explain, "Print what the plans do, and run nothing");
  arguments.option("--workers N", options->workers,
                   "Threads of each plan that share its work; as many as there are cores");
  arguments.option("--memory MIB", options->memory_mib,
                   "What the operators of a plan may keep, 1024 if not said; more ends the run");
  arguments.run([options] { return run(*options); });
}

}  // namespace

const Command run_command{"run", "Runs pipelines in the foreground",
                          "  leat run daily.plan.json --batch       what is there now, then ends\n"
                          "  leat run fraud.plan.json               as records come, until Ctrl-C\n"
                          "  leat run daily.plan.json --explain     what the plan does\n"
                          "  leat run fraud.plan.json -b broker-1:9092\n"
                          "                                         over a cluster's topics\n"
                          "A plan names its sources and sinks. Results for the console are on "
                          "stdout, all else on stderr.",
                          declare};

}  // namespace leat::tools
