// How fast a log is compacted, beside reading the same bytes and writing as many as come of it,
// with a sync, and doing nothing else. Records of some 100 bytes in batches of 500, whose keys are
// drawn from as many as stay: a tenth and a half of all, without compression and with lz4.
//
//   bench-compact [DIRECTORY [MIB]]      where the log is made (default .), how much (default 512)
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/thread_executor.h"
#include "file/posix_file_system.h"
#include "log/compaction.h"
#include "log/store.h"
#include "record/builder.h"

using namespace leat;
using Steady = std::chrono::steady_clock;

namespace {

constexpr int records_per_batch = 500;
constexpr std::size_t record_bytes = 100;
constexpr int rounds = 3;
constexpr std::uint64_t step_bytes = std::uint64_t{1} << 20;

template <class Work>
void await(Executor& executor, Work work) {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_done = false;
  executor.post([&] {
    work([&] {
      std::lock_guard lock(mutex);
      is_done = true;
      changed.notify_all();
    });
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return is_done; });
}

double seconds_since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

/// A log in a directory of its own.
class Bench {
 public:
  explicit Bench(std::string directory) : directory_(std::move(directory)) {
    std::filesystem::remove_all(directory_);
    log::StoreOptions options;
    options.directory = directory_;
    options.durability = log::Durability::os;
    options.pending_bytes_max = std::uint64_t{8} << 30;  // all of it waits at once
    auto store = log::Store::open({files_, executor_, clock_, metrics_}, options);
    ASSERT(store.has_value());
    store_ = std::move(*store);
    id_.topic_id.bytes[15] = 1;
    options_.segment_bytes = 16 << 20;
  }
  ~Bench() {
    await(executor_, [this](auto done) { store_->close([done](const Result<void>&) { done(); }); });
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void fill(std::uint64_t bytes, double stays, record::Compression codec) {
    auto batches = static_cast<int>(bytes / (records_per_batch * record_bytes));
    auto keys = static_cast<std::uint64_t>(batches * records_per_batch * stays);
    await(executor_, [&](auto done) {
      log_ = *store_->log(id_, options_);
      Random random(1);
      auto left = std::make_shared<int>(batches);
      for (int i = 0; i < batches; ++i)
        append(random, keys, codec, [left, done] {
          if (--*left == 0) done();
        });
    });
    // The last seals are written in the background.
    view_ = log_->view();
    std::size_t sealed = closed().size();
    while (sealed + 1 < log_->view()->segments.size()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      view_ = log_->view();
      sealed = closed().size();
    }
  }

  std::uint64_t closed_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& segment : closed()) bytes += segment->bytes();
    return bytes;
  }

  /// Gives the seconds, and what was written.
  std::pair<double, std::uint64_t> compact() {
    log::CompactionPlan plan;
    plan.id = id_;
    plan.segments = closed();
    plan.segment_bytes = static_cast<std::uint64_t>(options_.segment_bytes);
    plan.map_bytes_max = std::uint64_t{128} << 20;
    auto begin = Steady::now();
    log::Compaction compaction(files_, log::Layout(directory_), std::move(plan));
    std::vector<std::string> made;
    while (!compaction.is_done()) {
      compaction.step(step_bytes);
      if (auto replacement = compaction.take_replacement()) made.push_back(replacement->path);
    }
    double seconds = seconds_since(begin);
    if (!compaction.result()) {
      fmt::print(stderr, "{}\n", compaction.result().error().what);
      std::exit(1);
    }
    for (const std::string& path : made) std::filesystem::remove(path);
    return {seconds, compaction.bytes_written()};
  }

  /// The bare work: `written` bytes of what is read go to another file.
  double copy(std::uint64_t written) {
    auto begin = Steady::now();
    auto to = files_.open(directory_ + "/copy", file::OpenMode::create);
    ASSERT(to.has_value());
    Bytes buffer(step_bytes);
    std::uint64_t at = 0;
    for (const auto& segment : closed()) {
      auto from = segment->file();
      ASSERT(from.has_value());
      for (std::uint64_t position = 0; position < segment->bytes(); position += step_bytes) {
        auto got = (*from)->read_at(position, buffer);
        ASSERT(got.has_value());
        std::uint64_t some = std::min<std::uint64_t>(*got, written - at);
        BytesView view = BytesView(buffer).first(some);
        ASSERT((*to)->write_at(at, std::span(&view, 1)).has_value());
        at += some;
      }
    }
    ASSERT((*to)->sync().has_value());
    double seconds = seconds_since(begin);
    std::filesystem::remove(directory_ + "/copy");
    return seconds;
  }

 private:
  template <class Done>
  void append(Random& random, std::uint64_t keys, record::Compression codec, Done done) {
    record::BatchBuilder builder;
    for (int i = 0; i < records_per_batch; ++i) {
      std::string key = fmt::format("key-{}", random.below(keys));
      std::string value = fmt::format(R"({{"ms":{},"page":"/item/{}","ok":true,"country":"NL"}})",
                                      random.below(3000), random.below(1000));
      value.resize(record_bytes - key.size() - 10, ' ');
      builder.append(1'700'000'000'000, as_bytes(key), as_bytes(value));
    }
    auto owner = std::make_shared<Bytes>(builder.build({.compression = codec}));
    log::Batch batch{owner, MutableBytes(*owner), records_per_batch, 1'700'000'000'000};
    auto queued = log_->append(std::move(batch), [done](const Result<Offset>& result) mutable {
      ASSERT(result.has_value());
      done();
    });
    ASSERT(queued.has_value());
  }

  std::vector<std::shared_ptr<log::Segment>> closed() const {
    std::vector<std::shared_ptr<log::Segment>> segments;
    for (const auto& segment : view_->segments) {
      if (segment->state().sealed) {
        segments.push_back(std::const_pointer_cast<log::Segment>(segment));
      }
    }
    return segments;
  }

  std::string directory_;
  SystemClock clock_;
  Metrics metrics_;
  ThreadExecutor executor_{"bench"};
  file::PosixFileSystem files_;
  std::unique_ptr<log::Store> store_;
  TopicPartition id_;
  log::LogOptions options_;
  std::shared_ptr<log::Log> log_;
  std::shared_ptr<const log::LogView> view_;
};

void run(const std::string& directory, std::uint64_t bytes, double stays,
         record::Compression codec) {
  Bench bench(directory + "/bench-compact");
  bench.fill(bytes, stays, codec);
  std::vector<double> ratios;
  double rate = 0;
  std::uint64_t written = 0;
  for (int i = 0; i < rounds; ++i) {
    auto [seconds, made] = bench.compact();
    double bare = bench.copy(made);
    written = made;
    ratios.push_back(bare / seconds);
    rate = std::max(rate, static_cast<double>(bench.closed_bytes()) / seconds / 1e6);
  }
  std::sort(ratios.begin(), ratios.end());
  fmt::print("{:5} {:3.0f} % of keys: {:5.0f} MB to {:4.0f} MB at {:4.0f} MB/s, {:.2f} of bare\n",
             record::name(codec), stays * 100, static_cast<double>(bench.closed_bytes()) / 1e6,
             static_cast<double>(written) / 1e6, rate, ratios[rounds / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = argc > 1 ? argv[1] : ".";
  std::uint64_t mib = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 512;
  set_log_level(LogLevel::error);
  for (record::Compression codec : {record::Compression::none, record::Compression::lz4}) {
    for (double stays : {0.1, 0.5}) run(directory, mib << 20, stays, codec);
  }
}
