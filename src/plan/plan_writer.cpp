// Plans to canonical JSON.
#include <fmt/format.h>
#include <xxhash.h>

#include "plan/enum_names.h"
#include "plan/json.h"
#include "plan/literal_json.h"
#include "plan/plan.h"

namespace leat::plan {

namespace {

Json write(const std::string& text) {
  return text;
}
Json write(bool truth) {
  return truth;
}
Json write(std::int64_t number) {
  return integer_json(number);
}
Json write(double number) {
  return double_json(number);
}
Json write(const Type& type) {
  return name(type);
}
Json write(const Expression& expression);
template <class T>
requires std::is_enum_v<T> Json write(T value);
template <class T>
Json write(const std::optional<T>& value);
template <class T>
Json write(const std::vector<T>& values);
template <class T>
requires std::is_class_v<T> Json write(const T& value);

std::string text_of(const Json& json) {
  std::string text;
  append_json(text, json);
  return text;
}

// Writes the fields of one struct as the members of one object.
class FieldWriter {
 public:
  explicit FieldWriter(JsonObject& out) : out_(out) {}

  template <class T>
  void required(const std::string& name, const T& member) {
    out_[name] = write(member);
  }
  template <class T>
  void optional(const std::string& name, const T& member,
                const std::type_identity_t<T>& otherwise) {
    Json json = write(member);
    if (text_of(json) != text_of(write(otherwise))) out_[name] = std::move(json);
  }

 private:
  JsonObject& out_;
};

template <class T>
requires std::is_enum_v<T> Json write(T value) {
  return std::string(names_of(T{})[static_cast<std::size_t>(value)]);
}
template <class T>
Json write(const std::optional<T>& value) {
  return value ? write(*value) : Json(nullptr);
}
template <class T>
Json write(const std::vector<T>& values) {
  JsonArray array;
  for (const auto& value : values) array.push_back(write(value));
  return array;
}
template <class T>
requires std::is_class_v<T> Json write(const T& value) {
  JsonObject object;
  FieldWriter fields(object);
  T::fields(value, fields);
  return object;
}

Json write(const Expression& expression) {
  JsonObject object;
  switch (expression.kind) {
    case Expression::Kind::column: object["column"] = expression.name; break;
    case Expression::Kind::literal: {
      if (expression.literal.is_null()) {
        object["null"] = name(expression.type);
        break;
      }
      std::string type = name(expression.type);
      object[type.substr(0, type.find('('))] = literal_json(expression.type, expression.literal);
      break;
    }
    case Expression::Kind::call:
      object["call"] = expression.name;
      if (!expression.arguments.empty()) object["arguments"] = write(expression.arguments);
      break;
    case Expression::Kind::cast:
      object["cast"] = write(expression.arguments.at(0));
      object["to"] = name(expression.type);
      break;
  }
  return object;
}

Json write(const Node& node) {
  JsonObject object =
      std::get<JsonObject>(std::visit([](const auto& body) { return write(body); }, node.body));
  object["name"] = node.name;
  object["type"] = std::string(type_of(node));
  return object;
}

}  // namespace

std::string print(const Plan& plan) {
  JsonObject object;
  object["version"] = integer_json(plan_version);
  object["name"] = plan.name;
  FieldWriter fields(object);
  fields.optional("mode", plan.mode, Mode{});
  fields.optional("bad_rows", plan.bad_rows, BadRows{});
  JsonArray nodes;
  for (const auto& node : plan.nodes) nodes.push_back(write(node));
  object["nodes"] = std::move(nodes);
  return text_of(object);
}

std::string hash(const Plan& plan) {
  std::string text = print(plan);
  XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace leat::plan
