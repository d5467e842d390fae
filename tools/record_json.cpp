#include "tools/record_json.h"

#include <deque>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "column/json_encoder.h"
#include "column/timestamp.h"
#include "record/record.h"
#include "tools/base64.h"

namespace leat::tools {

namespace dom = simdjson::dom;

namespace {

/// Appends `"name":"text"`, or what the grammar says for bytes that are no text.
void append_bytes(std::string& out, std::string_view name,
                  const std::optional<std::string_view>& bytes) {
  bool is_text = !bytes || simdjson::validate_utf8(*bytes);
  out += '"';
  out.append(name);
  out += is_text ? "\":" : "_base64\":\"";
  if (!bytes) {
    out += "null";
  } else if (is_text) {
    column::append_json_string(out, *bytes);
  } else {
    append_base64(out, as_bytes(*bytes));
    out += '"';
  }
}

tl::unexpected<Error> bad(std::string what) {
  return fail(Errc::bad_record, std::move(what));
}

Timestamp at_ms(std::int64_t ms) {
  return Timestamp(std::chrono::milliseconds(ms));
}

Result<Timestamp> to_timestamp(dom::element element, std::string_view name) {
  std::int64_t ms = 0;
  if (element.get(ms) == simdjson::SUCCESS) return at_ms(ms);
  std::string_view text;
  if (element.get(text) == simdjson::SUCCESS)
    if (auto time = column::parse_timestamp(text)) return at_ms(time->ms);
  return bad(fmt::format("'{}' is neither an RFC 3339 time nor milliseconds since 1970: {}", name,
                         std::string(simdjson::minify(element))));
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  if (simdjson::validate_utf8(text)) return column::append_json_string(out, text);
  std::string replaced;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x80)
      replaced += c;
    else
      replaced += "\xEF\xBF\xBD";
  }
  column::append_json_string(out, replaced);
}

void append_record_json(std::string& out, const InRecord& record) {
  out += "{\"topic\":";
  append_json_text(out, record.topic);
  out += ",\"partition\":";
  out.append(fmt::format_int(record.partition).c_str());
  out += ",\"offset\":";
  out.append(fmt::format_int(record.offset).c_str());
  out += ",\"timestamp\":";
  std::int64_t timestamp_ms = record.timestamp.time_since_epoch().count();
  if (timestamp_ms == record::no_timestamp_ms)
    out += "null";
  else
    out.append(fmt::format_int(timestamp_ms).c_str());
  out += ',';
  append_bytes(out, "key", record.key);
  out += ',';
  append_bytes(out, "value", record.value);
  out += ",\"headers\":[";
  bool first = true;
  for (const Header& header : record.headers) {
    if (!first) out += ',';
    first = false;
    out += '{';
    append_bytes(out, "key", header.name);
    out += ',';
    append_bytes(out, "value", header.value);
    out += '}';
  }
  out += "]}";
}

struct JsonLineReader::State {
  /// Of a key or a value: bytes, or null.
  using Text = std::optional<std::string_view>;

  dom::parser parser;
  LineRecord record;
  /// Bytes that were written in base64, and texts made here. A deque does not move them.
  std::deque<std::string> decoded;

  Result<dom::object> parse(std::string_view line);
  Result<Text> read_bytes(dom::object object, const char* name, bool required);
  Result<Text> from_base64(dom::element element, const std::string& name);
  Result<void> read_headers(dom::object object);
};

JsonLineReader::JsonLineReader() : state_(std::make_unique<State>()) {}
JsonLineReader::~JsonLineReader() = default;

Result<dom::object> JsonLineReader::State::parse(std::string_view line) {
  record = {};
  decoded.clear();
  dom::object object;
  auto code = parser.parse(line.data(), line.size(), /*realloc_if_needed=*/false).get(object);
  if (code == simdjson::INCORRECT_TYPE) return bad("not a JSON object");
  if (code) return bad(fmt::format("not JSON: {}", simdjson::error_message(code)));
  return object;
}

auto JsonLineReader::State::from_base64(dom::element element, const std::string& name)
    -> Result<Text> {
  std::string_view text;
  Bytes bytes;
  if (element.get(text) || !append_from_base64(bytes, text))
    return bad(fmt::format("'{}' is not base64", name));
  decoded.emplace_back(as_text(bytes));
  return Text(decoded.back());
}

auto JsonLineReader::State::read_bytes(dom::object object, const char* name, bool required)
    -> Result<Text> {
  dom::element element;
  if (object.at_key(name).get(element) == simdjson::SUCCESS) {
    std::string_view text;
    if (element.is_null()) return Text();
    if (element.get(text)) return bad(fmt::format("'{}' is neither a string nor null", name));
    return Text(text);
  }
  std::string in_base64 = std::string(name) + "_base64";
  if (object.at_key(in_base64).get(element) == simdjson::SUCCESS)
    return from_base64(element, in_base64);
  if (required) return bad(fmt::format("'{}' is missing", name));
  return Text();
}

Result<void> JsonLineReader::State::read_headers(dom::object object) {
  dom::element element;
  if (object.at_key("headers").get(element) || element.is_null()) return {};
  dom::array headers;
  if (element.get(headers)) return bad("'headers' is not an array");
  for (dom::element item : headers) {
    dom::object header;
    if (item.get(header)) return bad("a header is not an object");
    auto key = read_bytes(header, "key", true);
    if (!key) return fail(key);
    if (!*key) return bad("a header's key is null");
    auto value = read_bytes(header, "value", true);
    if (!value) return fail(value);
    record.headers.push_back({**key, *value});
  }
  return {};
}

Result<const LineRecord*> JsonLineReader::read_record(std::string_view line) {
  auto object = state_->parse(line);
  if (!object) return fail(object);
  auto key = state_->read_bytes(*object, "key", false);
  if (!key) return fail(key);
  auto value = state_->read_bytes(*object, "value", true);
  if (!value) return fail(value);
  auto headers = state_->read_headers(*object);
  if (!headers) return fail(headers);
  state_->record.key = *key;
  state_->record.value = *value;
  dom::element timestamp;
  if (!object->at_key("timestamp").get(timestamp) && !timestamp.is_null()) {
    auto time = to_timestamp(timestamp, "timestamp");
    if (!time) return fail(time);
    state_->record.timestamp = *time;
  }
  return &state_->record;
}

Result<const LineRecord*> JsonLineReader::read_fields(
    std::string_view line, const std::optional<std::string>& key_field,
    const std::optional<std::string>& timestamp_field) {
  auto object = state_->parse(line);
  if (!object) return fail(object);
  state_->record.value = line;
  dom::element element;
  if (key_field) {
    if (object->at_key(*key_field).get(element))
      return bad(fmt::format("field '{}' is missing", *key_field));
    std::string_view text;
    if (element.get(text) == simdjson::SUCCESS) {
      state_->record.key = text;
    } else if (!element.is_null()) {
      state_->decoded.emplace_back(simdjson::minify(element));
      state_->record.key = state_->decoded.back();
    }
  }
  if (timestamp_field) {
    if (object->at_key(*timestamp_field).get(element))
      return bad(fmt::format("field '{}' is missing", *timestamp_field));
    auto time = to_timestamp(element, *timestamp_field);
    if (!time) return fail(time);
    state_->record.timestamp = *time;
  }
  return &state_->record;
}

}  // namespace leat::tools
