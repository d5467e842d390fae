// JSON objects into columns.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "column/json_index.h"
#include "column/vector.h"

namespace leat::column {

/// Decodes the wanted top-level fields of JSON objects, one object a row. A field that is missing
/// or null becomes NULL; of a field that comes twice the last one counts. Whole values are checked
/// for UTF-8 and for the object's own grammar; fields that nobody wants are stepped over and not
/// looked into. Guesses that an object has the fields of the one before, in its order, and checks.
///
/// - boolean: true, false
/// - bigint: a number without fraction and exponent, in range
/// - double: any number of finite value
/// - text: a string
/// - timestamp: a string as parse_timestamp() reads it, or a whole number of milliseconds since
/// 1970
///
/// Not thread-safe.
class JsonDecoder {
 public:
  explicit JsonDecoder(std::vector<Field> fields);
  ~JsonDecoder();
  JsonDecoder(JsonDecoder&&) noexcept;
  JsonDecoder& operator=(JsonDecoder&&) noexcept;

  /// Sets cell `row` of `columns`, which are in the order of the fields. False if that cannot be
  /// done: reason() says why, and the cells are unspecified. Texts point into `json`, or into bytes
  /// of this decoder if they had escapes. REQUIRES: json_padding_bytes readable behind `json`.
  bool decode(std::string_view json, std::span<Vector> columns, std::size_t row);
  /// For people.
  const std::string& reason() const;

  /// The unescaped texts made so far, for the chunk to keep; the decoder starts new ones. Null if
  /// there were none.
  std::shared_ptr<const void> take_texts();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::column
