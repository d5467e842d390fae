#include "column/row_text.h"

#include <algorithm>
#include <charconv>
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
    column.kind = kind_of(schema[number].type);
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

JsonRows::Column::Kind JsonRows::kind_of(const Type& type) {
  if (type == Type::bigint) return Column::Kind::integer;
  if (type == Type::text) return Column::Kind::text;
  return type == Type::timestamp ? Column::Kind::time : Column::Kind::other;
}

void JsonRows::make_room(const Chunk& chunk, std::uint32_t row) {
  constexpr std::size_t short_cell = 32;  // a whole number, a time, null
  std::size_t most = 0;
  for (const auto& column : columns_) {
    const Vector& cells = *chunk.columns[column.number];
    bool is_text = column.kind == Column::Kind::text && !cells.is_null(row);
    most += column.lead.size() + (is_text ? json_string_room(cells.text(row).size()) : short_cell);
  }
  if (room_.size() < most) room_.resize(most);
}

char* JsonRows::write_time(Column& column, const Vector& cells, std::size_t row, char* to) {
  if (column.time.empty() || column.time_ms != cells.integer(row)) {
    column.time_ms = cells.integer(row);
    column.time.clear();
    append_json(column.time, cells, row);
  }
  return std::copy(column.time.begin(), column.time.end(), to);
}

void JsonRows::append_members(std::string& out, const Chunk& chunk, std::uint32_t row) {
  make_room(chunk, row);
  char* const begin = room_.data();
  char* to = begin;
  for (auto& column : columns_) {
    to = std::copy(column.lead.begin(), column.lead.end(), to);
    const Vector& cells = *chunk.columns[column.number];
    using Kind = Column::Kind;
    if (cells.is_null(row)) {
      to = std::copy_n("null", 4, to);
    } else if (column.kind == Kind::integer) {
      to = std::to_chars(to, to + 20, cells.integer(row)).ptr;
    } else if (column.kind == Kind::text) {
      to = write_json_string(to, cells.text(row));
    } else if (column.kind == Kind::time) {
      to = write_time(column, cells, row, to);
    } else {
      out.append(begin, to);
      to = begin;
      append_json(out, cells, row);
    }
  }
  out.append(begin, to);
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
