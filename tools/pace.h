// When a record is due that is to be re-emitted at a multiple of its own pace.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace leat::tools {

/// "1", "2.5", "10x", or "max", which gives nothing.
Result<std::optional<double>> parse_speed(std::string_view text);

/// Counts from the first record that has a time. What was late does not push back what follows: a
/// reader that was slow for a while is caught up with.
class Pace {
 public:
  using Duration = std::chrono::nanoseconds;

  /// `speed` nothing: everything is due at once.
  explicit Pace(std::optional<double> speed) : speed_(speed) {}

  /// How long after the start the record is due. `now` is how long after the start it is; times
  /// must not go back. A record without a time is due with the one before it.
  Duration due(std::optional<std::int64_t> time_ms, Duration now);

 private:
  std::optional<double> speed_;
  std::optional<std::int64_t> first_ms_;
  Duration first_due_{0};
  Duration last_due_{0};
};

}  // namespace leat::tools
