// CSV (RFC 4180) rows as JSON objects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::tools {

/// Turns rows into JSON, with names from the first one. A field without quotes that is a number,
/// `true` or `false` as JSON writes them stays bare, an empty one becomes null; all others become
/// strings. Not thread-safe.
class CsvToJson {
 public:
  /// False when `text` ends within quotes: the row goes on in the next line.
  static bool is_whole_row(std::string_view text);

  /// Takes the first row. Errc::bad_record if names are missing or not unique.
  Result<void> read_names(std::string_view row);
  /// Appends the object to `out`.
  Result<void> append_json(std::string_view row, std::string& out);

 private:
  struct Field {
    std::string text;
    bool quoted = false;
  };
  static Result<std::vector<Field>> split(std::string_view row);

  std::vector<std::string> names_;
};

}  // namespace leat::tools
