#include "interpreter/records.h"

#include <algorithm>

#include "column/json_encoder.h"
#include "interpreter/evaluate.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

std::string quoted(const std::string& text) {
  std::string json;
  column::append_json_string(json, text);
  return json;
}

std::string object_of(const Row& row, const Schema& schema,
                      const std::vector<std::size_t>& columns) {
  std::string json = "{";
  for (auto column : columns) {
    if (json.size() > 1) json += ',';
    json += quoted(schema[column].name) + ':' + json_text(row.values[column], schema[column].type);
  }
  return json + "}";
}

// As in a key, and in CSV.
std::string bare_text(const Value& value, const Type& type) {
  bool is_bytes = !type.array && type.kind == Type::Kind::bytes;
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !is_bytes) {
    return *text;
  }
  if (is_bytes) return std::get<std::string>(cast(value, type, Type{}));
  std::string json = json_text(value, type);
  return json.front() == '"' ? json.substr(1, json.size() - 2) : json;
}

// The bare text of a single column, else an object; none if there is no column, or NULL in it.
std::optional<std::string> key_of_record(const BoundNode& sink, const Row& row) {
  if (sink.keys.empty()) return {};
  if (sink.keys.size() > 1) return object_of(row, sink.schema, sink.keys);
  const Value& value = row.values[sink.keys[0]];
  if (value.is_null()) return {};
  return bare_text(value, sink.schema[sink.keys[0]].type);
}

// NULL is an empty field, an empty text one in quotes.
std::string line_of(const Row& row, const Schema& schema) {
  std::string line;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (i > 0) line += ',';
    if (row.values[i].is_null()) continue;
    std::string text = bare_text(row.values[i], schema[i].type);
    if (!text.empty() && text.find_first_of(",\"\r\n") == text.npos) {
      line += text;
      continue;
    }
    line += '"';
    for (char c : text) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line;
}

std::string name_of(Kind kind) {
  switch (kind) {
    case Kind::insert: return "insert";
    case Kind::update_before: return "update_before";
    case Kind::update_after: return "update_after";
    case Kind::remove: break;
  }
  return "delete";
}

}  // namespace

std::string json_text(const Value& value, const Type& type) {
  if (value.is_null()) return "null";
  std::string json;
  if (type.array) {
    for (const auto& item : std::get<Array>(value).items) {
      json += (json.empty() ? "" : ",") + json_text(item, element_of(type));
    }
    return "[" + json + "]";
  }
  switch (type.kind) {
    case Type::Kind::double_precision:
      column::append_json_number(json, std::get<double>(value));
      return json;
    case Type::Kind::boolean:
    case Type::Kind::bigint:
    case Type::Kind::decimal: return std::get<std::string>(cast(value, type, Type{}));
    case Type::Kind::timestamp:
      column::append_timestamp(json, std::get<Timestamp>(value));
      return quoted(json);
    default: return quoted(std::get<std::string>(cast(value, type, Type{})));
  }
}

std::vector<SinkRecord> records_of(const BoundNode& sink, const Rows& rows) {
  bool all = std::get<Sink>(sink.node->body).changes == Sink::Changes::all;
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < sink.schema.size(); ++i) columns.push_back(i);
  bool csv = std::get<Sink>(sink.node->body).format == Sink::Format::csv;
  std::vector<SinkRecord> records;
  for (const auto& row : rows) {
    if (!all && row.kind == Kind::update_before) continue;
    SinkRecord record;
    record.key = key_of_record(sink, row);
    record.timestamp_ms = std::max<std::int64_t>(row.time, -1);  // none before 1970
    if (all) record.kind = name_of(row.kind);
    bool gone = !all && row.kind == Kind::remove;
    if (!gone && csv) record.value = line_of(row, sink.schema);
    if (!gone && !csv) record.value = object_of(row, sink.schema, columns);
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace leat::interpreter
