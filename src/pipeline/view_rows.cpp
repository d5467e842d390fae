#include "pipeline/view_rows.h"

#include <utility>

#include <fmt/format.h>

#include "pipeline/served_views.h"
#include "plan/json.h"

namespace leat::pipeline {

namespace {

using plan::Json;

/// What the view calls the key that people give.
Result<std::string> key_text(const ServedView& view, const std::string& given) {
  if (view.keys.size() == 1) return given;
  auto json = plan::parse_json(given, plan::RepeatedNames::refuse);
  const auto* parts = json ? std::get_if<plan::JsonArray>(&*json) : nullptr;
  if (parts == nullptr || parts->size() != view.keys.size()) {
    return fail(Errc::invalid_argument,
                fmt::format("the key of view {} is a JSON array of {}: [{}]", view.name,
                            view.keys.size(), fmt::join(view.keys, ", ")));
  }
  std::string text;
  for (std::size_t i = 0; i < parts->size(); ++i) {
    text += text.empty() ? '{' : ',';
    plan::append_json(text, Json(view.keys[i]));
    text += ':';
    plan::append_json(text, (*parts)[i]);
  }
  return text + '}';
}

}  // namespace

Result<void> ViewRows::take(const std::optional<std::string>& key,
                            const std::optional<std::string>& after) {
  stream::View::Query query;
  if (key) {
    auto text = key_text(view_, *key);
    if (!text) return fail(text);
    query.key = std::move(*text);
  }
  query.epoch = at_.moment.epoch;
  query.after = after;
  query.limit = limit_;
  auto answer = at_.view->read(query);
  if (!answer) return fail(answer);
  rows_ = std::move(answer->rows);
  if (answer->has_more && !rows_.empty()) next_ = rows_.back()->key;
  return {};
}

// Whether the row is on its side of the boundary.
Result<bool> UnionRows::counts(const Side& side, const stream::ViewRow& row) const {
  if (!boundary_ms_) return side.mark == "l";
  auto json = plan::parse_json(row.json, plan::RepeatedNames::last_counts);
  const auto* object = json ? std::get_if<plan::JsonObject>(&*json) : nullptr;
  std::optional<std::int64_t> time_ms;
  if (object != nullptr) {
    auto cell = object->find(of_.column);
    const auto* text = cell == object->end() ? nullptr : std::get_if<std::string>(&cell->second);
    if (text != nullptr) time_ms = time_of_cell(*text);
  }
  if (!time_ms) {
    return fail(Errc::invalid_request,
                fmt::format("union view {}: a row of view {} has no time in column '{}': {}",
                            of_.name, side.view->name, of_.column, row.json));
  }
  return (*time_ms < *boundary_ms_) == (side.mark == "b");
}

Result<void> UnionRows::take_of(const Side& side, const std::optional<std::string>& key,
                                std::optional<std::string> after) {
  while (true) {
    ViewRows some(*side.at, *side.view, limit_ + 1);
    if (auto taken = some.take(key, after); !taken) return taken;
    for (const auto& row : some.rows()) {
      auto mine = counts(side, *row);
      if (!mine) return fail(mine);
      if (!*mine) continue;
      if (rows_.size() == limit_) {
        next_ = after ? side.mark + *after : side.mark;
        return {};
      }
      rows_.push_back(row);
      after = row->key;
    }
    if (!some.next()) return {};
    after = some.next();
  }
}

// A place is "b" or "l", and the key behind which it is there; "l" alone is the live view's
// beginning.
Result<void> UnionRows::take(const std::optional<std::string>& key,
                             const std::optional<std::string>& after) {
  bool is_place = !after || after->starts_with('b') || after->starts_with('l');
  if (!is_place) {
    return fail(Errc::invalid_argument, "'after' must be what an answer had as 'next'");
  }
  for (const Side& side : sides_) {
    std::optional<std::string> from;
    if (after) {
      if (after->starts_with('l') && side.mark == "b") continue;
      bool is_here = after->starts_with(side.mark) && after->size() > 1;
      if (is_here) from = after->substr(1);
    }
    if (auto taken = take_of(side, key, from); !taken) return taken;
    if (next_) return {};
  }
  return {};
}

}  // namespace leat::pipeline
