// Times as text: RFC 3339 in UTC.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::column {

/// Milliseconds since 1970 UTC.
struct Timestamp {
  std::int64_t ms = 0;
  friend auto operator<=>(Timestamp, Timestamp) = default;
};

/// The years 0000 to 9999, which is what RFC 3339 can write.
inline constexpr Timestamp timestamp_min{-62'167'219'200'000};
inline constexpr Timestamp timestamp_max{253'402'300'799'999};

/// Reads `2015-09-12T00:45:00[.123][Z|+02:00]`, with a blank for the `T` if wanted. Digits after
/// the millisecond are cut off; a time without a zone is UTC. Nothing if it is anything else.
std::optional<Timestamp> parse_timestamp(std::string_view text);

/// parse_timestamp() for texts that come one after the other: most are of the hour before.
/// Not thread-safe.
class TimestampReader {
 public:
  std::optional<Timestamp> read(std::string_view text);

 private:
  // How texts of that hour begin, and when it did.
  std::array<char, 14> hour_{'1', '9', '7', '0', '-', '0', '1', '-', '0', '1', 'T', '0', '0', ':'};
  std::int64_t hour_ms_ = 0;
};

/// Appends `2015-09-12T00:45:00Z`, with milliseconds only when they are not zero.
/// REQUIRES: timestamp_min <= time <= timestamp_max.
void append_timestamp(std::string& out, Timestamp time);

}  // namespace leat::column
