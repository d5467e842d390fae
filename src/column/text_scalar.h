// Texts as cells, by PostgreSQL's rules: what CSV and the keys of records hold.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "column/timestamp.h"
#include "column/vector.h"

namespace leat::column {

enum class ReadDecimal { good, no_number, out_of_range };

/// Reads `-12.5e3` and the like, exactly, as a value of that decimal type: `units` / 10^scale,
/// halves rounded away from zero. Texts of more than 1,000 digits, or with an exponent beyond
/// 1,000, are no numbers.
ReadDecimal read_decimal(std::string_view text, const Type& type, Int128& units);

/// Why a text that read_decimal() does not take is no value of the type. REQUIRES: not good.
std::string decimal_error(ReadDecimal read, std::string_view text, const Type& type);

/// Sets a cell from a text that spells a value of its type, blanks around it left out; times also
/// as a date alone. Texts point into `text`. False if it spells none: `why` says so, in
/// PostgreSQL's words. REQUIRES: the type is no array, nor bytes or interval.
bool set_from_text(std::string_view text, TimestampReader& times, Vector& out, std::size_t row,
                   std::string& why);

}  // namespace leat::column
