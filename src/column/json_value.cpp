#include "column/json_value.h"

#include <utility>

#include <fmt/format.h>

#include "column/json_scalar.h"
#include "column/text_scalar.h"

namespace leat::column {

namespace {

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n\r"), text.size()));
}

// How long the string is that `text` begins with, its quotes included.
std::size_t string_bytes(std::string_view text) {
  for (std::size_t at = 1;; at += 2) {
    at = text.find_first_of("\"\\", at);
    if (at == text.npos) return text.size();
    if (text[at] == '"') return at + 1;
  }
}

// What people get wrong most.
bool is_number_in_quotes(std::string_view token) {
  if (!token.starts_with('"')) return false;
  std::string text(token.substr(1, token.size() - 2));
  std::string plain(text.size(), ' ');
  std::ptrdiff_t size = unescape_json(text, plain.data());
  return size >= 0 && is_json_number({plain.data(), static_cast<std::size_t>(size)});
}

bool is_numeric(const Type& type) {
  return type == Type::bigint || type == Type::double_precision ||
         (type.kind == Type::decimal && !type.array);
}

}  // namespace

bool JsonValueReader::wrong(std::string_view token, const Type& type) {
  bad_token_ = token;
  bad_type_ = type;
  return false;
}

bool JsonValueReader::set(std::string_view token, bool may_have_escapes, std::string_view name,
                          Vector& out, std::size_t row) {
  if (set_one(token, may_have_escapes, out, row)) return true;
  reason_ = fmt::format("{} is no {}", name, column::name(bad_type_));
  if (is_numeric(bad_type_) && is_number_in_quotes(bad_token_)) {
    reason_ += ": it is a text; send it as a number, or declare the column as text and cast it";
    return false;
  }
  bool is_decimal = !bad_type_.array && bad_type_.kind == Type::decimal;
  if (!is_decimal || !is_json_number(bad_token_)) return false;
  Int128 units;
  reason_ = decimal_error(read_decimal(bad_token_, bad_type_, units), bad_token_, bad_type_);
  return false;
}

bool JsonValueReader::set_plain(std::string_view token, bool has_escapes, Vector& out,
                                std::size_t row) {
  const Type& type = out.type();
  if (type == Type::bigint) {
    std::int64_t integer;
    if (!parse_integer(token, integer)) return false;
    out.set_integer(row, integer);
    return true;
  }
  if (token[0] != '"' || has_escapes) return false;
  std::string_view text(token.data() + 1, token.size() - 2);
  if (type == Type::text) {
    out.set_text(row, text);
    return true;
  }
  if (type != Type::timestamp) return false;
  auto time = times_.read(text);
  if (time) out.set_integer(row, time->ms);
  return time.has_value();
}

bool JsonValueReader::set_one(std::string_view token, bool may_have_escapes, Vector& out,
                              std::size_t row) {
  if (token == "null") {
    out.set_null(row);
    return true;
  }
  if (out.type().array) return set_array(token, out, row);
  if (token[0] != '"') return set_scalar(token, out, row) || wrong(token, out.type());
  std::string_view text = token.substr(1, token.size() - 2);
  if (may_have_escapes && has_escapes(text)) {
    auto plain = unescape(text);
    if (!plain) return wrong(token, out.type());
    text = *plain;
  }
  return set_string(text, times_, out, row) || wrong(token, out.type());
}

bool JsonValueReader::set_array(std::string_view token, Vector& out, std::size_t row) {
  Vector& items = out.items();
  auto begin = static_cast<std::uint32_t>(items.size());
  if (!take_items(token, items)) {
    items.resize(begin);
    return false;
  }
  out.set_list(row, {begin, static_cast<std::uint32_t>(items.size()) - begin});
  return true;
}

bool JsonValueReader::take_items(std::string_view token, Vector& items) {
  Type type = array_of(items.type());
  if (!token.starts_with('[')) return wrong(token, type);
  std::string_view left = token.substr(1);
  skip_blanks(left);
  while (left != "]") {
    if (!take_item(left, items)) return false;
    if (left == "]") return true;
    if (!left.starts_with(',')) return wrong(token, type);
    left.remove_prefix(1);
    skip_blanks(left);
    if (left == "]") return wrong(token, type);
  }
  return true;
}

// Takes the next item and the blanks around it off `left`.
bool JsonValueReader::take_item(std::string_view& left, Vector& items) {
  skip_blanks(left);
  std::size_t size = left.starts_with('"') ? string_bytes(left)
                                           : std::min(left.find_first_of(", \t\n\r]"), left.size());
  std::string_view token = left.substr(0, size);
  std::size_t at = items.size();
  items.resize(at + 1);
  if (token.size() < 1 || !set_one(token, true, items, at)) return wrong(token, items.type());
  left.remove_prefix(size);
  skip_blanks(left);
  return true;
}

std::optional<std::string_view> JsonValueReader::unescape(std::string_view text) {
  char* room = texts_->reserve(text.size());
  std::ptrdiff_t size = unescape_json(text, room);
  if (size < 0) return {};
  texts_->keep(static_cast<std::size_t>(size));
  return std::string_view(room, static_cast<std::size_t>(size));
}

std::shared_ptr<const void> JsonValueReader::take_texts() {
  if (texts_->empty()) return nullptr;
  return std::exchange(texts_, std::make_shared<TextArena>());
}

}  // namespace leat::column
