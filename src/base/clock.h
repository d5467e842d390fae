// Time, as an interface, so that the log, the broker and the runtime are deterministic under test.
#pragma once

#include <chrono>
#include <cstdint>

namespace leat {

/// Thread-safe in every implementation.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time in milliseconds since 1970 UTC. May jump: only for what people and records see.
  virtual std::int64_t wall_ms() const = 0;
  /// Time since an arbitrary start that never goes back: for timeouts and rates.
  virtual std::chrono::nanoseconds monotonic() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const override;
  std::chrono::nanoseconds monotonic() const override;
};

}  // namespace leat
