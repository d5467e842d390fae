// Rows as JSON text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "column/type.h"
#include "column/vector.h"

namespace leat::column {

/// Bytes that a text may take as a JSON string.
constexpr std::size_t json_string_room(std::size_t text_bytes) {
  return 6 * text_bytes + 2;
}
/// The same as append_json_string() to where there is that much room. Returns the end.
char* write_json_string(char* to, std::string_view text);

/// Appends `text` in quotes, with the escapes that JSON asks for and no others. REQUIRES: UTF-8.
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest number that reads back as `value`. REQUIRES: a finite value.
void append_json_number(std::string& out, double value);

/// Appends cell `row` as JSON: numbers bare, with a decimal's digits; times as RFC 3339, dates,
/// intervals and bytes as PostgreSQL writes them, all these in quotes; arrays as arrays, NULL as
/// null.
void append_json(std::string& out, const Vector& vector, std::size_t row);

}  // namespace leat::column
