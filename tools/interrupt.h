// Ctrl-C, as a request to stop.
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

namespace leat::tools {

/// While it lives, SIGINT and SIGTERM ask the program to stop instead of ending it; the second one
/// ends it. Make it before any thread, so that no thread gets the signals.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool requested() const { return source_.stop_requested(); }
  /// Becomes readable with the request, for whoever polls.
  int wake_fd() const { return wake_fd_; }

 private:
  void wait_for_signals();

  std::stop_source source_;
  int wake_fd_;
  sigset_t mask_before_;
  std::thread thread_;
};

}  // namespace leat::tools
