// JSON as a tree: plans, records as the interpreter reads them, texts that json_value() looks into.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace leat::plan {

struct Json;
using JsonArray = std::vector<Json>;
/// Sorted by name, which is the canonical order.
using JsonObject = std::map<std::string, Json, std::less<>>;

/// A number keeps its own characters, so that none of its digits is lost.
struct JsonNumber {
  std::string token;
};

struct Json : std::variant<std::nullptr_t, bool, JsonNumber, std::string, JsonArray, JsonObject> {
  using variant::variant;
};

enum class RepeatedNames { refuse, last_counts };

/// How an error names its place: "byte 76", counted from 0, or "line 3, column 14", in characters,
/// counted from 1.
enum class JsonPlace { byte, line };

/// The one value that `text` holds, UTF-8 by RFC 8259. Errc::malformed with the place of what does
/// not fit, or nests deeper than `depth_max`.
Result<Json> parse_json(std::string_view text, RepeatedNames repeated, int depth_max = 64,
                        JsonPlace place = JsonPlace::byte);

/// Without blanks, names sorted, strings with the escapes that must be.
void append_json(std::string& out, const Json& json);

}  // namespace leat::plan
