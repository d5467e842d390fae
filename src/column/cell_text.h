// Cells as bare texts: in CSV, as a record's key, as a folder's name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "column/value.h"
#include "column/vector.h"

namespace leat::column {

void append_integer(std::string& out, std::int64_t value);
/// `-12.30`: as many digits behind the point as the scale says.
void append_decimal(std::string& out, Int128 units, int scale);
void append_date(std::string& out, Date date);
/// `1 year 2 mons -3 days +04:05:06.7`, as PostgreSQL writes it.
void append_interval(std::string& out, const Interval& interval);
/// `\xdeadbeef`
void append_hex(std::string& out, std::string_view bytes);

/// Appends a cell as it is read by set_from_text(): times as RFC 3339, texts as they are; arrays as
/// JSON. REQUIRES: it is not NULL.
void append_cell_text(std::string& out, const Vector& vector, std::size_t row);

}  // namespace leat::column
