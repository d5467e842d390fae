// When a version that failed is tried again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/result.h"

namespace leat::pipeline {

/// Counts failures that come one after the other. The first try is after a second, each further one
/// after twice the time, up to a minute. What fails in the same way again, by the records or the
/// plan, as it would for ever, is not tried any more. Asks no clock.
class Failures {
 public:
  using Time = std::chrono::nanoseconds;
  static constexpr Time first_delay = std::chrono::seconds(1);
  static constexpr Time last_delay = std::chrono::seconds(60);
  /// Whoever has worked for so long has succeeded: the next failure is a first one.
  static constexpr Time success_time = std::chrono::seconds(60);

  /// It failed, having worked for `worked` behind its recovery. How long to wait for the next try;
  /// nothing if there is to be none before forget().
  std::optional<Time> failed(const Error& error, Time worked);
  /// The same of what is tried again in any case.
  Time failed(const Error& error);
  /// Somebody has done something about it, or it has succeeded.
  void forget();

  /// In a row.
  std::uint32_t count() const { return count_; }
  /// Of the last one.
  const std::optional<Error>& error() const { return error_; }

 private:
  std::uint32_t count_ = 0;
  Time delay_ = first_delay;
  std::optional<Error> error_;
};

/// Whether what fails so fails again with the same records and the same plan.
bool is_lasting(Errc code);

}  // namespace leat::pipeline
