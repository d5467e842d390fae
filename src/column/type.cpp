#include "column/type.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace leat::column {

namespace {

constexpr std::array<std::string_view, 9> kind_names{
    "boolean", "bigint", "double", "decimal", "text", "bytes", "timestamp", "date", "interval"};

// Reads a number of one or two digits off the front, as it would be printed.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || digits > 2 || (text[0] == '0' && digits > 1)) return {};
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

std::optional<Type> parse_decimal_type(std::string_view text) {
  if (!take(text, "(")) return {};
  skip_blanks(text);
  auto precision = take_number(text);
  skip_blanks(text);
  if (!precision || !take(text, ",")) return {};
  skip_blanks(text);
  auto scale = take_number(text);
  skip_blanks(text);
  if (!scale || text != ")") return {};
  if (*precision < 1 || *precision > precision_max || *scale < 0 || *scale > *precision) return {};
  return decimal(*precision, *scale);
}

}  // namespace

std::string name(const Type& type) {
  std::string text(kind_names[static_cast<std::size_t>(type.kind)]);
  if (type.kind == Type::Kind::decimal) {
    text += fmt::format("({},{})", type.precision, type.scale);
  }
  return type.array ? text + "[]" : text;
}

std::optional<Type> parse_type(std::string_view text) {
  if (text.ends_with("[]")) {
    auto element = parse_type(text.substr(0, text.size() - 2));
    if (!element || element->array) return {};
    return array_of(*element);
  }
  if (take(text, "decimal")) return parse_decimal_type(text);
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (text == kind_names[i]) return Type{static_cast<Type::Kind>(i)};
  }
  return {};
}

std::string type_names() {
  return "boolean, bigint, double, decimal(P,S) with P up to 38, text, bytes, timestamp, date, "
         "interval, and each with [] behind it";
}

std::string column_names(const Schema& schema) {
  std::string text;
  for (const auto& field : schema) text += (text.empty() ? "" : ", ") + field.name;
  return text;
}

}  // namespace leat::column
