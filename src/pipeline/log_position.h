// A place in topics, as people say it.
//
//   POSITION := 'start' | 'end' | N | '-' N | '+' N | '@' TIME
//   TIME     := RFC 3339, also without seconds or time of day | epoch ms | '-' DURATION (ago)
//   DURATION := (N UNIT)+                       UNIT := 'ms' | 's' | 'm' | 'h' | 'd' | 'w'
//
// -N counts back from the end, +N from the start of each partition. Times are UTC unless they carry
// a zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace leat::pipeline {

/// A DURATION in milliseconds.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);

struct LogPosition {
  enum class Kind { start, end, offset, before_end, after_start, time };
  Kind kind = Kind::start;
  /// The offset, the count, or the time in milliseconds since 1970.
  std::int64_t number = 0;

  /// `now_ms` is what times "ago" count from. Errc::invalid_argument with what there is.
  static Result<LogPosition> parse(std::string_view text, std::int64_t now_ms);
  /// The offset that it means in a partition of [start, end), before it is held against these
  /// bounds. `at_time` is where the first record at or after the time is, if there is one.
  std::int64_t in(std::int64_t start, std::int64_t end, std::optional<std::int64_t> at_time) const;
  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

}  // namespace leat::pipeline
