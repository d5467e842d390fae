// Ctrl-C, as a request to stop.
#pragma once

#include <signal.h>

#include <atomic>
#include <stop_token>
#include <thread>

namespace leat::tools {

/// While it lives, SIGINT and SIGTERM ask the program to stop instead of ending it. Another one
/// ends it at once, unless it comes so soon that it is the same wish: who presses Ctrl-C twice, or
/// whose shell passes on what the terminal sent already, still gets whole lines. Make it before any
/// thread, so that no thread gets the signals.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool requested() const { return source_.stop_requested(); }
  /// What a program ends with that was stopped before it was done: 128 and the signal's number, as
  /// shells report it.
  int exit_code() const { return 128 + first_signal_; }
  /// Becomes readable with the request, for whoever polls.
  int wake_fd() const { return wake_fd_; }

 private:
  void wait_for_signals();

  std::stop_source source_;
  int wake_fd_;
  std::atomic<int> first_signal_{SIGINT};
  sigset_t mask_before_;
  std::thread thread_;
};

}  // namespace leat::tools
