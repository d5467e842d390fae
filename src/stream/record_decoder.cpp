#include "stream/record_decoder.h"

#include <utility>

#include <simdjson.h>

#include "base/assert.h"
#include "column/text_scalar.h"
#include "plan/json.h"
#include "plan/json_path.h"

namespace leat::stream {

using plan::SourceColumn;
using From = SourceColumn::From;

std::vector<bool> decoded_columns(const plan::BoundNode& source, std::vector<bool> used) {
  used.resize(source.schema.size(), used.empty());
  for (std::size_t column : source.columns) used[column] = true;
  if (source.table) {
    for (std::size_t column : source.table->keys) used[column] = true;
  }
  return used;
}

RecordDecoder::RecordDecoder(const plan::BoundNode& source, const std::vector<bool>& decoded,
                             PartitionId partition)
    : source_(std::get<plan::Source>(source.node->body)), partition_(partition) {
  for (std::size_t i = 0; i < source_.columns.size(); ++i) {
    if (!decoded[i]) continue;
    (source_.columns[i].from == From::value ? of_value_ : of_meta_).push_back(i);
  }
  make_value_decoder(decoded);
}

void RecordDecoder::make_value_decoder(const std::vector<bool>& decoded) {
  std::vector<column::JsonField> json;
  std::vector<column::CsvField> csv;
  std::size_t places = 0;
  for (std::size_t i = 0; i < source_.columns.size(); ++i) {
    const auto& column = source_.columns[i];
    if (column.from != From::value) continue;
    std::size_t place = places++;
    if (!decoded[i]) continue;
    column::JsonPath path{column.name};
    bool is_json = source_.format == plan::Source::Format::json;
    if (is_json && !column.path.empty()) path = *plan::parse_json_path(column.path);
    json.push_back({column.name, column.type, std::move(path), i});
    csv.push_back(
        {column.type, place, column.path.empty() ? column.name : column.path, i, column.name});
  }
  switch (source_.format) {
    case plan::Source::Format::json: json_.emplace(std::move(json)); break;
    case plan::Source::Format::csv: csv_.emplace(std::move(csv), places); break;
    case plan::Source::Format::raw: break;
  }
}

void RecordDecoder::read_names(std::string_view line) {
  if (csv_) csv_->read_names(line);
}

bool RecordDecoder::decode(const record::Record& record, std::span<column::Vector> columns,
                           std::size_t row) {
  if (record.value) {
    if (!decode_value(*record.value, columns, row)) return false;
  } else {
    if (!source_.upsert) return wrong("a record without value");
    for (std::size_t column : of_value_) columns[column].set_null(row);
  }
  for (std::size_t column : of_meta_) {
    if (!decode_meta(column, record, columns[column], row)) return false;
  }
  return true;
}

bool RecordDecoder::decode_value(BytesView value, std::span<column::Vector> columns,
                                 std::size_t row) {
  std::string_view text = as_text(value);
  if (json_) return json_->decode(text, columns, row) || explain_json(text);
  if (csv_) return csv_->decode(text, columns, row) || wrong(csv_->reason());
  for (std::size_t column : of_value_) {
    if (!decode_bytes(value, columns[column], row)) return false;
  }
  return true;
}

// What comes first of all that is wrong with a value: the decoder stops at what it meets first.
bool RecordDecoder::explain_json(std::string_view value) {
  auto json = plan::parse_json(value, plan::RepeatedNames::last_counts);
  if (!json) return wrong("not JSON: " + json.error().what);
  return wrong(json_->reason());
}

bool RecordDecoder::decode_meta(std::size_t number, const record::Record& record,
                                column::Vector& out, std::size_t row) {
  const SourceColumn& column = source_.columns[number];
  out.set_null(row);
  switch (column.from) {
    case From::key: return !record.key || decode_bytes(*record.key, out, row);
    case From::timestamp:
      if (record.timestamp_ms < 0) return true;
      if (record.timestamp_ms > column::timestamp_max.ms) {
        return wrong(column.name + " is no " + plan::name(column.type));
      }
      out.set_integer(row, record.timestamp_ms);
      return true;
    case From::offset: out.set_integer(row, record.offset.value()); return true;
    case From::partition: out.set_integer(row, partition_.value()); return true;
    case From::topic: out.set_text(row, source_.topic); return true;
    case From::header: break;
    case From::value: ASSERT(false);
  }
  for (const auto& header : record.headers) {
    if (header.key != column.header) continue;
    out.set_null(row);
    if (header.value && !decode_bytes(*header.value, out, row)) return false;
  }
  return true;
}

bool RecordDecoder::decode_bytes(BytesView bytes, column::Vector& out, std::size_t row) {
  std::string_view text = as_text(bytes);
  if (out.type() == column::Type::bigint) {
    return column::set_from_text(text, times_, out, row, reason_);
  }
  bool is_text = out.type() == column::Type::text;
  if (is_text && !simdjson::validate_utf8(text.data(), text.size())) return wrong("not UTF-8");
  out.set_text(row, text);
  return true;
}

void RecordDecoder::give_texts(std::vector<column::Buffer>& buffers) {
  auto texts = json_ ? json_->take_texts() : csv_ ? csv_->take_texts() : nullptr;
  if (texts) buffers.push_back({std::move(texts)});
}

}  // namespace leat::stream
