// Rows as lines: JSON objects, CSV.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "column/chunk.h"
#include "column/type.h"

namespace leat::column {

/// Columns of rows as JSON objects. Not thread-safe.
class JsonRows {
 public:
  JsonRows(const Schema& schema, std::vector<std::size_t> columns);
  /// All columns, in their order.
  explicit JsonRows(const Schema& schema);
  /// An object without a line's end.
  void append(std::string& out, const Chunk& chunk, std::uint32_t row);
  /// The members alone: what is between the object's braces.
  void append_members(std::string& out, const Chunk& chunk, std::uint32_t row);

 private:
  struct Column {
    std::size_t number = 0;
    std::string lead;  // the name, with a colon, and a comma before all but the first
    enum class Kind { integer, text, time, other } kind = Kind::other;
    // The last time as JSON: those of a window's rows are all the same.
    std::int64_t time_ms = 0;
    std::string time;
  };
  static Column::Kind kind_of(const Type& type);
  static char* write_time(Column& column, const Vector& cells, std::size_t row, char* to);
  void make_room(const Chunk& chunk, std::uint32_t row);

  std::vector<Column> columns_;
  std::string room_;  // for a row without cells of other kinds
};

/// Columns of rows as lines of CSV that CsvDecoder reads the same: NULL is an empty field, an empty
/// text is one in quotes.
class CsvRows {
 public:
  CsvRows(const Schema& schema, std::vector<std::size_t> columns);
  /// The names, and rows; without a line's end.
  void append_names(std::string& out) const;
  void append(std::string& out, const Chunk& chunk, std::uint32_t row);

 private:
  std::vector<std::string> names_;
  std::vector<std::size_t> columns_;
  std::string cell_;
};

/// Appends a field of CSV, in quotes where it needs them or is empty.
void append_csv_field(std::string& out, std::string_view text);

}  // namespace leat::column
