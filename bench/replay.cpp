// How fast history is replayed, from a log on disk to a topic in the same log: edits per channel in
// windows of five minutes, and large edits as they are, which is a plan that takes rows in the
// order of time, over partitions that take turns in it. Beside simdjson on-demand reading the same
// three fields of the same events from one buffer in memory and doing nothing else. On one core,
// then on two. Last the windows over Kafka's protocol, from a server with the same log, which has
// the other core. Before that the windows as a version of a pipeline, exactly once in epochs.
//
//   bench-replay [--records N] [--partitions P] [--directory DIR]
//
// Makes its log in DIR (build/bench-replay), some 470 bytes a record, and removes it. The records
// are the day of edits in tests/data again and again, each time a day later and by other users;
// keyed by channel over P (4) partitions, in batches of 500, not compressed. N is a million unless
// given.
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <simdjson.h>
#include <zlib.h>

#include "appends.h"
#include "base/logging.h"
#include "processes.h"
#include "column/timestamp.h"
#include "file/posix_file_system.h"
#include "pipeline/broker_epochs.h"
#include "pipeline/version_run.h"
#include "remote/remote_topics.h"
#include "stream/data_directory.h"
#include "stream/pipeline.h"
#include "stream/runner.h"

using namespace leat;
using namespace leat::stream;
using bench::quit;
using bench::take;
using column::Type;

namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr int rounds = 5;

struct Settings {
  std::size_t records = 1'000'000;
  std::int32_t partitions = 4;
  std::string directory = "build/bench-replay";
};

Settings settings_of(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    if (i + 1 == argc) quit("usage: bench-replay [--records N] [--partitions P] [--directory DIR]");
    if (name == "--records") settings.records = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--partitions") settings.partitions = std::atoi(argv[i + 1]);
    if (name == "--directory") settings.directory = argv[i + 1];
  }
  if (settings.records == 0 || settings.partitions <= 0) quit("nothing to do");
  return settings;
}

/// The events, one after the other.
class Edits {
 public:
  Edits() {
    gzFile file = gzopen("tests/data/wikipedia-edits.jsonl.gz", "rb");
    if (file == nullptr) quit("run it at the root of the repository");
    std::string line(1 << 20, '\0');
    while (gzgets(file, line.data(), static_cast<int>(line.size())) != nullptr) {
      lines_.emplace_back(line.c_str());
      if (lines_.back().ends_with('\n')) lines_.back().pop_back();
    }
    gzclose(file);
  }

  /// The `n`-th; its channel is `key`.
  const std::string& make(std::size_t n, std::string_view& key) {
    std::size_t copy = n / lines_.size();
    constexpr std::string_view first_day = "2015-09-12";
    if (copy != copy_ || day_.empty()) {
      copy_ = copy;
      day_.clear();
      auto start_ms = column::parse_timestamp("2015-09-12T00:00:00Z")->ms;
      column::append_timestamp(day_, {start_ms + static_cast<std::int64_t>(copy) * day_ms});
      day_.resize(first_day.size());
    }
    edit_ = lines_[n % lines_.size()];
    edit_.replace(edit_.find(first_day), first_day.size(), day_);
    if (copy > 0) edit_.insert(edit_.find("\"user\":\"") + 8, std::to_string(copy));
    std::size_t channel = edit_.find("\"channel\":\"") + 11;
    key = std::string_view(edit_).substr(channel, edit_.find('"', channel) - channel);
    return edit_;
  }

 private:
  std::vector<std::string> lines_;
  std::size_t copy_ = 0;
  std::string day_;
  std::string edit_;
};

/// The data directory, and the threads that go with it, on the cores that the caller may use.
class Log {
 public:
  explicit Log(const std::string& path) {
    broker::BrokerOptions options;
    options.store.directory = path;
    directory_ = take(DataDirectory::open(options, files_, clock_, Random::from_entropy()));
  }
  BrokerTopics& topics() { return directory_->topics(); }
  broker::Broker& broker() { return directory_->broker(); }
  file::FileSystem& files() { return files_; }
  const Clock& clock() const { return clock_; }

 private:
  SystemClock clock_;
  file::PosixFileSystem files_;
  std::unique_ptr<DataDirectory> directory_;
};

/// Appends all events and waits until they are durable.
void load(const Settings& settings, Edits& edits) {
  Log log(settings.directory);
  Topic topic = take(log.topics().create_topic("edits", settings.partitions));
  bench::Appends appends(log.topics(), topic, {.batch_records = 500});
  for (std::size_t n = 0; n < settings.records; ++n) {
    std::string_view key;
    const std::string& edit = edits.make(n, key);
    appends.add(0, key, edit);
  }
  appends.send_all();
  appends.wait();
}

