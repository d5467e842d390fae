// Lines of CSV into columns.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "column/text_arena.h"
#include "column/timestamp.h"
#include "column/vector.h"

namespace leat::column {

/// What a column takes from a line.
struct CsvField {
  Type type;
  /// Which field of the line it is if no line names them.
  std::size_t place = 0;
  std::string header;  // what a line of names calls it
  std::size_t column = 0;
  std::string name = {};  // the column's, for errors
};

/// Decodes lines by RFC 4180, one a row: fields between commas, those in quotes may hold commas and
/// quotes, which are doubled. A field is NULL if it is empty and has no quotes. Values are read as
/// set_from_text() reads them. Not thread-safe.
class CsvDecoder {
 public:
  /// Every line has `places` fields; `fields` are those that are wanted.
  CsvDecoder(std::vector<CsvField> fields, std::size_t places);

  /// From now on lines have the fields that this one names. What it does not name is NULL; of equal
  /// names the first one counts.
  void read_names(std::string_view line);

  /// Sets cell `row` of the fields' columns. False if that cannot be done: reason() says why, and
  /// the cells are unspecified. Texts point into `line`, or into bytes of this decoder if they had
  /// doubled quotes.
  bool decode(std::string_view line, std::span<Vector> columns, std::size_t row);
  const std::string& reason() const { return reason_; }

  /// The texts made so far, for the chunk to keep; the decoder starts new ones. Null if there were
  /// none.
  std::shared_ptr<const void> take_texts();

 private:
  struct Part {
    std::string_view text;  // without the quotes around it
    bool quoted = false;
    bool has_quotes = false;  // doubled ones
  };
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  bool wrong(std::string why) {
    reason_ = std::move(why);
    return false;
  }
  bool split(std::string_view line);
  std::size_t take_quoted(std::string_view line, std::size_t at, Part& part);
  std::string_view text_of(const Part& part);

  std::vector<CsvField> fields_;
  std::size_t places_;
  std::string names_error_;
  std::vector<Part> parts_;  // of the line at hand
  TimestampReader times_;
  std::shared_ptr<TextArena> texts_ = std::make_shared<TextArena>();
  std::string reason_;
};

}  // namespace leat::column
