// Looking into JSON that is a text, without making a tree of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plan/json_path.h"

namespace leat::expression {

/// What a path leads to.
struct JsonPart {
  enum class Kind : std::uint8_t { nothing, null, scalar, string, nested };
  Kind kind = Kind::nothing;
  /// As it is written; of a string what is between the quotes.
  std::string_view text;
  bool has_escapes = false;
};

/// Finds what plan::find() does after plan::parse_json(text, last_counts). False if that takes it
/// for no JSON. `room` is for what is worked out on the way.
bool find_json(std::string_view text, const plan::JsonPath& path, JsonPart& out, std::string& room);

}  // namespace leat::expression
