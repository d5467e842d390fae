// What a start costs: the real `leat serve` over 1,000 partitions, from exec to the line `ready`.
//
//   bench-start [DIRECTORY [GB...]]
//
// For each size (default 1 and 5 GB) it fills a data directory in DIRECTORY (default .) and starts
// the binary beside the build's bench/ over it: after a clean stop, after kill -9 under load (a
// producer that writes to all partitions), and after a clean stop with the directory's files out of
// the page cache, which has no bar. Medians of several starts; memory is what the process holds
// beyond its files when it says `ready`. With strace installed, another start counts what is opened
// and read below partitions/.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "base/metrics.h"
#include "base/thread_executor.h"
#include "broker/broker.h"
#include "file/posix_file_system.h"
#include "record/builder.h"

using namespace leat;
using Steady = std::chrono::steady_clock;
namespace fs = std::filesystem;

namespace {

constexpr int partitions = 1000;
constexpr int starts = 7;
constexpr std::size_t batch_bytes = 64 << 10;

/// Runs work on the executor and waits until it has called what it was given.
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

Bytes make_batch() {
  record::BatchBuilder builder;
  std::string value(1000, 'v');
  while (builder.size_bytes() + value.size() + 20 < batch_bytes) {
    builder.append(1'700'000'000'000, {}, as_bytes(value));
  }
  return builder.build();
}

/// Appends batches to all partitions in turn, 64 in flight.
class Filler {
 public:
  Filler(broker::Broker& broker, std::uint64_t bytes, std::function<void()> done)
      : broker_(broker), left_(bytes / batch_bytes), open_(left_), done_(std::move(done)) {
    for (int i = 0; i < 64; ++i) buffers_.push_back(std::make_shared<Bytes>(make_batch()));
  }
  void start() {
    for (std::size_t slot = 0; slot < buffers_.size(); ++slot) append(slot);
  }

 private:
  void append(std::size_t slot) {
    if (left_ == 0) return;
    --left_;
    PartitionId id{static_cast<std::int32_t>(next_++ % partitions)};
    std::shared_ptr<Bytes> buffer = buffers_[slot];
    store_base(*buffer);
    broker_.find_partition("bench", id)
        ->append(buffer, MutableBytes(*buffer), 9, [this, slot](Result<broker::Appended> appended) {
          ASSERT(appended.has_value());
          append(slot);
          if (--open_ == 0) done_();
        });
  }
  /// As a producer sends it: offsets are the broker's.
  static void store_base(Bytes& batch) { std::fill_n(batch.begin(), 8, std::byte{0}); }

