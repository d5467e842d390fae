// Texts as values of other types, as PostgreSQL reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "column/timestamp.h"
#include "column/value.h"

namespace leat::expression {

enum class Reading : std::uint8_t { good, malformed, out_of_range };

// Blanks around the text do not count. `out` is set if the reading is good.

Reading read_boolean(std::string_view text, std::int64_t& out);
Reading read_integer(std::string_view text, std::int64_t& out);
Reading read_real(std::string_view text, double& out);
/// `-12.5e3` and the like, rounded to the type's scale, halves away from zero.
Reading read_decimal(std::string_view text, const column::Type& to, column::Int128& out);
/// RFC 3339; also a date alone, which is its midnight, and a zone of hours alone.
Reading read_timestamp(std::string_view text, column::TimestampReader& reader, std::int64_t& out);
Reading read_date(std::string_view text, std::int64_t& out);
/// Numbers with units (`2 hours 1 day`; those of hours and less may have a fraction) and times
/// (`-01:02:03.5`), in any order.
Reading read_interval(std::string_view text, column::Interval& out);
/// Of `\x` and hexadecimal digits writes the bytes to `out`, which has room for half the text. Any
/// other text without a backslash is its own bytes: `is_hex` is false then.
Reading read_bytes(std::string_view text, bool& is_hex, char* out);

}  // namespace leat::expression
