// What an append and a read cost through the whole log, beside bare loops that do no more than the
// same bytes need.
//
//   bench-log [DIRECTORY [MIB [ROUNDS [WORD]]]]
//
// DIRECTORY is on the disk that counts (default .), MIB is how much each row writes (default 1024).
// Every round (default 3) runs all rows, or those that have WORD in their name, each after what it
// is compared with; ratios are of one round, and the median is shown.
//
// Appends: batches of 16 KiB from 256 buffers, 256 in flight. Beside fsync: one pwritev and one
// fdatasync for every 256 batches, on a growing file, a fallocated one and one that was written
// before; the fastest counts. Beside os: one pwrite a batch, into as many files as there are
// partitions. The store is warm: segments exist, and the journal's two files have been written
// once, as in every directory that has seen so much. Whatever else it does for itself (filling
// ahead, syncing segments behind the journal) happens while the clock runs.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
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
constexpr int many = 1000;

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

using Buffers = std::vector<std::shared_ptr<Bytes>>;

Buffers make_batches() {
  record::BatchBuilder builder;
  std::string value(1000, 'v');
  while (builder.size_bytes() + value.size() + 20 < batch_bytes) {
    builder.append(1'700'000'000'000, {}, as_bytes(value));
  }
  std::string rest(batch_bytes - builder.size_bytes() - 12, 'r');
  builder.append(1'700'000'000'000, {}, as_bytes(rest));
  Bytes batch = builder.build();
  Buffers buffers;
  for (std::size_t i = 0; i < in_flight; ++i) buffers.push_back(std::make_shared<Bytes>(batch));
  return buffers;
}

enum class Kind { growing, fallocated, written_before };

/// GB/s of a loop that writes and syncs, and does nothing else.
double bare_sync(const std::string& directory, Kind kind, std::size_t batches) {
  std::string path = directory + "/bare";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  ASSERT(fd >= 0);
  Buffers buffers = make_batches();
  std::vector<iovec> parts;
  std::size_t round_bytes = 0;
  for (const auto& buffer : buffers) {
    parts.push_back({buffer->data(), buffer->size()});
    round_bytes += buffer->size();
  }
  std::size_t rounds = batches / in_flight;
  auto write_all = [&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      ssize_t n = ::pwritev(fd, parts.data(), static_cast<int>(parts.size()),
                            static_cast<off_t>(i * round_bytes));
      ASSERT(n == static_cast<ssize_t>(round_bytes));
      ASSERT(::fdatasync(fd) == 0);
    }
  };
  if (kind == Kind::fallocated) {
    ASSERT(::posix_fallocate(fd, 0, static_cast<off_t>(rounds * round_bytes)) == 0);
  }
  if (kind == Kind::written_before) write_all();
  ::fsync(fd);
  auto start = Steady::now();
  write_all();
  double took = seconds_since(start);
  ::close(fd);
  ::unlink(path.c_str());
  return static_cast<double>(rounds * round_bytes) / took / 1e9;
}