  broker::Broker& broker_;
  std::vector<std::shared_ptr<Bytes>> buffers_;
  std::uint64_t left_;
  std::uint64_t open_;
  std::size_t next_ = 0;
  std::function<void()> done_;
};

void fill(const std::string& data, std::uint64_t bytes) {
  SystemClock clock;
  Metrics metrics;
  ThreadExecutor executor("fill");
  file::PosixFileSystem files;
  broker::BrokerOptions options;
  options.store.directory = data;
  options.store.durability = log::Durability::os;
  auto broker = broker::Broker::open({files, executor, clock, metrics}, options, Random(1));
  ASSERT(broker.has_value());
  await(executor, [&](auto done) {
    broker::NewTopic topic{"bench", partitions, {}};
    (*broker)->create_topic(topic, [done](Result<broker::TopicInfo> made) {
      ASSERT(made.has_value());
      done();
    });
  });
  std::optional<Filler> filler;
  await(executor, [&](auto done) {
    filler.emplace(**broker, bytes, done);
    filler->start();
  });
  await(executor, [&](auto done) {
    (*broker)->close([done](const Result<void>& closed) {
      ASSERT(closed.has_value());
      done();
    });
  });
}

/// A program with a pipe to its input and one from its output.
class Child {
 public:
  explicit Child(const std::vector<std::string>& words) {
    int in[2];
    int out[2];
    ASSERT(::pipe2(in, O_CLOEXEC) == 0 && ::pipe2(out, O_CLOEXEC) == 0);
    pid_ = ::fork();
    ASSERT(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
      std::vector<char*> pointers;
      for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
      pointers.push_back(nullptr);
      ::execvp(pointers[0], pointers.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    output_ = out[0];
  }
  ~Child() {
    ::close(input_);
    ::close(output_);
  }
  int input() const { return input_; }
  int output() const { return output_; }
  pid_t pid() const { return pid_; }
  void end(int signal) {
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
};

std::vector<std::string> serve_words(const std::string& leat, const std::string& data,
                                     const std::string& trace) {
  std::vector<std::string> words;
  if (!trace.empty()) {
    words = {"strace", "-D",  "-f", "-y",
             "-o",     trace, "-e", "trace=openat,open,read,pread64,preadv"};
  }
  for (const std::string& word :
       {leat, std::string("serve"), std::string("--data"), data, std::string("--listen"),
        std::string("127.0.0.1:0"), std::string("--http"), std::string("127.0.0.1:0")}) {
    words.push_back(word);
  }
  return words;
}

/// `leat serve`, ready.
class Server {
 public:
  Server(const std::string& leat, const std::string& data, const std::string& trace = "")
      : started_(Steady::now()), child_(serve_words(leat, data, trace)) {
    std::string text;
    char piece[4096];
    while (text.find("ready\n") == std::string::npos) {
      ssize_t n = ::read(child_.output(), piece, sizeof piece);
      ASSERT(n > 0);
      text.append(piece, static_cast<std::size_t>(n));
    }
    ready_ms_ = std::chrono::duration<double, std::milli>(Steady::now() - started_).count();
    std::size_t at = text.find("kafka ") + 6;
    address_ = text.substr(at, text.find('\n', at) - at);
  }
  double ready_ms() const { return ready_ms_; }
  const std::string& address() const { return address_; }
  /// Memory beyond what its files take, in MB.
  double anonymous_mb() const {
    std::ifstream status("/proc/" + std::to_string(child_.pid()) + "/status");
    std::string word;
    while (status >> word) {
      double kb = 0;
      if (word == "RssAnon:" && status >> kb) return kb / 1024;
    }
    return 0;
  }
  void end(int signal) { child_.end(signal); }

 private:
  Steady::time_point started_;
  Child child_;
  double ready_ms_ = 0;
  std::string address_;
};

/// Has `leat produce` write to all partitions, and kills the server in the middle of it.
void kill_under_load(const std::string& leat, const std::string& data) {
  Server server(leat, data);
  Child producer({leat, "produce", "bench", "-k", "k", "-b", server.address()});
  std::thread feeder([&] {
    std::string filling(200, 'x');
    for (int i = 0;; ++i) {
      std::string lines;
      for (int j = 0; j < 100; ++j) {
        lines += fmt::format("{{\"k\":\"{}\",\"v\":\"{}\"}}\n", 100 * i + j, filling);
      }
      if (::write(producer.input(), lines.data(), lines.size()) <= 0) return;
    }
  });
  std::this_thread::sleep_for(std::chrono::seconds(3));
  server.end(SIGKILL);
  producer.end(SIGKILL);
  feeder.join();
}

void drop_from_cache(const std::string& data) {
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    if (!entry.is_regular_file()) continue;
    int fd = ::open(entry.path().c_str(), O_RDONLY);
    ::fsync(fd);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
}

struct Row {
  std::vector<double> ready_ms;
  std::vector<double> memory_mb;

  void take(const Server& server) {
    ready_ms.push_back(server.ready_ms());
    memory_mb.push_back(server.anonymous_mb());
  }
  void print(const std::string& name, std::uint64_t gb, const std::string& bar) {
    std::sort(ready_ms.begin(), ready_ms.end());
    std::sort(memory_mb.begin(), memory_mb.end());
    fmt::print("{} GB, {:<32} ready {:>6.0f} ms ({:.0f} to {:.0f}){}, {:>5.1f} MB\n", gb, name,
               ready_ms[ready_ms.size() / 2], ready_ms.front(), ready_ms.back(), bar,
               memory_mb[memory_mb.size() / 2]);
    std::fflush(stdout);
  }
};

/// What a start opens and reads of the partitions' files.
void count_calls(const std::string& leat, const std::string& data, std::uint64_t gb) {
  std::string trace = data + ".strace";
  if (std::system("command -v strace >/dev/null") != 0) return;
  Server server(leat, data, trace);
  std::ifstream lines(trace);
  int opens = 0, reads = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("/partitions/") == std::string::npos) continue;
    ++(line.find(" open") != std::string::npos ? opens : reads);
  }
  server.end(SIGTERM);
  fs::remove(trace);
  fmt::print("{} GB, after a clean stop: {} opens and {} reads below partitions/\n", gb, opens,
             reads);
}

void run(const std::string& leat, const std::string& data, std::uint64_t gb) {
  fs::remove_all(data);
  fill(data, gb * 1'000'000'000);
  Row clean, killed, cold;
  for (int i = 0; i < starts; ++i) {
    Server server(leat, data);
    clean.take(server);
    server.end(SIGTERM);
  }
  clean.print("after a clean stop", gb, " of 150");
  for (int i = 0; i < starts; ++i) {
    kill_under_load(leat, data);
    Server server(leat, data);
    killed.take(server);
    server.end(SIGTERM);
  }
  killed.print("after kill -9 under load", gb, " of 150");
  for (int i = 0; i < starts; ++i) {
    drop_from_cache(data);
    Server server(leat, data);
    cold.take(server);
    server.end(SIGTERM);
  }
  cold.print("after a clean stop, cold", gb, "");
  count_calls(leat, data, gb);
  fs::remove_all(data);
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = argc > 1 ? argv[1] : ".";
  std::vector<std::uint64_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::strtoul(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {1, 5};
  set_log_level(LogLevel::error);
  ::signal(SIGPIPE, SIG_IGN);
  std::string leat = fs::canonical("/proc/self/exe").parent_path().parent_path() / "leat";
  fmt::print("leat serve over {} partitions, from exec to `ready`; MB: memory beyond files\n",
             partitions);
  for (std::uint64_t gb : sizes) run(leat, directory + "/bench-start", gb);
}
