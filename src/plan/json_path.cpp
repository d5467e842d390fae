#include "plan/json_path.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "plan/text_place.h"

namespace leat::plan {

std::optional<JsonPath> parse_json_path(std::string_view text, std::string* why) {
  JsonPath path;
  std::string_view rest = text;
  auto refuse = [&](const char* reason) {
    std::size_t before = characters_in(text.substr(0, text.size() - rest.size()));
    if (why != nullptr) *why = fmt::format("{} at character {}", reason, before + 1);
    return std::nullopt;
  };
  if (!rest.starts_with('$')) return refuse("a path begins with $, which is missing");
  rest.remove_prefix(1);
  while (!rest.empty()) {
    std::size_t end = 0;
    if (rest.starts_with(".\"")) {
      end = rest.find('"', 2);
      if (end == rest.npos) return refuse("a quoted name does not end that begins");
      path.emplace_back(std::string(rest.substr(2, end - 2)));
      ++end;
    } else if (rest.starts_with('.')) {
      end = std::min(rest.find_first_of(".[\"", 1), rest.size());
      if (end == 1) return refuse("no name follows the point");
      path.emplace_back(std::string(rest.substr(1, end - 1)));
    } else if (rest.starts_with('[')) {
      std::size_t index = 0;
      auto [at, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), index);
      end = static_cast<std::size_t>(at - rest.data());
      if (error != std::errc() || end == rest.size() || rest[end] != ']') {
        return refuse("expected [0], or another number in brackets,");
      }
      path.emplace_back(index);
      ++end;
    } else {
      return refuse("expected .name, .\"any name\" or [0]");
    }
    rest.remove_prefix(end);
  }
  return path;
}

const Json* find(const Json& json, const JsonPath& path) {
  const Json* at = &json;
  for (const auto& step : path) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      const auto* object = std::get_if<JsonObject>(at);
      auto found = object != nullptr ? object->find(*name) : JsonObject::const_iterator();
      if (object == nullptr || found == object->end()) return nullptr;
      at = &found->second;
    } else {
      const auto* array = std::get_if<JsonArray>(at);
      if (array == nullptr || std::get<std::size_t>(step) >= array->size()) return nullptr;
      at = &(*array)[std::get<std::size_t>(step)];
    }
  }
  return at;
}

}  // namespace leat::plan
