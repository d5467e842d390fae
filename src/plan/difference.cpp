#include "plan/difference.h"

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "plan/json.h"
#include "plan/limits.h"

namespace leat::plan {

namespace {

// "nodes[2] 'per_minute'", "window.size_ms".
std::string member_of(const std::string& place, const std::string& name) {
  if (place.empty()) return name;
  return place + (place.ends_with('\'') ? " " : ".") + name;
}

std::string name_in(const Json& json) {
  const auto* object = std::get_if<JsonObject>(&json);
  auto found = object != nullptr ? object->find("name") : JsonObject::const_iterator();
  if (object == nullptr || found == object->end()) return "";
  const auto* name = std::get_if<std::string>(&found->second);
  return name == nullptr ? "" : fmt::format(" '{}'", *name);
}

std::string text_of(const Json* json) {
  if (json == nullptr) return "not there";
  std::string text;
  append_json(text, *json);
  constexpr std::size_t shown = 80;
  if (text.size() <= shown) return text;
  return text.substr(0, shown) + "...";
}

std::string change(const std::string& place, const Json* was, const Json* is) {
  return fmt::format("{} was {} and is {}", place, text_of(was), text_of(is));
}

std::string find_change(const std::string& place, const Json& was, const Json& is);

std::string find_change(const std::string& place, const JsonObject& was, const JsonObject& is) {
  std::set<std::string> names;
  for (const auto& [name, value] : was) names.insert(name);
  for (const auto& [name, value] : is) names.insert(name);
  for (const auto& name : names) {
    auto before = was.find(name), now = is.find(name);
    const Json* old_value = before == was.end() ? nullptr : &before->second;
    const Json* new_value = now == is.end() ? nullptr : &now->second;
    std::string at = member_of(place, name);
    if (old_value == nullptr || new_value == nullptr) return change(at, old_value, new_value);
    if (auto found = find_change(at, *old_value, *new_value); !found.empty()) return found;
  }
  return "";
}

std::string find_change(const std::string& place, const JsonArray& was, const JsonArray& is) {
  for (std::size_t i = 0; i < std::max(was.size(), is.size()); ++i) {
    std::string at = fmt::format("{}[{}]", place, i);
    if (i >= was.size()) return change(at + name_in(is[i]), nullptr, &is[i]);
    std::string before = name_in(was[i]), now = name_in(is[i]);
    if (i >= is.size() || before != now) {
      return change(at + before, &was[i], i < is.size() ? &is[i] : nullptr);
    }
    if (auto found = find_change(at + now, was[i], is[i]); !found.empty()) return found;
  }
  return "";
}

std::string find_change(const std::string& place, const Json& was, const Json& is) {
  const auto *object_was = std::get_if<JsonObject>(&was), *object_is = std::get_if<JsonObject>(&is);
  if (object_was && object_is) return find_change(place, *object_was, *object_is);
  const auto *array_was = std::get_if<JsonArray>(&was), *array_is = std::get_if<JsonArray>(&is);
  if (array_was && array_is) return find_change(place, *array_was, *array_is);
  std::string text_was, text_is;
  append_json(text_was, was);
  append_json(text_is, is);
  return text_was == text_is ? "" : change(place, &was, &is);
}

// Takes away what a node's state does not hang on.
void strip(Node& node) {
  std::visit(
      [](auto& body) {
        using Body = std::remove_cvref_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, Sink>) {
          Sink bare;
          bare.input = std::move(body.input);
          if (!body.view.empty()) {  // its rows are state, what it is called is not
            bare.view = "view";
            bare.keys = std::move(body.keys);
            bare.keep_ms = body.keep_ms;
          }
          body = std::move(bare);
        } else if constexpr (std::is_same_v<Body, Source>) {
          body.bad_records = {};
          body.idle_ms = Source().idle_ms;
        } else if constexpr (requires { body.late_topic; }) {
          body.late_topic.clear();
        }
      },
      node.body);
}

}  // namespace

std::string state_text(const Plan& plan) {
  Plan stripped = plan;
  stripped.name.clear();
  stripped.mode = {};
  stripped.bad_rows = {};
  for (Node& node : stripped.nodes) strip(node);
  return print(stripped);
}

std::string difference(std::string_view was, std::string_view is) {
  if (was == is) return "";
  auto before = parse_json(was, RepeatedNames::refuse, json_depth_max);
  auto now = parse_json(is, RepeatedNames::refuse, json_depth_max);
  if (!before || !now) return "its plan cannot be read";
  return find_change("", *before, *now);
}

}  // namespace leat::plan
