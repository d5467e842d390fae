// JSON to plans. The first thing that does not fit is kept, with its place, and ends the reading.
#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include "plan/enum_names.h"
#include "plan/json.h"
#include "plan/limits.h"
#include "plan/literal_json.h"
#include "plan/plan.h"

namespace leat::plan {

namespace {

class Reader {
 public:
  bool ok() const { return why_.empty(); }
  Error error() const { return {Errc::plan_error, why_}; }
  void fail_with(const std::string& what) {
    if (ok()) why_ = place_.empty() ? what : place_ + ": " + what;
  }

  /// What `read` reads is at `step` of where this reader is: ".name" or "[3]".
  template <class Read>
  void within(const std::string& step, Read read) {
    std::string outer = place_;
    bool member = step.starts_with('.');
    if (member && !place_.empty()) place_ += place_.ends_with('\'') ? ' ' : '.';
    place_ += member ? step.substr(1) : step;
    read();
    place_ = outer;
  }
  void read_node(std::size_t index, const Json& json, Node& out);

  void read(const Json& json, std::string& out) { take(json, out, "must be a string"); }
  void read(const Json& json, bool& out) { take(json, out, "must be true or false"); }
  void read(const Json& json, std::int64_t& out) {
    if (auto value = read_integer(json))
      out = *value;
    else
      fail_with("must be a whole number");
  }
  void read(const Json& json, double& out) {
    if (auto value = read_double(json))
      out = *value;
    else
      fail_with("must be a number");
  }
  void read(const Json& json, Type& out) {
    std::string text;
    read(json, text);
    if (auto type = parse_type(text))
      out = *type;
    else
      fail_with(fmt::format("no type '{}'; there are: {}", text, type_names()));
  }
  void read(const Json& json, Expression& out);

  template <class T>
  void read(const Json& json, std::optional<T>& out) {
    // So that a plan can leave open whether there is one.
    if (std::holds_alternative<std::nullptr_t>(json)) return out.reset();
    read(json, out.emplace());
  }
  template <class T>
  void read(const Json& json, std::vector<T>& out) {
    const auto* array = std::get_if<JsonArray>(&json);
    if (array == nullptr) return fail_with("must be an array");
    for (std::size_t i = 0; i < array->size() && ok(); ++i) {
      within(fmt::format("[{}]", i), [&] { read((*array)[i], out.emplace_back()); });
    }
  }
  template <class T>
  requires std::is_enum_v<T>
  void read(const Json& json, T& out) {
    std::string text;
    read(json, text);
    auto names = names_of(T{});
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == text) return void(out = static_cast<T>(i));
    }
    fail_with(fmt::format("'{}' is none of {}", text, fmt::join(names, ", ")));
  }
  template <class T>
  requires std::is_class_v<T>
  void read(const Json& json, T& out);

  /// The members of `json`, or nothing, having said so.
  const JsonObject* object(const Json& json) {
    const auto* object = std::get_if<JsonObject>(&json);
    if (object == nullptr) fail_with("must be an object");
    return object;
  }

 private:
  template <class T>
  void take(const Json& json, T& out, const char* otherwise) {
    if (const auto* value = std::get_if<T>(&json))
      out = *value;
    else
      fail_with(otherwise);
  }
  void read_call(const JsonObject& object, Expression& out);
  void read_cast(const JsonObject& object, Expression& out);
  void read_literal_of(const std::string& type, const Json& json, Expression& out);

  std::string place_;
  std::string why_;
};

// Reads the fields of one struct from the members of one object.
class FieldReader {
 public:
  FieldReader(Reader& reader, const JsonObject& object) : reader_(reader), object_(object) {}

  template <class T>
  void required(std::string_view name, T& member) {
    if (!read(name, member)) reader_.fail_with(fmt::format("'{}' is missing", name));
  }
  template <class T>
  void optional(std::string_view name, T& member, const std::type_identity_t<T>&) {
    read(name, member);
  }

  /// Complains about members that no field has taken. `known` are the caller's.
  void finish(std::initializer_list<std::string_view> known = {}) {
    names_.insert(names_.begin(), known.begin(), known.end());
    for (const auto& [name, value] : object_) {
      if (std::find(names_.begin(), names_.end(), name) != names_.end()) continue;
      reader_.fail_with(
          fmt::format("no field '{}' is known here; there are: {}", name, fmt::join(names_, ", ")));
    }
  }

 private:
  template <class T>
  bool read(std::string_view name, T& member) {
    names_.push_back(name);
    auto found = object_.find(name);
    if (found == object_.end()) return false;
    if (reader_.ok()) {
      reader_.within(fmt::format(".{}", name), [&] { reader_.read(found->second, member); });
    }
    return true;
  }

  Reader& reader_;
  const JsonObject& object_;
  std::vector<std::string_view> names_;
};

template <class T>
requires std::is_class_v<T>
void Reader::read(const Json& json, T& out) {
  const JsonObject* members = object(json);
  if (members == nullptr) return;
  FieldReader fields(*this, *members);
  T::fields(out, fields);
  fields.finish();
}

