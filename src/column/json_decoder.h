// JSON objects into columns.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "column/json_index.h"
#include "column/json_tree.h"
#include "column/vector.h"

namespace leat::column {

/// What a column takes from an object.
struct JsonField {
  std::string name;
  Type type;
  JsonPath path;
  std::size_t column = 0;
};

/// Decodes the wanted fields of JSON objects, one object a row, as JsonValueReader reads single
/// values. A field that is missing or null, or on whose way something is not what the path takes it
/// for, becomes NULL; of a member that comes twice the last one counts. Whole objects are checked
/// for UTF-8, and those objects and arrays that paths lead through for their grammar; values that
/// nobody wants are stepped over and not looked into. Guesses that an object looks like the one
/// before, in its order, and checks.
///
/// Not thread-safe.
class JsonDecoder {
 public:
  explicit JsonDecoder(std::vector<JsonField> fields);
  /// Members of the object itself, by their names, into columns in the same order.
  explicit JsonDecoder(const std::vector<Field>& fields);
  ~JsonDecoder();
  JsonDecoder(JsonDecoder&&) noexcept;
  JsonDecoder& operator=(JsonDecoder&&) noexcept;

  /// Sets cell `row` of the fields' columns. False if that cannot be done: reason() says why, and
  /// the cells are unspecified. Texts point into `json`, or into bytes of this decoder if they had
  /// escapes. REQUIRES: json_padding_bytes readable behind `json`.
  bool decode(std::string_view json, std::span<Vector> columns, std::size_t row);
  /// For people: of the first field that is none of its type, or what is wrong with the object.
  const std::string& reason() const;

  /// The unescaped texts made so far, for the chunk to keep; the decoder starts new ones. Null if
  /// there were none.
  std::shared_ptr<const void> take_texts();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::column
