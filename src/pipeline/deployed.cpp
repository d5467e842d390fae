// A record of the catalog: JSON, with the names that fields() gives. "format" is 1. A plan is an
// object in it; positions are arrays [name, partition, offset].
#include "pipeline/deployed.h"

#include <algorithm>
#include <charconv>
#include <concepts>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "plan/limits.h"

namespace leat::pipeline {

namespace {

using plan::Json;
using plan::JsonArray;
using plan::JsonNumber;
using plan::JsonObject;

constexpr std::int64_t format_number = 1;
/// A plan is within this many objects and arrays.
constexpr int levels_around_plan = 4;
constexpr Role roles[] = {Role::deployed, Role::replay,  Role::shadow,
                          Role::live,     Role::retired, Role::ended};

template <class T>
concept Number = (std::integral<T> || std::floating_point<T>)&&!std::same_as<T, bool>;
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

class Writer {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    object_[name] = make(value);
  }
  void plan(const char* name, const std::string& text) {
    auto parsed = plan::parse_json(text, plan::RepeatedNames::refuse, plan::json_depth_max);
    // What cannot be read is kept as it is: it may be another version's.
    object_[name] = parsed ? std::move(*parsed) : Json(text);
  }
  JsonObject take() { return std::move(object_); }

  template <class T>
  static Json make(const T& value) {
    if constexpr (std::same_as<T, bool> || std::same_as<T, std::string>) {
      return Json(value);
    } else if constexpr (Number<T>) {
      return JsonNumber{fmt::format("{}", value)};
    } else if constexpr (std::same_as<T, Role>) {
      return Json(std::string(name(value)));
    } else if constexpr (std::same_as<T, Positions>) {
      return to_json(value);
    } else if constexpr (std::same_as<T, plan::Parameters>) {
      return JsonObject(value.begin(), value.end());
    } else if constexpr (is_optional<T>::value) {
      return value ? make(*value) : Json(nullptr);
    } else if constexpr (is_vector<T>::value) {
      JsonArray array;
      for (const auto& item : value) array.push_back(make(item));
      return array;
    } else {
      Writer inner;
      T::fields(value, inner);
      return inner.take();
    }
  }

 private:
  JsonObject object_;
};

/// What is missing keeps its default, so that fields can be added.
class Reader {
 public:
  Reader(const JsonObject& object, bool& ok) : object_(object), ok_(ok) {}

  template <class T>
  void operator()(const char* name, T& value) {
    if (auto found = object_.find(name); found != object_.end()) take(found->second, value);
  }
  void plan(const char* name, std::string& text) {
    auto found = object_.find(name);
    if (found == object_.end()) return;
    if (const auto* kept = std::get_if<std::string>(&found->second)) {
      text = *kept;
    } else {
      plan::append_json(text, found->second);
    }
  }

