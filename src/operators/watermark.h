// Event time's progress.
#pragma once

#include <cstdint>
#include <limits>

namespace leat::operators {

/// No row with an earlier event time is expected, in milliseconds since 1970 UTC.
using Watermark = std::int64_t;

/// Before any row.
inline constexpr Watermark watermark_min = std::numeric_limits<Watermark>::min();
/// After the last row of all.
inline constexpr Watermark watermark_max = std::numeric_limits<Watermark>::max();

/// The watermark that much earlier; before any row and after the last one there is no earlier.
/// REQUIRES: `ms` is not negative.
constexpr Watermark earlier_by(Watermark watermark, std::int64_t ms) {
  if (watermark == watermark_max) return watermark;
  return watermark < watermark_min + ms ? watermark_min : watermark - ms;
}

/// A time that much later, at most the last one. REQUIRES: `ms` is not negative.
constexpr std::int64_t later_by(std::int64_t time_ms, std::int64_t ms) {
  return time_ms > watermark_max - ms ? watermark_max : time_ms + ms;
}

}  // namespace leat::operators
