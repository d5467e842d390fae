#include "column/json_encoder.h"

#include <charconv>
#include <cmath>

#include "base/assert.h"
#include "column/timestamp.h"

namespace leat::column {

namespace {

void append_integer(std::string& out, std::int64_t value) {
  char digits[20];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += hex[byte >> 4];
  out += hex[byte & 15];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, plain_from, i - plain_from);
    append_escaped(out, text[i]);
    plain_from = i + 1;
  }
  out.append(text, plain_from);
  out += '"';
}

void append_json_number(std::string& out, double value) {
  ASSERT(std::isfinite(value));
  char digits[32];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

void append_json(std::string& out, const Vector& vector, std::size_t row) {
  if (vector.is_null(row)) {
    out += "null";
    return;
  }
  switch (vector.type().kind) {
    case Type::boolean: out += vector.integer(row) != 0 ? "true" : "false"; return;
    case Type::bigint: return append_integer(out, vector.integer(row));
    case Type::double_precision: return append_json_number(out, vector.real(row));
    case Type::text: return append_json_string(out, vector.text(row));
    case Type::timestamp:
      out += '"';
      append_timestamp(out, Timestamp{vector.integer(row)});
      out += '"';
      return;
    default: ASSERT(false);
  }
}

}  // namespace leat::column
