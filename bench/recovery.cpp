// How soon a pipeline commits again behind a kill -9: a count by key over so many keys, in windows
// that stay open, so that all of them are state. A child reads all there is, goes on reading what
// arrives, and is killed; the next one says how long it took until its first commit, and what of
// that was reading the snapshot and repeating steps. Beside it, in the same run: reading the same
// bytes from a file, and making a hash table of so many keys, which is the least that a start of
// such a state can do.
//
//   bench-recovery [--keys N] [--directory DIR]
//
// With one million keys and ten, or N. The counts in the end are compared with what was appended.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "appends.h"
#include "base/logging.h"
#include "file/posix_file_system.h"
#include "pipeline/broker_epochs.h"
#include "pipeline/snapshots.h"
#include "pipeline/version_run.h"
#include "record/batch.h"
#include "record/record.h"
#include "stream/data_directory.h"

using namespace leat;
using bench::quit;
using bench::take;
using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::int32_t partitions = 4;
constexpr std::int64_t start_ms = 1'772'409'600'000;
constexpr std::int64_t day_ms = 86'400'000;
/// What arrives behind the snapshot before the kill: a tenth of the keys once more.
constexpr std::uint64_t more_part = 10;

double ms_since(Steady::time_point begun) {
  return std::chrono::duration<double, std::milli>(Steady::now() - begun).count();
}

constexpr const char* plan_text = R"({"version": 1, "name": "counts", "nodes": [
  {"name": "in", "type": "source", "topic": "in", "event_time": "t", "columns": [
    {"name": "t", "type": "timestamp"}, {"name": "k", "type": "bigint"}]},
  {"name": "counted", "type": "window", "input": "in", "keys": ["k"],
   "window": {"kind": "tumbling", "size_ms": 86400000},
   "aggregates": [{"name": "rows", "function": "count"}]},
  {"name": "total", "type": "window", "input": "counted",
   "window": {"kind": "tumbling", "size_ms": 86400000}, "keys": [],
   "aggregates": [{"name": "keys", "function": "count"},
                  {"name": "rows", "function": "sum", "argument": {"column": "rows"}}]},
  {"name": "out", "type": "sink", "input": "total", "topic": "out"}]})";

/// The data directory and a version of the pipeline in it.
class Process {
 public:
  explicit Process(const std::string& path) : path_(path) {
    broker::BrokerOptions options;
    options.store.directory = path;
    directory_ = take(stream::DataDirectory::open(options, files_, clock_, Random::from_entropy()));
    epochs_ = std::make_unique<pipeline::BrokerEpochs>(directory_->broker(), topics());
    in_ = take(topics().create_topic("in", partitions));
  }
  stream::BrokerTopics& topics() { return directory_->topics(); }
  file::FileSystem& files() { return files_; }