/// GB/s of a loop that writes batches to files in turn, one a call.
double bare_write(const std::string& directory, int files, std::size_t batches) {
  std::vector<int> fds;
  auto path = [&](int i) { return directory + "/bare-" + std::to_string(i); };
  for (int i = 0; i < files; ++i) {
    fds.push_back(::open(path(i).c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
    ASSERT(fds.back() >= 0);
  }
  Buffers buffers = make_batches();
  std::size_t bytes = buffers[0]->size();
  auto start = Steady::now();
  for (std::size_t i = 0; i < batches; ++i) {
    std::size_t turn = i / fds.size();
    ssize_t n = ::pwrite(fds[i % fds.size()], buffers[i % in_flight]->data(), bytes,
                         static_cast<off_t>(turn * bytes));
    ASSERT(n == static_cast<ssize_t>(bytes));
  }
  double took = seconds_since(start);
  for (int i = 0; i < files; ++i) {
    ::close(fds[static_cast<std::size_t>(i)]);
    ::unlink(path(i).c_str());
  }
  return static_cast<double>(batches * bytes) / took / 1e9;
}

/// Keeps a number of appends in flight over some partitions until enough are acknowledged.
class Load {
 public:
  Load(log::Store& store, int partitions, std::size_t batches)
      : buffers_(make_batches()), left_(batches), open_(batches) {
    for (int i = 0; i < partitions; ++i) logs_.push_back((*store.log(id(i), {})).get());
  }
  static TopicPartition id(int i) {
    TopicPartition id;
    id.topic_id.bytes[0] = 1;
    id.partition = PartitionId{i};
    return id;
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
  Buffers buffers_;
  std::size_t left_;
  std::size_t open_;
  std::size_t next_ = 0;
  std::mutex mutex_;
  std::condition_variable finished_;
  bool is_finished_ = false;
};

/// A store in a directory of its own, on a thread of its own.
class OpenStore {
 public:
  OpenStore(const std::string& directory, log::Durability durability)
      : data_(directory + "/bench-data") {
    ASSERT(files_.remove_all(data_).has_value());
    open(durability);
  }
  ~OpenStore() {
    close();
    ASSERT(files_.remove_all(data_).has_value());
  }
  void reopen(log::Durability durability) {
    close();
    open(durability);
  }
  log::Store& store() { return *store_; }

  double append(int partitions, std::size_t batches) {
    Load load(*store_, partitions, batches);
    auto start = Steady::now();
    executor_.post([&] { load.start(); });
    load.wait();
    return static_cast<double>(batches * batch_bytes) / seconds_since(start) / 1e9;
  }

 private:
  void open(log::Durability durability) {
    log::StoreOptions options;
    options.directory = data_;
    options.durability = durability;
    auto opened = log::Store::open({files_, executor_, clock_, metrics_}, options);
    ASSERT(opened.has_value());
    store_ = std::move(*opened);
  }
  void close() {
    std::mutex mutex;
    std::condition_variable closed;
    bool is_closed = false;
    executor_.post([&] {
      store_->close([&](const Result<void>&) {
        std::lock_guard lock(mutex);
        is_closed = true;
        closed.notify_all();
      });
    });
    std::unique_lock lock(mutex);
    closed.wait(lock, [&] { return is_closed; });
    store_.reset();
  }

  std::string data_;
  SystemClock clock_;
  Metrics metrics_;
  ThreadExecutor executor_{"log"};
  file::PosixFileSystem files_;
  std::unique_ptr<log::Store> store_;
};

double through_log(const std::string& directory, int partitions, std::size_t batches,
                   log::Durability durability) {
  OpenStore open(directory, durability);
  open.append(partitions, 8192);
  return open.append(partitions, batches);
}

/// The far end of a connection to this process, which takes whatever comes.
class Drain {
 public:
  Drain() {
    int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* name = reinterpret_cast<sockaddr*>(&address);
    ASSERT(::bind(listener, name, length) == 0 && ::listen(listener, 1) == 0);
    ASSERT(::getsockname(listener, name, &length) == 0);
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT(::connect(socket_, name, length) == 0);
    int far = ::accept(listener, nullptr, nullptr);
    ASSERT(far >= 0);
    ::close(listener);
    thread_ = std::thread([far] {
      Bytes buffer(1 << 20);
      while (::recv(far, buffer.data(), buffer.size(), MSG_TRUNC) > 0) {
      }
      ::close(far);
    });
  }
  ~Drain() {
    ::close(socket_);
    thread_.join();
  }
  void send(int fd, std::uint64_t position, std::uint64_t bytes) {
    auto at = static_cast<off_t>(position);
    while (bytes > 0) {
      ssize_t n = ::sendfile(socket_, fd, &at, bytes);
      ASSERT(n > 0);
      bytes -= static_cast<std::uint64_t>(n);
    }
  }

 private:
  int socket_ = -1;
  std::thread thread_;
};

enum class Read { pread, sendfile };

/// What is done with each piece that is read, bare or through the log.
class Sink {
 public:
  Sink(Read how, std::size_t piece) : how_(how) {
    void* memory = nullptr;
    ASSERT(::posix_memalign(&memory, 4096, piece + batch_bytes) == 0);
    buffer_.reset(static_cast<std::byte*>(memory));
    std::fill_n(buffer_.get(), piece + batch_bytes, std::byte{1});
    if (how == Read::sendfile) drain_ = std::make_unique<Drain>();
  }
  void take(int fd, std::uint64_t position, std::uint64_t bytes) {
    if (drain_) {
      drain_->send(fd, position, bytes);
    } else {
      ssize_t n = ::pread(fd, buffer_.get(), bytes, static_cast<off_t>(position));
      ASSERT(n == static_cast<ssize_t>(bytes));
    }
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  Read how_;
  std::unique_ptr<std::byte, Free> buffer_;
  std::unique_ptr<Drain> drain_;
};

/// GB/s of reading one partition from begin to end, `piece` bytes at a time.
double read_through_log(log::Store& store, Read how, std::size_t piece) {
  Sink sink(how, piece);
  std::shared_ptr<log::Log> log = *store.log(Load::id(0), {});
  std::uint64_t bytes = 0;
  auto start = Steady::now();
  Offset at = log->view()->start_offset;
  while (true) {
    // As a fetch does it: the view is asked for anew each time.
    Result<log::Slice> slice = log->view()->read(at, piece);
    ASSERT(slice.has_value());
    if (slice->bytes == 0) break;
    sink.take(slice->file->native_handle(), slice->position, slice->bytes);
    bytes += slice->bytes;
    at = slice->next_offset;
  }
  return static_cast<double>(bytes) / seconds_since(start) / 1e9;
}

double read_bare(log::Store& store, Read how, std::size_t piece) {
  Sink sink(how, piece);
  std::shared_ptr<const log::LogView> view = (*store.log(Load::id(0), {}))->view();
  Result<log::Slice> first = view->read(view->start_offset, 1);
  ASSERT(first.has_value());
  std::uint64_t size = view->size_bytes();
  auto start = Steady::now();
  for (std::uint64_t at = 0; at < size; at += piece) {
    sink.take(first->file->native_handle(), at, std::min<std::uint64_t>(piece, size - at));
  }
  return static_cast<double>(size) / seconds_since(start) / 1e9;
}

/// Rows with their rates and ratios, a value a round.
class Table {
 public:
  explicit Table(std::string word) : word_(std::move(word)) {}

  bool wants(const std::string& name) const { return name.find(word_) != std::string::npos; }
  void add(const std::string& name, double rate, double reference) {
    if (!rows_.contains(name)) order_.push_back(name);
    rows_[name].rates.push_back(rate);
    rows_[name].ratios.push_back(rate / reference);
  }
  void print() const {
    fmt::print("{:<46} {:>8} {:>7}  {}\n", "", "GB/s", "ratio", "least to most");
    for (const std::string& name : order_) {
      const Row& row = rows_.at(name);
      auto [least, most] = std::minmax_element(row.ratios.begin(), row.ratios.end());
      fmt::print("{:<46} {:>8.2f} {:>7.2f}  {:.2f} to {:.2f}\n", name, median(row.rates),
                 median(row.ratios), *least, *most);
    }
  }

 private:
  struct Row {
    std::vector<double> rates;
    std::vector<double> ratios;
  };
  static double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
  std::string word_;
  std::vector<std::string> order_;
  std::map<std::string, Row> rows_;
};

void run_fsync(const std::string& directory, std::size_t batches, int partitions, Table& table) {
  std::string name = fmt::format("append, fsync, {} partition(s)", partitions);
  if (!table.wants(name)) return;
  double growing = bare_sync(directory, Kind::growing, batches);
  double fallocated = bare_sync(directory, Kind::fallocated, batches);
  double before = bare_sync(directory, Kind::written_before, batches);
  double best = std::max({growing, fallocated, before});
  table.add("bare, growing file", growing, best);
  table.add("bare, fallocated file", fallocated, best);
  table.add("bare, file written before", before, best);
  table.add(name, through_log(directory, partitions, batches, log::Durability::fsync), best);
}

void run_os(const std::string& directory, std::size_t batches, int partitions, Table& table) {
  std::string name = fmt::format("append, os, {} partition(s)", partitions);
  if (!table.wants(name)) return;
  double bare = bare_write(directory, partitions, batches);
  table.add(fmt::format("bare pwrite, {} file(s)", partitions), bare, bare);
  table.add(name, through_log(directory, partitions, batches, log::Durability::os), bare);
}

void run_reads(const std::string& directory, std::size_t batches, Table& table) {
  if (!table.wants("read")) return;
  OpenStore open(directory, log::Durability::os);
  open.append(1, batches);
  for (Read how : {Read::pread, Read::sendfile}) {
    for (std::size_t piece : {std::size_t{64} << 10, std::size_t{1} << 20}) {
      const char* verb = how == Read::pread ? "pread" : "sendfile";
      read_bare(open.store(), how, piece);  // so that both find everything warm
      double bare = read_bare(open.store(), how, piece);
      double ours = read_through_log(open.store(), how, piece);
      table.add(fmt::format("bare {}, {} KiB", verb, piece >> 10), bare, bare);
      table.add(fmt::format("read, {}, {} KiB", verb, piece >> 10), ours, bare);
    }
  }
  open.reopen(log::Durability::os);
  double bare = read_bare(open.store(), Read::pread, 1 << 20);
  double first = read_through_log(open.store(), Read::pread, 1 << 20);
  table.add("first read after a start, with CRC, no bar", first, bare);
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = argc > 1 ? argv[1] : ".";
  std::size_t mib = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1024;
  int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  Table table(argc > 4 ? argv[4] : "");
  std::size_t batches = std::max<std::size_t>(1, mib * 64 / in_flight) * in_flight;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  set_log_level(LogLevel::warning);
  for (int round = 0; round < rounds; ++round) {
    for (int partitions : {1, 10, many}) run_fsync(directory, batches, partitions, table);
    for (int partitions : {1, many}) run_os(directory, batches, partitions, table);
    run_reads(directory, batches, table);
  }
  table.print();
}