 private:
  template <class T>
  void take(const Json& json, T& value) {
    if constexpr (std::same_as<T, bool> || std::same_as<T, std::string>) {
      take_as<T>(json, value);
    } else if constexpr (Number<T>) {
      const auto* number = std::get_if<JsonNumber>(&json);
      ok_ = ok_ && number != nullptr;
      if (!ok_) return;
      const std::string& token = number->token;
      auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
      ok_ = error == std::errc{} && end == token.data() + token.size();
    } else if constexpr (std::same_as<T, Role>) {
      std::string word;
      take_as<std::string>(json, word);
      const auto* found = std::find_if(std::begin(roles), std::end(roles),
                                       [&](Role role) { return name(role) == word; });
      ok_ = ok_ && found != std::end(roles);
      if (ok_) value = *found;
    } else if constexpr (std::same_as<T, Positions>) {
      take_each(json, [&](const Json& item) { value.push_back(take_position(item)); });
    } else if constexpr (std::same_as<T, plan::Parameters>) {
      const auto* object = std::get_if<JsonObject>(&json);
      ok_ = ok_ && object != nullptr;
      if (!ok_) return;
      for (const auto& [name, text] : *object) take(text, value[name]);
    } else if constexpr (is_optional<T>::value) {
      if (std::holds_alternative<std::nullptr_t>(json)) return;
      take(json, value.emplace());
    } else if constexpr (is_vector<T>::value) {
      take_each(json, [&](const Json& item) { take(item, value.emplace_back()); });
    } else {
      const auto* object = std::get_if<JsonObject>(&json);
      ok_ = ok_ && object != nullptr;
      if (!ok_) return;
      Reader inner(*object, ok_);
      T::fields(value, inner);
    }
  }
  template <class T>
  void take_as(const Json& json, T& value) {
    const auto* found = std::get_if<T>(&json);
    ok_ = ok_ && found != nullptr;
    if (ok_) value = *found;
  }
  template <class Take>
  void take_each(const Json& json, Take take) {
    const auto* array = std::get_if<JsonArray>(&json);
    ok_ = ok_ && array != nullptr;
    if (!ok_) return;
    for (const Json& item : *array) take(item);
  }
  Position take_position(const Json& json) {
    Position position;
    const auto* parts = std::get_if<JsonArray>(&json);
    ok_ = ok_ && parts != nullptr && parts->size() == 3;
    if (!ok_) return position;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    take((*parts)[0], position.name);
    take((*parts)[1], partition);
    take((*parts)[2], offset);
    position.partition = PartitionId{partition};
    position.offset = Offset{offset};
    return position;
  }

  const JsonObject& object_;
  bool& ok_;
};

}  // namespace

Version* Deployed::find(std::uint32_t number) {
  auto found = std::find_if(versions.begin(), versions.end(),
                            [&](const Version& version) { return version.number == number; });
  return found == versions.end() ? nullptr : &*found;
}

const Version* Deployed::newest() const {
  auto found = std::find_if(versions.rbegin(), versions.rend(),
                            [](const Version& version) { return !version.is_of_letters(); });
  return found == versions.rend() ? nullptr : &*found;
}

Version* Deployed::live() {
  auto found = std::find_if(versions.begin(), versions.end(),
                            [](const Version& version) { return version.role == Role::live; });
  return found == versions.end() ? nullptr : &*found;
}

std::string_view name(Role role) {
  switch (role) {
    case Role::deployed: return "deployed";
    case Role::replay: return "replay";
    case Role::shadow: return "shadow";
    case Role::live: return "live";
    case Role::retired: return "retired";
    case Role::ended: return "ended";
  }
  return "unknown";
}

bool is_at_work(Role role) {
  return role != Role::deployed && role != Role::ended;
}

std::string encode(const Deployed& pipeline) {
  Writer writer;
  writer("format", format_number);
  Deployed::fields(pipeline, writer);
  std::string text;
  plan::append_json(text, writer.take());
  return text;
}

Result<Deployed> decode_deployed(std::string_view text) {
  auto json = plan::parse_json(text, plan::RepeatedNames::refuse,
                               plan::json_depth_max + levels_around_plan);
  if (!json) return fail(Errc::corrupt_message, json.error().what);
  const auto* object = std::get_if<JsonObject>(&*json);
  if (object == nullptr) return fail(Errc::corrupt_message, "it is no object");
  bool ok = true;
  Reader reader(*object, ok);
  std::int64_t format = 0;
  reader("format", format);
  if (ok && format > format_number) {
    return fail(Errc::unsupported_format,
                fmt::format("it is of format {}, and this is a server that knows {}", format,
                            format_number));
  }
  Deployed pipeline;
  Deployed::fields(pipeline, reader);
  if (!ok || pipeline.name.empty()) return fail(Errc::corrupt_message, "it has not what it needs");
  return pipeline;
}

plan::Json to_json(const Positions& positions) {
  JsonArray array;
  for (const Position& position : positions) {
    JsonArray parts;
    parts.emplace_back(position.name);
    parts.push_back(Writer::make(position.partition.value()));
    parts.push_back(Writer::make(position.offset.value()));
    array.emplace_back(std::move(parts));
  }
  return array;
}

}  // namespace leat::pipeline