  /// Keys `[begin, end)`, each once, at `time_ms`.
  void append(std::uint64_t begin, std::uint64_t end, std::int64_t time_ms) {
    bench::Appends appends(topics(), in_, {.batch_records = 2'000});
    std::string value;
    for (auto key = begin; key < end; ++key) {
      value.clear();
      fmt::format_to(std::back_inserter(value), R"({{"t":{},"k":{}}})", time_ms, key);
      appends.add_to(key % partitions, time_ms, {}, value);
    }
    appends.send_all();
    appends.wait();
  }

  void start(pipeline::EpochObserver* observer) {
    pipeline::VersionRun::Options options;
    options.plan = take(plan::parse(plan_text));
    options.pipeline = "counts";
    options.workers = std::max(std::thread::hardware_concurrency(), 1U);
    options.state_bytes_max = std::size_t{8} << 30;
    options.observer = observer;
    run_ = pipeline::VersionRun::start(
        std::move(options), {topics(), files_, clock_, *epochs_, path_, nullptr, nullptr});
  }
  pipeline::VersionRun& run() { return *run_; }
  pipeline::VersionStatus status() {
    auto status = run_->status();
    if (status.error) quit(status.error->what);
    return status;
  }
  void wait_for_rows(std::uint64_t rows) {
    while (status().rows_in < rows) std::this_thread::sleep_for(20ms);
  }

 private:
  const std::string path_;
  SystemClock clock_;
  file::PosixFileSystem files_;
  std::unique_ptr<stream::DataDirectory> directory_;
  std::unique_ptr<pipeline::BrokerEpochs> epochs_;
  stream::Topic in_;
  std::unique_ptr<pipeline::VersionRun> run_;
};

/// Runs `work` in a child that is killed when it says so, which is when it is through.
template <class Work>
void in_killed_child(Work work) {
  int ends[2];
  if (::pipe(ends) != 0) quit("no pipe");
  pid_t child = ::fork();
  if (child < 0) quit("no process");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    char done = 1;
    if (::write(ends[1], &done, 1) != 1) std::abort();
    while (true) ::pause();
  }
  ::close(ends[1]);
  char done = 0;
  bool is_through = ::read(ends[0], &done, 1) == 1;
  ::close(ends[0]);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  if (!is_through) quit("the child has failed");
}

/// Reads all keys, waits for a snapshot of them, reads a tenth more.
void live(const std::string& path, std::uint64_t keys) {
  Process process(path);
  process.append(0, keys, start_ms);
  process.start(nullptr);
  process.wait_for_rows(keys);
  while (true) {
    auto status = process.status();
    if (status.snapshot && status.state_bytes > 0) {
      // One of all keys, or one that is nearly that: the next ones are further away.
      if (status.snapshot->bytes >= keys * 8) break;
    }
    // A snapshot is taken when an epoch is committed, and worth it when something was read.
    process.append(0, 1'000, start_ms);
    std::this_thread::sleep_for(50ms);
  }
  process.append(0, keys / more_part, start_ms);
  auto rows = process.status().rows_in;
  while (true) {
    std::this_thread::sleep_for(100ms);
    auto now = process.status();
    std::int64_t behind = 0;
    for (const auto& partition : now.partitions) behind += partition.lag_records;
    if (now.rows_in == rows && behind == 0) break;
    rows = now.rows_in;
  }
}

/// Says when the run has recovered, and when it committed the first epoch behind that.
class FirstCommit final : public pipeline::EpochObserver {
 public:
  explicit FirstCommit(Steady::time_point begun) : begun_(begun) {}
  void recovered(std::uint64_t, operators::Watermark, const pipeline::Positions&) override {
    recovered_ms_ = ms_since(begun_);
  }
  void committed(const pipeline::CommittedEpoch& epoch) override {
    if (committed_ms_ == 0) committed_ms_ = ms_since(begun_);
    for (const auto& batch : epoch.output) output_ += batch.bytes.empty() ? 0 : 1;
  }
  double recovered_ms() const { return recovered_ms_; }
  double committed_ms() const { return committed_ms_; }
  bool has_output() const { return output_ > 0; }

 private:
  const Steady::time_point begun_;
  std::atomic<double> recovered_ms_{0};
  std::atomic<double> committed_ms_{0};
  std::atomic<int> output_{0};
};

/// Of the least: reading the bytes, and a table of the keys.
struct Reference {
  double read_ms = 0;
  double table_ms = 0;
  std::uint64_t bytes = 0;
};

Reference reference(const std::string& path, std::uint64_t keys) {
  Reference reference;
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path + "/pipelines")) {
    if (entry.path().extension() != ".snapshot") continue;
    if (newest.empty() || entry.last_write_time() > std::filesystem::last_write_time(newest)) {
      newest = entry.path();
    }
  }
  if (newest.empty()) quit("no snapshot was written");
  file::PosixFileSystem files;
  auto begun = Steady::now();
  Bytes bytes = take(file::read_file(files, newest.string()));
  reference.read_ms = ms_since(begun);
  reference.bytes = bytes.size();
  begun = Steady::now();
  std::unordered_map<std::int64_t, std::int64_t> table;
  for (std::uint64_t key = 0; key < keys; ++key) ++table[static_cast<std::int64_t>(key)];
  if (table.size() != keys) quit("the table is wrong");
  reference.table_ms = ms_since(begun);
  return reference;
}

