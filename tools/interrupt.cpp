#include "tools/interrupt.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

namespace leat::tools {

namespace {

/// Signals that come closer together are one wish to stop.
constexpr std::chrono::milliseconds same_wish{500};
/// Tells the waiting thread that nothing more is to be waited for.
constexpr int end_signal = SIGUSR2;

sigset_t signals(bool with_end_signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (with_end_signal) sigaddset(&set, end_signal);
  return set;
}

}  // namespace

Interrupt::Interrupt() : wake_fd_(eventfd(0, EFD_CLOEXEC)) {
  sigset_t blocked = signals(true);
  pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_);
  thread_ = std::thread([this] { wait_for_signals(); });
}

Interrupt::~Interrupt() {
  pthread_kill(thread_.native_handle(), end_signal);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  close(wake_fd_);
}

void Interrupt::wait_for_signals() {
  sigset_t awaited = signals(true);
  int signal = 0;
  std::chrono::steady_clock::time_point first;
  while (sigwait(&awaited, &signal) == 0 && signal != end_signal) {
    auto now = std::chrono::steady_clock::now();
    if (source_.stop_requested()) {
      if (now - first >= same_wish) _exit(128 + signal);
      continue;
    }
    first = now;
    first_signal_ = signal;
    std::uint64_t one = 1;
    [[maybe_unused]] auto written = write(wake_fd_, &one, sizeof one);
    source_.request_stop();
  }
}

}  // namespace leat::tools
