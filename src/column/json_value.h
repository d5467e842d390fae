// Whole JSON values as cells, those with escapes and arrays too.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "column/text_arena.h"
#include "column/timestamp.h"
#include "column/vector.h"

namespace leat::column {

/// - boolean: true, false
/// - bigint: a number without fraction and exponent, in range
/// - double: any number of finite value
/// - decimal: any number in range, from its own digits; those that do not fit are rounded
/// - text: a string
/// - timestamp: a string as parse_timestamp() reads it, or a whole number of milliseconds since
/// 1970
/// - date: a string `2015-09-12`
/// - arrays: an array of such, and of nulls
///
/// Not thread-safe.
class JsonValueReader {
 public:
  /// Sets a cell from a value as it stands in an object, without blanks around it, with its quotes.
  /// Texts point into it, or into bytes of this reader if they had escapes. False if it is no value
  /// of the cell's type: reason() says why, naming it `name`. REQUIRES: UTF-8 whose strings end and
  /// hold no control characters; eight bytes behind it are readable.
  bool set(std::string_view token, bool may_have_escapes, std::string_view name, Vector& out,
           std::size_t row);
  /// The same for most values of types that have many; nothing is done where set() has to.
  bool set_plain(std::string_view token, bool has_escapes, Vector& out, std::size_t row);
  const std::string& reason() const { return reason_; }

  /// The unescaped texts made so far, for the chunk to keep; new ones are started. Null if there
  /// were none.
  std::shared_ptr<const void> take_texts();

 private:
  bool set_one(std::string_view token, bool may_have_escapes, Vector& out, std::size_t row);
  bool set_array(std::string_view token, Vector& out, std::size_t row);
  bool take_items(std::string_view token, Vector& items);
  bool take_item(std::string_view& left, Vector& items);
  std::optional<std::string_view> unescape(std::string_view text);
  bool wrong(std::string_view token, const Type& type);

  TimestampReader times_;
  std::shared_ptr<TextArena> texts_ = std::make_shared<TextArena>();
  // What did not fit.
  std::string_view bad_token_;
  Type bad_type_;
  std::string reason_;
};

}  // namespace leat::column
