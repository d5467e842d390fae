#include "column/json_encoder.h"

#include <algorithm>
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

char* write_escaped(char* to, char c) {
  constexpr std::string_view plain = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  *to++ = '\\';
  if (auto at = plain.find(c); at != plain.npos) {
    *to++ = letters[at];
    return to;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  auto byte = static_cast<unsigned char>(c);
  to = std::copy_n("u00", 3, to);
  *to++ = hex[byte >> 4];
  *to++ = hex[byte & 15];
  return to;
}

// Between the quotes.
char* write_characters(char* to, std::string_view text) {
  constexpr std::ptrdiff_t word = 8;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    if (end - at >= word && !may_need_escape(at)) {
      to = std::copy_n(at, word, to);
      at += word;
      continue;
    }
    const char* until = end - at < word ? end : at + word;
    for (; at != until; ++at) {
      auto byte = static_cast<unsigned char>(*at);
      if (byte >= 0x20 && byte != '"' && byte != '\\')
        *to++ = *at;
      else
        to = write_escaped(to, *at);
    }
  }
  return to;
}

}  // namespace

char* write_json_string(char* to, std::string_view text) {
  *to++ = '"';
  to = write_characters(to, text);
  *to++ = '"';
  return to;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::size_t piece = 64;
  char room[json_string_room(piece)];
  out += '"';
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), piece))) {
    out.append(room, write_characters(room, text.substr(0, piece)));
  }
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
