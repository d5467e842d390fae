// Rows as JSON text.
#pragma once

#include <string>
#include <string_view>

#include "column/type.h"
#include "column/vector.h"

namespace leat::column {

/// Appends `text` in quotes, with the escapes that JSON asks for and no others. REQUIRES: UTF-8.
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest number that reads back as `value`. REQUIRES: a finite value.
void append_json_number(std::string& out, double value);

/// Appends cell `row` as JSON: numbers bare, with a decimal's digits; times as RFC 3339, dates,
/// intervals and bytes as PostgreSQL writes them, all these in quotes; arrays as arrays, NULL as
/// null.
void append_json(std::string& out, const Vector& vector, std::size_t row);

}  // namespace leat::column
