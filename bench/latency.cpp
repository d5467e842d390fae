// From a payment to its alert: the fraud job of examples/jobs at 50,000 payments a second, both
// durable, the alert committed, exactly once. Beside it somebody who writes the same bytes at the
// same times to a file of its own, which was written before, and calls fdatasync.
//
//   bench-latency [--seconds N] [--rounds N] [--directory DIR]
//
// Payments are due in bursts of 50, one each millisecond; latency counts from then, whatever is
// late. N (10) seconds of each of three are taken in turns, N (3) times: the job and the writer at
// the same time, each slowed down by the other; the job alone; the writer alone. What is written is
// read back: every alert that the payments must give, once, and no other.
#include <fcntl.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "live_fraud.h"

using namespace leat;
using namespace leat::bench;

namespace {

struct Settings {
  double seconds = 10;
  int rounds = 3;
  std::string directory = "build/bench-latency";
};

Settings settings_of(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    if (i + 1 == argc) quit("usage: bench-latency [--seconds N] [--rounds N] [--directory DIR]");
    if (name == "--seconds") settings.seconds = std::strtod(argv[i + 1], nullptr);
    if (name == "--rounds") settings.rounds = std::atoi(argv[i + 1]);
    if (name == "--directory") settings.directory = argv[i + 1];
  }
  return settings;
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Writes as many bytes as payments are due, and syncs.
class BareWriter {
 public:
  explicit BareWriter(const std::string& path) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) quit("cannot make " + path);
    std::string zeros(1 << 20, '\0');
    for (std::size_t at = 0; at < file_bytes; at += zeros.size()) write(zeros, at);
    ::fdatasync(fd_);
    std::string key, value;
    for (std::uint64_t n = 0; burst_.size() < Stretch::per_tick * 1000 * 100; ++n) {
      Payments::write(n, key, value);
      burst_ += value;
      if (n == 0) bytes_per_payment_ = key.size() + value.size() + 10;
    }
  }
  ~BareWriter() { ::close(fd_); }
  BareWriter(const BareWriter&) = delete;
  BareWriter& operator=(const BareWriter&) = delete;

  Latencies run(double seconds) {
    Latencies latencies;
    Stretch stretch;
    stretch.next = static_cast<std::uint64_t>(seconds * 1000) * Stretch::per_tick;
    stretch.begun = Steady::now() + Stretch::tick;
    for (std::uint64_t next = 0; next < stretch.next;) {
      std::this_thread::sleep_until(stretch.due(next));
      std::uint64_t end = stretch.due_by(Steady::now());
      std::size_t bytes = std::min(burst_.size(), (end - next) * bytes_per_payment_);
      if (at_ + bytes > file_bytes) at_ = 0;
      write(std::string_view(burst_).substr(0, bytes), at_);
      at_ += bytes;
      if (::fdatasync(fd_) != 0) quit("fdatasync failed");
      auto now = Steady::now();
      for (; next < end; ++next) {
        latencies.add(std::chrono::duration<double, std::milli>(now - stretch.due(next)).count());
      }
    }
    return latencies;
  }

 private:
  static constexpr std::size_t file_bytes = 64 << 20;

  void write(std::string_view bytes, std::size_t at) {
    auto written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written != static_cast<ssize_t>(bytes.size())) quit("cannot write");
  }

  int fd_ = -1;
  std::string burst_;
  std::size_t bytes_per_payment_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  set_log_level(LogLevel::warning);
  Settings settings = settings_of(argc, argv);
  Latencies job_beside, job_alone, bare_beside, bare_alone;
  double cpu = 0;
  {
    LiveFraud live(settings.directory);
    BareWriter bare(settings.directory + "/bare");
    live.deploy(LiveFraud::plan_text());
    live.load(Payments::in_ten_minutes);
    live.settle();
    live.produce(2);
    std::vector<Stretch> beside, alone;
    for (int round = 0; round < settings.rounds; ++round) {
      std::thread writer([&] { bare_beside.add(bare.run(settings.seconds)); });
      beside.push_back(live.produce(settings.seconds));
      writer.join();
      double before = cpu_seconds();
      alone.push_back(live.produce(settings.seconds));
      cpu += cpu_seconds() - before;
      bare_alone.add(bare.run(settings.seconds));
    }
    live.settle();
    for (const auto& stretch : beside) job_beside.add(live.latencies(stretch));
    for (const auto& stretch : alone) job_alone.add(live.latencies(stretch));
  }
  fmt::print("at the same time: event to alert {}; write and fdatasync {}; ratios {}\n",
             job_beside.text(), bare_beside.text(), ratios(job_beside, bare_beside));
  fmt::print("each alone: event to alert {}; write and fdatasync {}; ratios {}\n", job_alone.text(),
             bare_alone.text(), ratios(job_alone, bare_alone));
  fmt::print("the job alone, with who sends and who reads, took {:.2f} of a core\n",
             cpu / (settings.seconds * settings.rounds));
}
