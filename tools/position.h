// Where in a topic to read, as the command line says it.
//
//   RANGE := POSITION | [POSITION] ':' [POSITION]
//
// pipeline/log_position.h says what a POSITION is. Since times hold colons too, a RANGE is split at
// the first ':' that is its first or last character, or is followed by '@', '+', '-', a letter or,
// after a bare number, a digit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pipeline/log_position.h"

namespace leat::tools {

using pipeline::parse_duration_ms;
using Position = pipeline::LogPosition;

/// Half-open: the records from `begin` on that are before `end`, or all that will ever come.
struct Range {
  Position begin;
  std::optional<Position> end;

  static Result<Range> parse(std::string_view text, std::int64_t now_ms);
  friend bool operator==(const Range&, const Range&) = default;
};

/// What a partition holds, as its broker said it when the command started.
struct PartitionEnds {
  std::int64_t start_offset = 0;
  std::int64_t end_offset = 0;
  /// The first record at or after the range's begin, where that is a time; nothing if there is
  /// none.
  std::optional<std::int64_t> begin_time_offset;
  /// The same for the range's end.
  std::optional<std::int64_t> end_time_offset;
};

/// What to read of one partition: offsets [begin, end), of those what lies in the range's times.
struct PartitionRange {
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;
  std::optional<std::int64_t> time_begin_ms;
  std::optional<std::int64_t> time_end_ms;

  bool holds_time(std::int64_t timestamp_ms) const {
    return (!time_begin_ms || timestamp_ms >= *time_begin_ms) &&
           (!time_end_ms || timestamp_ms < *time_end_ms);
  }
  friend bool operator==(const PartitionRange&, const PartitionRange&) = default;
};

/// Applies `range` to a partition. With `stop_at_end` nothing behind the end offset is waited for.
/// A range that ends at a time ends before the first record that is as late, or at the end offset:
/// what is in the log behind that record belongs to later times, even if it claims otherwise.
/// Errc::offset_out_of_range for an absolute begin outside the partition.
Result<PartitionRange> resolve(const Range& range, const PartitionEnds& ends, bool stop_at_end);

}  // namespace leat::tools