/// The one row that comes when the day is over: how many keys and rows there were.
void check(Process& process, FirstCommit& observer, std::uint64_t keys, std::uint64_t rows) {
  // Times of the next days, in every partition.
  process.append(0, partitions, start_ms + 3 * day_ms);
  auto begun = Steady::now();
  while (!observer.has_output()) {
    process.status();
    if (Steady::now() - begun > 5min) quit("nothing came out");
    std::this_thread::sleep_for(10ms);
  }
  auto out = take(process.topics().find_topic("out"));
  auto reader = take(process.topics().open(out));
  std::vector<std::string> values;
  for (std::int32_t p = 0; p < out.partitions; ++p) {
    auto [next, end] = take(reader->readable()).at(static_cast<std::size_t>(p));
    while (next < end) {
      auto batches = take(reader->read(PartitionId{p}, next, 1));
      auto batch = take(record::BatchView::parse(batches.bytes));
      next = batch.next_offset();
      record::RecordIterator records(batch);
      while (const record::Record* record = batch.is_control() ? nullptr : records.next()) {
        values.emplace_back(as_text(*record->value));
      }
    }
  }
  std::string all = fmt::format("{}", fmt::join(values, "\n"));
  std::erase(all, ' ');
  bool is_right = values.size() == 1 && all.find(fmt::format("\"keys\":{}", keys)) != all.npos &&
                  all.find(fmt::format("\"rows\":{}", rows)) != all.npos;
  if (!is_right)
    quit(fmt::format("{} keys in {} rows were read, and this came:\n{}", keys, rows, all));
}

void measure(const std::string& path, std::uint64_t keys) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
  in_killed_child([&] { live(path, keys); });
  Reference least = reference(path, keys);
  {
    auto begun = Steady::now();
    Process process(path);
    double opened_ms = ms_since(begun);
    FirstCommit observer(begun);
    process.start(&observer);
    // Something that the first epoch can be of.
    process.append(0, partitions, start_ms);
    double restored_ms = 0;
    while (observer.committed_ms() == 0) {
      bool is_restored = process.status().recovery.snapshot_epoch.has_value();
      if (is_restored && restored_ms == 0) restored_ms = ms_since(begun);
      std::this_thread::sleep_for(1ms);
    }
    auto status = process.status();
    if (restored_ms == 0) quit("no snapshot was read");
    fmt::print(
        "{} keys: first commit {:.0f} ms behind the start: data directory open at {:.0f}, "
        "snapshot of {:.0f} MB restored at {:.0f}, {} epochs behind it repeated at {:.0f}\n",
        keys, observer.committed_ms(), opened_ms, static_cast<double>(least.bytes) / 1e6,
        restored_ms, status.recovery.epochs_repeated, observer.recovered_ms());
    fmt::print(
        "  reading these bytes {:.0f} ms, a hash table of the keys {:.0f} ms: restored in {:.2f} "
        "times that, first commit in {:.2f}\n",
        least.read_ms, least.table_ms, (restored_ms - opened_ms) / (least.read_ms + least.table_ms),
        observer.committed_ms() / (least.read_ms + least.table_ms));
    process.wait_for_rows(status.rows_in);
    std::uint64_t rows = 0;
    auto in = take(process.topics().find_topic("in"));
    for (const auto& partition : take(take(process.topics().open(in))->readable())) {
      rows += static_cast<std::uint64_t>(partition.high_watermark - partition.start);
    }
    check(process, observer, keys, rows);
  }
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

int main(int argc, char** argv) {
  set_log_level(LogLevel::warning);
  std::string directory = "build/bench-recovery";
  std::vector<std::uint64_t> counts{1'000'000, 10'000'000};
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    if (i + 1 == argc) quit("usage: bench-recovery [--keys N] [--directory DIR]");
    if (name == "--keys") counts = {std::strtoull(argv[i + 1], nullptr, 10)};
    if (name == "--directory") directory = argv[i + 1];
  }
  for (std::uint64_t keys : counts) measure(directory, keys);
}
