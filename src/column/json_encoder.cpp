#include "column/json_encoder.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/assert.h"
#include "column/cell_text.h"

namespace leat::column {

namespace {

// Whether one of eight bytes has to be escaped. May say so of others too, never the other way.
bool may_need_escape(const char* text) {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  constexpr std::uint64_t highs = 0x8080'8080'8080'8080;
  std::uint64_t word;
  std::memcpy(&word, text, sizeof word);
  std::uint64_t quote = word ^ (ones * '"');
  std::uint64_t backslash = word ^ (ones * '\\');
  std::uint64_t below = (word - ones * 0x20) & ~word;  // control characters
  return ((below | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs) != 0;
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
    while (i + 8 <= text.size() && !may_need_escape(text.data() + i)) i += 8;
    if (i == text.size()) break;
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
  if (vector.type().array) {
    auto [begin, count] = vector.list(row);
    out += '[';
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i > 0) out += ',';
      append_json(out, vector.items(), begin + i);
    }
    out += ']';
    return;
  }
  switch (vector.type().kind) {
    case Type::text: return append_json_string(out, vector.text(row));
    case Type::bytes:
      out += "\"\\";  // and another backslash, which is part of the text
      append_hex(out, vector.text(row));
      break;
    case Type::timestamp:
    case Type::date:
    case Type::interval:
      out += '"';
      append_cell_text(out, vector, row);
      break;
    default: return append_cell_text(out, vector, row);
  }
  out += '"';
}

}  // namespace leat::column
