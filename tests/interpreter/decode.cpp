#include "interpreter/decode.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/assert.h"
#include "interpreter/evaluate.h"
#include "plan/json_path.h"
#include "plan/literal_json.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

using From = SourceColumn::From;

constexpr Type text_type{Type::Kind::text};

BadValue not_a(const std::string& what, const Type& type) {
  return {what + " is no " + name(type)};
}

// A number that was sent in quotes is what people get wrong most.
BadValue not_a(const std::string& what, const Type& type, const Json& json) {
  BadValue bad = not_a(what, type);
  const auto* text = std::get_if<std::string>(&json);
  bool is_numeric = type.kind == Type::Kind::bigint || type.kind == Type::Kind::decimal ||
                    type.kind == Type::Kind::double_precision;
  bool has_blanks = text != nullptr && text->find_first_of(" \t\r\n") != text->npos;
  if (text == nullptr || !is_numeric || has_blanks) return bad;
  auto number = parse_json(*text, RepeatedNames::last_counts);
  if (number && std::holds_alternative<JsonNumber>(*number)) {
    bad.why += ": it is a text; send it as a number, or declare the column as text and cast it";
  }
  return bad;
}

// Numbers as decimals from their own digits; times as texts or whole milliseconds.
Value from_json(const Json& json, const Type& type, const std::string& what) {
  if (std::holds_alternative<std::nullptr_t>(json)) return {};
  if (type.array) {
    const auto* items = std::get_if<JsonArray>(&json);
    if (items == nullptr) throw not_a(what, type);
    Array array;
    for (const auto& item : *items) array.items.push_back(from_json(item, element_of(type), what));
    return array;
  }
  if (type.kind == Type::Kind::decimal) {
    const auto* number = std::get_if<JsonNumber>(&json);
    if (number == nullptr) throw not_a(what, type, json);
    return cast(number->token, text_type, type);
  }
  if (type.kind == Type::Kind::timestamp) {
    if (auto ms = read_integer(json)) {
      bool in_range = *ms >= column::timestamp_min.ms && *ms <= column::timestamp_max.ms;
      if (!in_range) throw not_a(what, type);
      return Timestamp{*ms};
    }
  }
  auto value = read_literal(type.kind, json);
  if (!value) throw not_a(what, type, json);
  return *value;
}

struct CsvField {
  std::string text;
  bool quoted = false;
};

// RFC 4180.
std::vector<CsvField> split_csv(const std::string& line) {
  std::vector<CsvField> fields(1);
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    CsvField& field = fields.back();
    if (inside && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      field.text += line[++i];
    } else if (inside && line[i] == '"') {
      inside = false;
    } else if (inside) {
      field.text += line[i];
    } else if (line[i] == ',') {
      fields.emplace_back();
    } else if (line[i] == '"' && field.text.empty() && !field.quoted) {
      inside = field.quoted = true;
    } else if (line[i] == '"' || field.quoted) {
      throw BadValue{"a quote within a field"};
    } else {
      field.text += line[i];
    }
  }
  if (inside) throw BadValue{"a quoted field does not end"};
  return fields;
}

// An empty field is NULL, a quoted one an empty text.
Value from_csv(const CsvField& field, const SourceColumn& column) {
  if (field.text.empty() && !field.quoted) return {};
  try {
    return cast(field.text, text_type, column.type);
  } catch (const BadValue& bad) {
    throw BadValue{column.name + ": " + bad.why};
  }
}

Value from_bytes(const std::string& bytes, const Type& type) {
  if (type.kind == Type::Kind::bigint) return cast(bytes, text_type, type);
  bool is_text = simdjson::validate_utf8(bytes.data(), bytes.size());
  if (type.kind == Type::Kind::text && !is_text) throw BadValue{"not UTF-8"};
  return bytes;
}

Value from_record(const SourceColumn& column, const Log& log, std::int64_t partition,
                  std::int64_t offset, const Record& record) {
  switch (column.from) {
    case From::key: return record.key ? from_bytes(*record.key, column.type) : Value();
    case From::timestamp:
      if (record.timestamp_ms < 0) return {};
      if (record.timestamp_ms > column::timestamp_max.ms) throw not_a(column.name, column.type);
      return Timestamp{record.timestamp_ms};
    case From::offset: return offset;
    case From::partition: return partition;
    case From::topic: return log.topic;
    case From::header: break;
    case From::value: ASSERT(false);
  }
  Value value;  // of headers with the same name the last one counts
  for (const auto& [name, bytes] : record.headers) {
    if (name == column.header) value = from_bytes(bytes, column.type);
  }
  return value;
}

// The values of the columns that are from the record's value, in their order.
Values from_value(const Source& source, const std::string& text, const std::string* header) {
  std::vector<const SourceColumn*> columns;
  for (const auto& column : source.columns) {
    if (column.from == From::value) columns.push_back(&column);
  }
  Values values;
  if (source.format == Source::Format::raw) {
    for (const auto* column : columns) values.push_back(from_bytes(text, column->type));
    return values;
  }
  if (source.format == Source::Format::json) {
    auto json = parse_json(text, RepeatedNames::last_counts);
    if (!json) throw BadValue{"not JSON: " + json.error().what};
    if (!std::holds_alternative<JsonObject>(*json)) throw BadValue{"not a JSON object"};
    for (const auto* column : columns) {
      JsonPath path{column->name};
      if (!column->path.empty()) path = *parse_json_path(column->path);
      const Json* found = find(*json, path);
      values.push_back(found == nullptr ? Value() : from_json(*found, column->type, column->name));
    }
    return values;
  }
  if (!simdjson::validate_utf8(text.data(), text.size())) throw BadValue{"not UTF-8"};
  auto fields = split_csv(text);
  std::vector<CsvField> names;
  if (header != nullptr) names = split_csv(*header);
  std::size_t wanted = header != nullptr ? names.size() : columns.size();
  if (fields.size() != wanted) {
    throw BadValue{fmt::format("{} fields, where {} are wanted", fields.size(), wanted)};
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t at = i;
    if (header != nullptr) {
      const auto& name = columns[i]->path.empty() ? columns[i]->name : columns[i]->path;
      auto same = [&](const CsvField& field) { return field.text == name; };
      at = static_cast<std::size_t>(std::find_if(names.begin(), names.end(), same) - names.begin());
    }
    values.push_back(at < fields.size() ? from_csv(fields[at], *columns[i]) : Value());
  }
  return values;
}

}  // namespace

Values decode(const Source& source, const Log& log, std::int64_t partition, std::int64_t offset,
              const std::string* header) {
  const Record& record =
      log.partitions[static_cast<std::size_t>(partition)][static_cast<std::size_t>(offset)];
  Values of_value;
  if (record.value)
    of_value = from_value(source, *record.value, header);
  else if (!source.upsert)
    throw BadValue{"a record without value"};
  Values values;
  std::size_t next = 0;
  for (const auto& column : source.columns) {
    if (column.from != From::value) {
      values.push_back(from_record(column, log, partition, offset, record));
    } else {
      values.push_back(record.value ? of_value[next++] : Value());
    }
  }
  return values;
}

}  // namespace leat::interpreter
