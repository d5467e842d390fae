#include "plan/json_path.h"

#include <charconv>

namespace leat::plan {

std::optional<JsonPath> parse_json_path(std::string_view text) {
  JsonPath path;
  if (!text.starts_with('$')) return {};
  text.remove_prefix(1);
  while (!text.empty()) {
    std::size_t end = 0;
    if (text.starts_with(".\"")) {
      end = text.find('"', 2);
      if (end == text.npos) return {};
      path.emplace_back(std::string(text.substr(2, end - 2)));
      ++end;
    } else if (text.starts_with('.')) {
      end = std::min(text.find_first_of(".[\"", 1), text.size());
      if (end == 1) return {};
      path.emplace_back(std::string(text.substr(1, end - 1)));
    } else if (text.starts_with('[')) {
      std::size_t index = 0;
      auto [at, error] = std::from_chars(text.data() + 1, text.data() + text.size(), index);
      end = static_cast<std::size_t>(at - text.data());
      if (error != std::errc() || end == text.size() || text[end] != ']') return {};
      path.emplace_back(index);
      ++end;
    } else {
      return {};
    }
    text.remove_prefix(end);
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