/// Some of the events as JSON in one padded buffer: enough to be no matter of caches.
struct Buffer {
  static constexpr std::size_t events_max = 1'000'000;
  Buffer(const Settings& settings, Edits& edits) {
    std::size_t events = std::min(settings.records, events_max);
    text.reserve(events * 512);
    for (std::size_t n = 0; n < events; ++n) {
      std::string_view key;
      text += edits.make(n, key);
      ends.push_back(text.size());
    }
    text.append(simdjson::SIMDJSON_PADDING, ' ');
  }
  std::string text;
  std::vector<std::size_t> ends;
};

std::uint64_t read_fields(const Buffer& buffer) {
  simdjson::ondemand::parser parser;
  std::uint64_t sum = 0;
  std::size_t begin = 0;
  for (std::size_t end : buffer.ends) {
    simdjson::padded_string_view padded(buffer.text.data() + begin, end - begin,
                                        buffer.text.size() - begin);
    auto document = parser.iterate(padded);
    std::string_view time, channel;
    std::int64_t added = 0;
    if (document["time"].get(time) || document["channel"].get(channel) ||
        document["added"].get(added)) {
      quit("simdjson does not find a field");
    }
    sum += time.size() + channel.size() + static_cast<std::uint64_t>(added);
    begin = end;
  }
  return sum;
}

/// Seconds by the wall's clock, and of all threads' CPU.
struct Seconds {
  double wall = 1e9;
  double cpu = 1e9;
};

double now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// The machine is shared: the best of several rounds is nearest to what the work takes.
void measure(Seconds& best, auto work) {
  double wall = now(CLOCK_MONOTONIC);
  double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  work();
  best.wall = std::min(best.wall, now(CLOCK_MONOTONIC) - wall);
  best.cpu = std::min(best.cpu, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

/// This thread, and those that it starts from now on, run on the first `cores` of those allowed.
void use_cores(int cores) {
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return set;
  }();
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&set) < cores; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &set);
  }
  if (CPU_COUNT(&set) < cores) quit(fmt::format("there are not {} cores", cores));
  sched_setaffinity(0, sizeof set, &set);
}

Pipeline edits() {
  return Pipeline::from("edits")
      .json({{"time", Type::timestamp}, {"channel", Type::text}, {"added", Type::bigint}})
      .event_time("time");
}

struct Replay {
  const char* name;
  Result<plan::Plan> (*plan)(const std::string& sink);
};

constexpr Replay windows{"windows", [](const std::string& sink) {
                           return edits()
                               .key_by({"channel"})
                               .tumble(std::chrono::minutes(5))
                               .aggregate({count("edits"), sum("added", "added")})
                               .into(sink);
                         }};

