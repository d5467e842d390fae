// Where work runs: the one interface through which log, broker and runtime defer something. Behind
// it is an Asio io_context (net/), a thread (ThreadExecutor) or a seeded simulation (SimExecutor).
#pragma once

#include <chrono>
#include <cstdint>

#include "base/unique_function.h"

namespace leat {

using Work = UniqueFunction<void()>;

/// Runs work one piece at a time, in the order posted. All members are thread-safe.
class Executor {
 public:
  /// Names a timer until it has fired or was cancelled; 0 is never one.
  using TimerId = std::uint64_t;

  virtual ~Executor() = default;
  /// Runs `work` soon, never before returning.
  virtual void post(Work work) = 0;
  /// Runs `work` once, `delay` from now by the monotonic clock.
  virtual TimerId after(std::chrono::nanoseconds delay, Work work) = 0;
  /// Keeps a timer from firing. No effect when it has fired. Called on the executor itself, the
  /// work is certain not to run afterwards.
  virtual void cancel(TimerId timer) = 0;
};

}  // namespace leat
