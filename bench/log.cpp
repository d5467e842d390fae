// What an append costs: batches of 16 KiB, 256 in flight, through the whole log, beside bare loops
// that write the same bytes 256 batches at a time and sync them the same number of times.
//
//   bench-log [DIRECTORY [MIB]]     a directory on the disk that counts (default .), and how much
//   to
//                                   write each time (default 512)
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "base/metrics.h"
#include "base/thread_executor.h"
#include "file/posix_file_system.h"
#include "log/store.h"
#include "record/builder.h"

using namespace leat;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t in_flight = 256;
constexpr std::size_t batch_bytes = 16 << 10;

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

Bytes make_batch() {
  record::BatchBuilder builder;
  std::string value(1000, 'v');
  while (builder.size_bytes() + value.size() + 20 < batch_bytes) {
    builder.append(1'700'000'000'000, {}, as_bytes(value));
  }
  std::string rest(batch_bytes - builder.size_bytes() - 12, 'r');
  builder.append(1'700'000'000'000, {}, as_bytes(rest));
  return builder.build();
}

enum class Kind { growing, fallocated, written_before };

/// Batches a second of a loop that does nothing else.
double bare(const std::string& directory, Kind kind, std::size_t batches, bool syncs) {
  std::string path = directory + "/bare";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  ASSERT(fd >= 0);
  Bytes batch = make_batch();
  auto total = static_cast<off_t>(batches * batch.size());
  std::vector<iovec> parts(in_flight, iovec{batch.data(), batch.size()});
  auto write_all = [&] {
    off_t position = 0;
    for (std::size_t done = 0; done < batches; done += in_flight) {
      ssize_t n = ::pwritev(fd, parts.data(), static_cast<int>(parts.size()), position);
      ASSERT(n == static_cast<ssize_t>(in_flight * batch.size()));
      position += n;
      if (syncs) ASSERT(::fdatasync(fd) == 0);
    }
  };
  if (kind == Kind::fallocated) ASSERT(::posix_fallocate(fd, 0, total) == 0);
  if (kind == Kind::written_before) write_all();
  ::fsync(fd);
  auto start = Steady::now();
  write_all();
  double took = seconds_since(start);
  ::close(fd);
  ::unlink(path.c_str());
  return static_cast<double>(batches) / took;
}

/// Keeps a number of appends in flight over some partitions until enough are acknowledged.
class Load {
 public:
  Load(log::Store& store, int partitions, std::size_t batches) : left_(batches), open_(batches) {
    log::LogOptions options;
    for (int i = 0; i < partitions; ++i) {
      TopicPartition id;
      id.topic_id.bytes[0] = 1;
      id.partition = PartitionId{i};
      logs_.push_back(*store.log(id, options));
    }
    for (std::size_t i = 0; i < in_flight; ++i) {
      buffers_.push_back(std::make_shared<Bytes>(make_batch()));
    }
  }

  void start() {
    for (std::size_t slot = 0; slot < in_flight; ++slot) append(slot);
  }
  void wait() {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return is_finished_; });
  }

 private:
  void append(std::size_t slot) {
    if (left_ == 0) return;
    --left_;
    log::Log* log = logs_[next_++ % logs_.size()];
    log::Batch batch;
    batch.owner = buffers_[slot];
    batch.bytes = MutableBytes(*buffers_[slot]);
    Result<Offset> queued = log->append(std::move(batch), [this, slot](Result<Offset> done) {
      ASSERT(done.has_value());
      append(slot);
      if (--open_ > 0) return;
      std::lock_guard lock(mutex_);
      is_finished_ = true;
      finished_.notify_all();
    });
    ASSERT(queued.has_value());
  }

  std::vector<log::Log*> logs_;
  std::vector<std::shared_ptr<Bytes>> buffers_;
  std::size_t left_;
  std::size_t open_;
  std::size_t next_ = 0;
  std::mutex mutex_;
  std::condition_variable finished_;
  bool is_finished_ = false;
};

double through_log(const std::string& directory, int partitions, std::size_t batches,
                   log::Durability durability) {
  std::string data = directory + "/bench-data";
  SystemClock clock;
  Metrics metrics;
  ThreadExecutor executor("log");
  file::PosixFileSystem files;
  ASSERT(files.remove_all(data).has_value());
  log::StoreOptions options;
  options.directory = data;
  options.durability = durability;
  auto store = log::Store::open({files, executor, clock, metrics}, options);
  ASSERT(store.has_value());
  // Segments exist and the journal has been through once before the clock runs.
  Load warm_up(**store, partitions, std::max<std::size_t>(8192, batches / 8));
  executor.post([&] { warm_up.start(); });
  warm_up.wait();
  Load load(**store, partitions, batches);
  auto start = Steady::now();
  executor.post([&] { load.start(); });
  load.wait();
  double rate = static_cast<double>(batches) / seconds_since(start);
  std::mutex mutex;
  std::condition_variable closed;
  bool is_closed = false;
  executor.post([&] {
    (*store)->close([&](const Result<void>&) {
      std::lock_guard lock(mutex);
      is_closed = true;
      closed.notify_all();
    });
  });
  std::unique_lock lock(mutex);
  closed.wait(lock, [&] { return is_closed; });
  store->reset();
  ASSERT(files.remove_all(data).has_value());
  return rate;
}

void report(const std::string& what, double rate, double reference) {
  fmt::print("{:<44} {:>9.0f} batches/s {:>7.2f} GB/s {:>6.2f}\n", what, rate,
             rate * batch_bytes / 1e9, rate / reference);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = argc > 1 ? argv[1] : ".";
  std::size_t mib = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 512;
  std::size_t batches = std::max<std::size_t>(1, mib * 64 / in_flight) * in_flight;
  set_log_level(LogLevel::warning);
  fmt::print(
      "batches of 16 KiB, 256 in flight; ratio to the fastest bare loop with sync, and for "
      "mode os to bare writes\n");
  double growing = bare(directory, Kind::growing, batches, true);
  double fallocated = bare(directory, Kind::fallocated, batches, true);
  double before = bare(directory, Kind::written_before, batches, true);
  double best = std::max({growing, fallocated, before});
  report("bare, growing file, fdatasync each 256", growing, best);
  report("bare, fallocated file", fallocated, best);
  report("bare, file written before", before, best);
  for (int partitions : {1, 10, 1000}) {
    double rate = through_log(directory, partitions, batches, log::Durability::fsync);
    report(fmt::format("log, fsync, {} partitions", partitions), rate, best);
  }
  double unsynced = bare(directory, Kind::growing, batches, false);
  report("bare, growing file, no sync", unsynced, unsynced);
  for (int partitions : {1, 1000}) {
    double rate = through_log(directory, partitions, batches, log::Durability::os);
    report(fmt::format("log, os, {} partitions", partitions), rate, unsynced);
  }
}
