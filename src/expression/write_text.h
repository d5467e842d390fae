// Values as texts, as PostgreSQL writes them.
#pragma once

#include <cstddef>
#include <string_view>

#include "column/value.h"

namespace leat::expression {

/// Room for any of these but bytes.
inline constexpr std::size_t written_max = 160;

// Each writes to `out` and returns what is behind.

char* write_integer(char* out, std::int64_t value);
/// As many digits as are needed to read the same double again.
char* write_real(char* out, double value);
char* write_decimal(char* out, column::Int128 units, int scale);
/// `2015-09-12`
char* write_date(char* out, std::int64_t days);
/// `2015-09-12 00:45:00.5+00`
char* write_timestamp(char* out, std::int64_t ms);
/// `1 year 2 mons -3 days +04:05:06.7`
char* write_interval(char* out, const column::Interval& interval);
/// `\x01ff`: room for two more than twice the bytes.
char* write_bytes(char* out, std::string_view bytes);
/// `width` digits at least.
char* write_padded(char* out, std::uint64_t value, int width);

}  // namespace leat::expression