constexpr Replay large{
    "large", [](const std::string& sink) {
      auto size = plan::literal({Type::bigint}, std::int64_t{10'000});
      return edits().filter(plan::call(">", {plan::col("added"), size})).into(sink);
    }};

/// The seconds of a replay that was not the first one.
Seconds compare(const Settings& settings, const Buffer& buffer, int cores, const Replay& of) {
  use_cores(cores);
  Log log(settings.directory);
  Seconds fields, first, replay;
  Progress progress;
  std::uint64_t sum = 0;
  for (int round = 0; round < rounds; ++round) {
    measure(fields, [&] { sum += read_fields(buffer); });
    plan::Plan plan = take(of.plan(fmt::format("{}-{}-{}", of.name, cores, round)));
    RunOptions options{.at_end = AtEnd::flush};
    options.workers = static_cast<std::size_t>(cores);
    auto runner = take(Runner::open(plan, log.topics(), nullptr, log.clock(), options));
    // The first one checks every batch, since they are from before this log was opened.
    measure(round == 0 ? first : replay, [&] { take(runner->run()); });
    progress = runner->status().progress;
  }
  if (progress.rows_in != settings.records) quit("some records were not read");
  auto events = static_cast<double>(settings.records);
  double field_events = static_cast<double>(buffer.ends.size());
  double fields_rate = field_events / std::min(fields.wall, fields.cpu) / 1e6;
  auto of_wall = [&](const Seconds& s) { return events / s.wall / 1e6; };
  auto of_cpu = [&](const Seconds& s) { return events / s.cpu / 1e6 * cores; };
  double full = fields_rate * cores;
  fmt::print(
      "{} on {} core(s): simdjson fields {:.2f} M events/s a core; replay {:.2f} M/s, ratio {:.2f} "
      "(by CPU time {:.2f} M/s, ratio {:.2f}); first replay, with checksums, ratio {:.2f} "
      "({:.2f}); {} rows out, {} late, checksum {}\n",
      of.name, cores, fields_rate, of_wall(replay), of_wall(replay) / full, of_cpu(replay),
      of_cpu(replay) / full, of_wall(first) / full, of_cpu(first) / full, progress.rows_out,
      progress.late, sum);
  return replay;
}

/// The windows as a version of a pipeline, in epochs, beside the same replay without: in turns,
/// since the machine is shared.
void compare_epochs(const Settings& settings, int cores) {
  use_cores(cores);
  Log log(settings.directory);
  pipeline::BrokerEpochs epochs(log.broker(), log.topics());
  Seconds plain, versioned;
  pipeline::VersionStatus status;
  for (int round = 0; round < rounds; ++round) {
    auto name = [&](const char* kind) { return fmt::format("{}-{}-{}", kind, cores, round); };
    RunOptions options{.at_end = AtEnd::flush};
    options.workers = static_cast<std::size_t>(cores);
    auto runner = take(Runner::open(take(windows.plan(name("plain"))), log.topics(), nullptr,
                                    log.clock(), options));
    measure(plain, [&] { take(runner->run()); });
    pipeline::VersionRun::Options version;
    version.plan = take(windows.plan(name("epochs")));
    version.pipeline = version.plan.name;
    version.to.emplace();
    version.flush = true;
    version.workers = options.workers;
    measure(versioned, [&] {
      auto run = pipeline::VersionRun::start(
          version, {log.topics(), log.files(), log.clock(), epochs, settings.directory});
      take(run->wait());
      status = run->status();
    });
    if (status.rows_in != settings.records) quit("some records were not read");
  }
  auto events = static_cast<double>(settings.records);
  fmt::print(
      "windows in epochs on {} core(s): {:.2f} M events/s, {:.2f} of that without ({:.2f} M/s); "
      "CPU "
      "time {:.2f} times as much; {} epochs, {:.0f} a second\n",
      cores, events / versioned.wall / 1e6, plain.wall / versioned.wall, events / plain.wall / 1e6,
      versioned.cpu / plain.cpu, status.epochs,
      static_cast<double>(status.epochs) / versioned.wall);
}

/// Beside what a replay on one core takes within the process that has the log.
void compare_protocol(const Settings& settings, const Seconds& local) {
  use_cores(2);
  auto places = bench::find_places("bench-replay-server");
  use_cores(1);
  bench::ServerProcess server({places.leat, "serve", "--data", settings.directory, "--listen",
                               "127.0.0.1:0", "--http", "127.0.0.1:0"},
                              places.data, places.server_core);
  ClientOptions options;
  options.brokers = server.address();
  remote::RemoteTopics topics(options);
  SystemClock clock;
  Seconds replay;
  double server_cpu = 1e9;
  for (int round = 0; round < rounds; ++round) {
    plan::Plan plan = take(windows.plan(fmt::format("windows-remote-{}", round)));
    auto runner =
        take(Runner::open(plan, topics, nullptr, clock, {.at_end = AtEnd::flush, .workers = 1}));
    double before = server.cpu();
    measure(replay, [&] { take(runner->run()); });
    server_cpu = std::min(server_cpu, server.cpu() - before);
    if (runner->status().progress.rows_in != settings.records) quit("some records were not read");
  }
  auto events = static_cast<double>(settings.records);
  fmt::print(
      "over Kafka's protocol, the server on the other core: replay {:.2f} M/s, {:.2f} of that over "
      "the log itself; CPU time {:.2f} of it, and {:.2f} of it for the server\n",
      events / replay.wall / 1e6, local.wall / replay.wall, replay.cpu / local.cpu,
      server_cpu / local.cpu);
}

}  // namespace

int main(int argc, char** argv) {
  set_log_level(LogLevel::warning);
  Settings settings = settings_of(argc, argv);
  std::error_code ignored;
  std::filesystem::remove_all(settings.directory, ignored);
  {
    Edits edits;
    Buffer buffer(settings, edits);
    load(settings, edits);
    fmt::print("{} events of {} bytes, {} partitions\n", settings.records,
               buffer.text.size() / buffer.ends.size(), settings.partitions);
    Seconds local = compare(settings, buffer, 1, windows);
    compare(settings, buffer, 1, large);
    compare(settings, buffer, 2, windows);
    compare(settings, buffer, 2, large);
    compare_epochs(settings, 1);
    compare_epochs(settings, 2);
    compare_protocol(settings, local);
  }
  std::filesystem::remove_all(settings.directory, ignored);
}
