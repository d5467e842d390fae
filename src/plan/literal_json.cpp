#include "plan/literal_json.h"

#include <charconv>
#include <cmath>

#include "base/assert.h"
#include "column/json_encoder.h"

namespace leat::plan {

namespace {

constexpr std::string_view hex = "0123456789abcdef";

std::string hex_text(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    text += hex[byte >> 4];
    text += hex[byte & 15];
  }
  return text;
}

std::optional<Value> read_hex(std::string_view text) {
  if (text.size() % 2 != 0) return {};
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    auto high = hex.find(text[i]), low = hex.find(text[i + 1]);
    if (high == hex.npos || low == hex.npos) return {};
    bytes += static_cast<char>(high * 16 + low);
  }
  return Value(bytes);
}

std::optional<Value> read_interval(const Json& json) {
  const auto* object = std::get_if<JsonObject>(&json);
  if (object == nullptr) return {};
  Interval interval;
  for (const auto& [name, part] : *object) {
    auto value = read_integer(part);
    if (!value) return {};
    if (name == "months")
      interval.months = *value;
    else if (name == "days")
      interval.days = *value;
    else if (name == "ms")
      interval.ms = *value;
    else
      return {};
  }
  return Value(interval);
}

Json interval_json(const Interval& interval) {
  JsonObject object;
  if (interval.months != 0) object["months"] = integer_json(interval.months);
  if (interval.days != 0) object["days"] = integer_json(interval.days);
  if (interval.ms != 0) object["ms"] = integer_json(interval.ms);
  return object;
}

template <class T>
std::optional<Value> as_value(const std::optional<T>& value) {
  if (!value) return {};
  return Value(*value);
}

}  // namespace

std::optional<std::int64_t> read_integer(const Json& json) {
  const auto* number = std::get_if<JsonNumber>(&json);
  if (number == nullptr) return {};
  std::int64_t value = 0;
  const char* end = number->token.data() + number->token.size();
  auto [at, error] = std::from_chars(number->token.data(), end, value);
  if (error != std::errc() || at != end) return {};
  return value;
}

Json integer_json(std::int64_t value) {
  return JsonNumber{std::to_string(value)};
}

std::optional<double> read_double(const Json& json) {
  const auto* number = std::get_if<JsonNumber>(&json);
  if (number == nullptr) return {};
  double value = 0;
  const char* end = number->token.data() + number->token.size();
  auto [at, error] = std::from_chars(number->token.data(), end, value);
  // What is too small to be told from zero is zero, or nearly: from_chars leaves that to strtod.
  if (error == std::errc::result_out_of_range) value = std::strtod(number->token.c_str(), nullptr);
  if (at != end || !std::isfinite(value)) return {};
  return value + 0.0;  // makes a negative zero a zero
}

Json double_json(double value) {
  std::string token;
  column::append_json_number(token, value);
  return JsonNumber{token};
}

Json literal_json(const Type& type, const Value& value) {
  ASSERT(!value.is_null() && !type.array);
  switch (type.kind) {
    case Type::Kind::boolean: return std::get<bool>(value);
    case Type::Kind::bigint: return integer_json(std::get<std::int64_t>(value));
    case Type::Kind::double_precision: return double_json(std::get<double>(value));
    case Type::Kind::decimal: return decimal_text(std::get<Decimal>(value));
    case Type::Kind::text: return std::get<std::string>(value);
    case Type::Kind::bytes: return hex_text(std::get<std::string>(value));
    case Type::Kind::timestamp: {
      std::string text;
      column::append_timestamp(text, std::get<Timestamp>(value));
      return text;
    }
    case Type::Kind::date: return date_text(std::get<Date>(value));
    case Type::Kind::interval: return interval_json(std::get<Interval>(value));
  }
  ASSERT(false);
  return nullptr;
}

std::optional<Value> read_literal(Type::Kind kind, const Json& json) {
  const auto* text = std::get_if<std::string>(&json);
  switch (kind) {
    case Type::Kind::boolean:
      if (const auto* truth = std::get_if<bool>(&json)) return Value(*truth);
      return {};
    case Type::Kind::bigint: return as_value(read_integer(json));
    case Type::Kind::double_precision: return as_value(read_double(json));
    case Type::Kind::interval: return read_interval(json);
    default: break;
  }
  if (text == nullptr) return {};
  switch (kind) {
    case Type::Kind::decimal: return as_value(parse_decimal(*text));
    case Type::Kind::bytes: return read_hex(*text);
    case Type::Kind::timestamp: return as_value(column::parse_timestamp(*text));
    case Type::Kind::date: return as_value(parse_date(*text));
    default: return Value(*text);
  }
}

}  // namespace leat::plan
