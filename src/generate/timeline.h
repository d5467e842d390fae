// When events happen.
#pragma once

#include <cmath>
#include <cstdint>

namespace leat::generate {

/// Events happen at a steady rate: number n at start + n / rate.
class Timeline {
 public:
  static constexpr double rate_min = 0.001;
  static constexpr double rate_max = 1e9;
  static constexpr std::uint64_t number_max = 1'000'000'000'000;
  static constexpr std::int64_t start_min_ms = 0;                   // 1970
  static constexpr std::int64_t start_max_ms = 32'503'679'999'999;  // the end of 2999
  /// Times as text end with the year 9999. What is reckoned from an event's time may lie behind it.
  static constexpr std::int64_t end_ms = 221'845'392'000'000;  // 9000

  /// REQUIRES: the rate is within its bounds, of which a thousandth is the smallest part.
  Timeline(std::int64_t start_ms, double rate)
      : start_ms_(start_ms), rate_milli_(static_cast<std::uint64_t>(std::llround(rate * 1000))) {}

  /// REQUIRES: number < 2 * number_max.
  std::int64_t time_ms(std::uint64_t number) const {
    constexpr std::uint64_t ms_milli = 1'000'000;
    return start_ms_ + static_cast<std::int64_t>(number * ms_milli / rate_milli_);
  }

 private:
  std::int64_t start_ms_;
  std::uint64_t rate_milli_;
};

}  // namespace leat::generate
