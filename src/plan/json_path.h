// Paths into JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "plan/json.h"

namespace leat::plan {

/// Names of members and numbers of items, from the outside in.
using JsonPath = std::vector<std::variant<std::string, std::size_t>>;

/// Reads `$`, then `.name`, `."any name"` or `[0]` any number of times. Nothing if it is anything
/// else, with `why`, if that is wanted.
std::optional<JsonPath> parse_json_path(std::string_view text, std::string* why = nullptr);

/// What is there, or nullptr: also where something on the way is not what the path takes it for.
const Json* find(const Json& json, const JsonPath& path);

}  // namespace leat::plan
