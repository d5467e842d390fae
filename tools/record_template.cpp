#include "tools/record_template.h"

#include <cstdint>
#include <iterator>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "base/bytes.h"

namespace leat::tools {

namespace {

constexpr std::string_view letters = "tpoTkshKSR";

void append_text(std::string& out, const std::optional<std::string_view>& bytes) {
  if (bytes) out.append(*bytes);
}

void append_number(std::string& out, std::int64_t number) {
  out.append(fmt::format_int(number).c_str());
}

std::int32_t size_of(const std::optional<std::string_view>& bytes) {
  return bytes ? static_cast<std::int32_t>(bytes->size()) : -1;
}

void append_headers(std::string& out, std::span<const Header> headers) {
  bool first = true;
  for (const Header& header : headers) {
    if (!first) out += ',';
    first = false;
    out.append(header.name);
    out += '=';
    append_text(out, header.value);
  }
}

void append_size_bytes(std::string& out, const std::optional<std::string_view>& bytes) {
  std::byte encoded[sizeof(std::int32_t)];
  store_big_endian(encoded, size_of(bytes));
  out.append(as_text(encoded));
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// Reads one escape behind its backslash and steps over it; nothing for one that does not exist.
std::optional<char> read_escape(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  char c = rest.front();
  rest.remove_prefix(1);
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '\\': return '\\';
    case 'x': {
      auto high = rest.size() < 2 ? std::nullopt : hex_digit(rest[0]);
      auto low = rest.size() < 2 ? std::nullopt : hex_digit(rest[1]);
      if (!high || !low) return std::nullopt;
      rest.remove_prefix(2);
      return static_cast<char>(*high * 16 + *low);
    }
    default: return std::nullopt;
  }
}

}  // namespace

Result<RecordTemplate> RecordTemplate::parse(std::string_view text) {
  RecordTemplate parsed;
  std::string_view rest = text;
  while (!rest.empty()) {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '\\') {
      auto escaped = read_escape(rest);
      if (!escaped)
        return fail(Errc::invalid_argument,
                    fmt::format("template '{}': only \\n, \\r, \\t, \\\\ and \\xHH may follow a "
                                "backslash",
                                text));
      parsed.add_literal(*escaped);
    } else if (c == '%' && rest.starts_with('%')) {
      rest.remove_prefix(1);
      parsed.add_literal('%');
    } else if (c == '%') {
      if (rest.empty() || letters.find(rest.front()) == std::string_view::npos)
        return fail(Errc::invalid_argument,
                    fmt::format("template '{}': '%{}' is none of %t %p %o %k %s %T %h %K %S %R %%",
                                text, rest.substr(0, 1)));
      parsed.parts_.push_back({rest.front(), {}});
      rest.remove_prefix(1);
    } else {
      parsed.add_literal(c);
    }
  }
  return parsed;
}

void RecordTemplate::add_literal(char c) {
  if (parts_.empty() || parts_.back().letter != 0) parts_.push_back({});
  parts_.back().literal += c;
}

void RecordTemplate::print(const InRecord& record, std::string& out) const {
  for (const Part& part : parts_) {
    switch (part.letter) {
      case 't': out.append(record.topic); break;
      case 'p': append_number(out, record.partition); break;
      case 'o': append_number(out, record.offset); break;
      case 'T': append_number(out, record.timestamp.time_since_epoch().count()); break;
      case 'k': append_text(out, record.key); break;
      case 's': append_text(out, record.value); break;
      case 'h': append_headers(out, record.headers); break;
      case 'K': append_number(out, size_of(record.key)); break;
      case 'S': append_number(out, size_of(record.value)); break;
      case 'R': append_size_bytes(out, record.value); break;
      default: out.append(part.literal);
    }
  }
}

}  // namespace leat::tools
