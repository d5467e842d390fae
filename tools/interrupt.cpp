#include "tools/interrupt.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace leat::tools {

namespace {

/// What a shell reports for a program that SIGINT ended.
constexpr int exit_interrupted = 130;
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
  while (sigwait(&awaited, &signal) == 0 && signal != end_signal) {
    if (source_.stop_requested()) _exit(exit_interrupted);
    std::uint64_t one = 1;
    [[maybe_unused]] auto written = write(wake_fd_, &one, sizeof one);
    source_.request_stop();
  }
}

}  // namespace leat::tools
