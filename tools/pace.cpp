#include "tools/pace.h"

#include <charconv>
#include <cmath>

#include <fmt/core.h>

namespace leat::tools {

Result<std::optional<double>> parse_speed(std::string_view text) {
  if (text == "max") return std::optional<double>();
  std::string_view number = text;
  if (number.ends_with('x')) number.remove_suffix(1);
  double speed = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), speed);
  if (error == std::errc{} && end == number.data() + number.size() && std::isfinite(speed) &&
      speed > 0)
    return std::optional<double>(speed);
  return fail(Errc::invalid_argument,
              fmt::format("'{}' is no speed: 1, 0.5, 10x and max are", text));
}

Pace::Duration Pace::due(std::optional<std::int64_t> time_ms, Duration now) {
  if (!speed_) return Duration::zero();
  if (!time_ms) return last_due_;
  if (!first_ms_) {
    first_ms_ = time_ms;
    first_due_ = now;
  }
  // A year 9999 in the data must not overflow; three centuries are as good as for ever.
  constexpr double longest_ns = 9e18;
  constexpr double ns_per_ms = 1e6;
  double after_ns = (static_cast<double>(*time_ms) - static_cast<double>(*first_ms_)) * ns_per_ms;
  after_ns = std::min(after_ns / *speed_, longest_ns - static_cast<double>(first_due_.count()));
  last_due_ = first_due_ + Duration(static_cast<std::int64_t>(after_ns));
  return last_due_;
}

}  // namespace leat::tools
