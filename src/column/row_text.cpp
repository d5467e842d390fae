#include "column/row_text.h"

#include <numeric>

#include "column/cell_text.h"
#include "column/json_encoder.h"

namespace leat::column {

namespace {

std::vector<std::size_t> all_of(const Schema& schema) {
  std::vector<std::size_t> columns(schema.size());
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  return columns;
}

}  // namespace

JsonRows::JsonRows(const Schema& schema) : JsonRows(schema, all_of(schema)) {}

JsonRows::JsonRows(const Schema& schema, std::vector<std::size_t> columns) {
  for (std::size_t number : columns) {
    Column& column = columns_.emplace_back();
    column.number = number;
    column.is_time = schema[number].type == Type::timestamp;
    if (columns_.size() > 1) column.lead += ',';
    append_json_string(column.lead, schema[number].name);
    column.lead += ':';
  }
}

void JsonRows::append(std::string& out, const Chunk& chunk, std::uint32_t row) {
  out += '{';
  append_members(out, chunk, row);
  out += '}';
}

void JsonRows::append_members(std::string& out, const Chunk& chunk, std::uint32_t row) {
  for (auto& column : columns_) {
    out += column.lead;
    const Vector& cells = *chunk.columns[column.number];
    if (!column.is_time || cells.is_null(row)) {
      append_json(out, cells, row);
      continue;
    }
    if (column.time.empty() || column.time_ms != cells.integer(row)) {
      column.time_ms = cells.integer(row);
      column.time.clear();
      append_json(column.time, cells, row);
    }
    out += column.time;
  }
}

CsvRows::CsvRows(const Schema& schema, std::vector<std::size_t> columns)
    : columns_(std::move(columns)) {
  for (std::size_t column : columns_) names_.push_back(schema[column].name);
}

void CsvRows::append_names(std::string& out) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (i > 0) out += ',';
    append_csv_field(out, names_[i]);
  }
}

void CsvRows::append(std::string& out, const Chunk& chunk, std::uint32_t row) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += ',';
    const Vector& cells = *chunk.columns[columns_[i]];
    if (cells.is_null(row)) continue;
    bool may_need_quotes = cells.type() == Type::text || cells.type().array;
    if (!may_need_quotes) {
      append_cell_text(out, cells, row);
    } else if (cells.type() == Type::text) {
      append_csv_field(out, cells.text(row));
    } else {
      cell_.clear();
      append_cell_text(cell_, cells, row);
      append_csv_field(out, cell_);
    }
  }
}

void append_csv_field(std::string& out, std::string_view text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == text.npos) {
    out += text;
    return;
  }
  out += '"';
  while (true) {
    std::size_t quote = text.find('"');
    out += text.substr(0, quote);
    if (quote == text.npos) break;
    out += "\"\"";
    text.remove_prefix(quote + 1);
  }
  out += '"';
}

}  // namespace leat::column
