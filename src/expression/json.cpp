// json_value(): a part of a text that is JSON.
#include <algorithm>
#include <memory>

#include "column/json_scalar.h"
#include "expression/json_text.h"
#include "expression/kernel.h"
#include "plan/json.h"

namespace leat::expression {

using std::string_view;

namespace {

void set_copy(const Call& call, std::uint32_t row, string_view text) {
  char* room = call.result.texts.reserve(text.size());
  std::copy(text.begin(), text.end(), room);
  call.result.texts.keep(text.size());
  call.out().set_text(row, {room, text.size()});
}

// Objects and arrays are written in one way, whatever the text has.
void set_canonical(const Call& call, std::uint32_t row, string_view part, std::string& room) {
  auto json = plan::parse_json(part, plan::RepeatedNames::last_counts);
  ASSERT(json.has_value());
  room.clear();
  plan::append_json(room, *json);
  set_copy(call, row, room);
}

void set_part(const Call& call, std::uint32_t row, const JsonPart& part, std::string& room) {
  switch (part.kind) {
    case JsonPart::Kind::nothing:
    case JsonPart::Kind::null: return call.out().set_null(row);
    case JsonPart::Kind::nested: return set_canonical(call, row, part.text, room);
    case JsonPart::Kind::scalar: return call.out().set_text(row, part.text);
    case JsonPart::Kind::string: break;
  }
  if (!part.has_escapes) return call.out().set_text(row, part.text);
  char* begin = call.result.texts.reserve(part.text.size());
  // The escapes are good: find_json() took them.
  auto size = static_cast<std::size_t>(column::unescape_json(part.text, begin));
  call.result.texts.keep(size);
  call.out().set_text(row, {begin, size});
}

void json_value(const Call& call, const plan::JsonPath& path) {
  Cells<string_view> texts(call.arguments[0]);
  std::string room;
  for_known_rows(call, [&](std::uint32_t row) {
    JsonPart part;
    if (find_json(texts[row], path, part, room)) return set_part(call, row, part, room);
    auto json = plan::parse_json(texts[row], plan::RepeatedNames::last_counts);
    ASSERT(!json.has_value());
    call.errors.add(row, "not JSON: " + json.error().what);
  });
}

}  // namespace

Kernel json_kernel(const plan::BoundExpression& call) {
  if (call.function != "json_value") return {};
  auto path = plan::parse_json_path(std::get<std::string>(call.arguments[1].literal));
  return [path = std::make_shared<const plan::JsonPath>(std::move(*path))](const Call& each) {
    json_value(each, *path);
  };
}

}  // namespace leat::expression