void Reader::read(const Json& json, Expression& out) {
  const JsonObject* members = object(json);
  if (members == nullptr) return;
  if (members->contains("call")) return read_call(*members, out);
  if (members->contains("cast")) return read_cast(*members, out);
  if (members->size() != 1) return fail_with("an expression is a column, a literal, call or cast");
  const std::string& word = members->begin()->first;
  const Json& value = members->begin()->second;
  if (word == "column") {
    out.kind = Expression::Kind::column;
    within(".column", [&] { read(value, out.name); });
  } else if (word == "null") {
    within(".null", [&] { read(value, out.type); });
  } else {
    read_literal_of(word, value, out);
  }
}

void Reader::read_call(const JsonObject& object, Expression& out) {
  out.kind = Expression::Kind::call;
  FieldReader fields(*this, object);
  fields.required("call", out.name);
  fields.optional("arguments", out.arguments, {});
  fields.finish();
}

void Reader::read_cast(const JsonObject& object, Expression& out) {
  out.kind = Expression::Kind::cast;
  FieldReader fields(*this, object);
  fields.required("cast", out.arguments.emplace_back());
  fields.required("to", out.type);
  fields.finish();
}

void Reader::read_literal_of(const std::string& type, const Json& json, Expression& out) {
  auto kind = type == "decimal" ? decimal(precision_max, 0) : parse_type(type);
  if (!kind || kind->array || type.starts_with("decimal(")) {
    return fail_with(fmt::format("'{}' is neither column, null, call nor cast, nor a type", type));
  }
  auto value = read_literal(kind->kind, json);
  if (!value) return fail_with("this is no " + type);
  if (const auto* number = std::get_if<Decimal>(&*value)) kind = decimal_type_of(*number);
  out.type = *kind;
  out.literal = *value;
}

// Makes the body whose type is called so, and reads into it.
template <std::size_t index = 0>
bool read_body(Reader& reader, const std::string& type, const JsonObject& members, Node& node) {
  if constexpr (index == node_types) {
    return false;
  } else {
    using Body = std::variant_alternative_t<index, Node::Body>;
    if (type != Body::type) return read_body<index + 1>(reader, type, members, node);
    FieldReader fields(reader, members);
    Body::fields(node.body.emplace<Body>(), fields);
    fields.finish({"name", "type"});
    return true;
  }
}

template <std::size_t... index>
std::string body_types(std::index_sequence<index...>) {
  std::string text;
  ((text +=
    (text.empty() ? "" : ", ") + std::string(std::variant_alternative_t<index, Node::Body>::type)),
   ...);
  return text;
}

void Reader::read_node(std::size_t index, const Json& json, Node& out) {
  std::string type;
  within(fmt::format("nodes[{}]", index), [&] {
    const JsonObject* members = object(json);
    if (members == nullptr) return;
    FieldReader head(*this, *members);
    head.required("name", out.name);
    head.required("type", type);
    if (!ok()) return;
    within(fmt::format(" '{}'", out.name), [&] {
      if (read_body(*this, type, *members, out)) return;
      fail_with(fmt::format("no node is a '{}'; there are: {}", type,
                            body_types(std::make_index_sequence<node_types>())));
    });
  });
}

}  // namespace

Result<Plan> parse(std::string_view text) {
  if (text.size() > text_bytes_max) {
    return fail(Errc::plan_error, fmt::format("{} bytes, more than the {} a plan may have",
                                              text.size(), text_bytes_max));
  }
  auto json = parse_json(text, RepeatedNames::refuse, json_depth_max, JsonPlace::line);
  if (!json) return fail(Errc::plan_error, "not JSON: " + json.error().what);
  Reader reader;
  Plan plan;
  std::int64_t version = 0;
  JsonArray nodes;
  const JsonObject* members = reader.object(*json);
  if (members != nullptr) {
    FieldReader fields(reader, *members);
    fields.required("version", version);
    if (reader.ok() && version != plan_version) {
      reader.fail_with(fmt::format("version {} is not known, {} is", version, plan_version));
    }
    fields.required("name", plan.name);
    fields.optional("mode", plan.mode, {});
    fields.optional("bad_rows", plan.bad_rows, {});
    fields.finish({"nodes"});
    auto found = members->find("nodes");
    if (found != members->end() && std::holds_alternative<JsonArray>(found->second)) {
      nodes = std::get<JsonArray>(found->second);
    } else {
      reader.fail_with("'nodes' is missing, or no array");
    }
  }
  if (nodes.size() > nodes_max) {
    reader.fail_with(
        fmt::format("nodes: {}, more than the {} a plan may have", nodes.size(), nodes_max));
  }
  for (std::size_t i = 0; i < nodes.size() && reader.ok(); ++i) {
    reader.read_node(i, nodes[i], plan.nodes.emplace_back());
  }
  if (!reader.ok()) return tl::unexpected(reader.error());
  return plan;
}

}  // namespace leat::plan
