#include "pipeline/union_view.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "column/timestamp.h"
#include "pipeline/view.h"
#include "plan/bound_plan.h"
#include "plan/literal_json.h"

namespace leat::pipeline {

namespace {

constexpr std::int64_t format_number = 1;
constexpr const char* type_name = "union_view";
constexpr std::size_t name_max = 200;

using plan::Json;
using plan::JsonObject;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_max &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

/// Takes members; the first that does not fit is remembered.
class Members {
 public:
  explicit Members(JsonObject object) : object_(std::move(object)) {}

  std::string text(const char* name) {
    Json json = take(name);
    const auto* text = std::get_if<std::string>(&json);
    if (text == nullptr) wrong(fmt::format("'{}' must be a text", name));
    return text == nullptr ? "" : *text;
  }
  std::int64_t number(const char* name) {
    auto number = plan::read_integer(take(name));
    if (!number) wrong(fmt::format("'{}' must be a whole number", name));
    return number.value_or(0);
  }
  void wrong(std::string what) {
    if (!wrong_) wrong_ = std::move(what);
  }
  Result<void> finish() {
    if (!object_.empty()) wrong(fmt::format("'{}' is not known here", object_.begin()->first));
    if (wrong_) return fail(Errc::plan_error, "a union view: " + *wrong_);
    return {};
  }

 private:
  Json take(const char* name) {
    auto found = object_.find(name);
    if (found == object_.end()) {
      wrong(fmt::format("'{}' is missing", name));
      return nullptr;
    }
    Json json = std::move(found->second);
    object_.erase(found);
    return json;
  }

  JsonObject object_;
  std::optional<std::string> wrong_;
};

/// What rows may be behind their partition's largest event time, at least and at most, and still
/// count.
struct Patience {
  std::optional<std::int64_t> least_ms;
  std::int64_t most_ms = 0;
};

Patience patience_of(const plan::Plan& plan) {
  Patience patience;
  std::int64_t lateness_ms = 0;
  for (const plan::Node& node : plan.nodes) {
    if (const auto* window = std::get_if<plan::Window>(&node.body)) {
      lateness_ms = std::max(lateness_ms, window->lateness_ms);
    }
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source == nullptr || source->upsert) continue;
    patience.least_ms =
        std::min(patience.least_ms.value_or(source->disorder_ms), source->disorder_ms);
    patience.most_ms = std::max(patience.most_ms, source->disorder_ms);
  }
  patience.most_ms += lateness_ms;
  return patience;
}

Result<void> check_windows(const UnionView& view, const plan::Plan& plan) {
  for (const plan::Node& node : plan.nodes) {
    const auto* window = std::get_if<plan::Window>(&node.body);
    if (window == nullptr) continue;
    const plan::WindowShape& shape = window->window;
    bool meets = shape.kind == plan::WindowShape::Kind::tumbling &&
                 view.granularity_ms % shape.size_ms == 0 && shape.offset_ms % shape.size_ms == 0;
    if (meets) continue;
    return fail(Errc::plan_error,
                fmt::format("union view {}: a window of pipeline {} would lie across the boundary, "
                            "which is a multiple of {} ms: it must be tumbling, and fit into that",
                            view.name, plan.name, view.granularity_ms));
  }
  return {};
}

Result<void> check_column(const UnionView& view, const plan::Plan& plan, const std::string& of) {
  auto bound = plan::bind(plan);
  if (!bound) return fail(bound);
  for (const auto& node : bound->nodes) {
    const auto* sink = std::get_if<plan::Sink>(&node.node->body);
    if (sink == nullptr || sink->view != of) continue;
    auto number = plan::find_column(node.schema, view.column);
    if (!number) {
      return fail(Errc::plan_error,
                  fmt::format("union view {}: view {}: {}", view.name, of, number.error().what));
    }
    auto kind = node.schema[*number].type.kind;
    bool is_time = kind == column::Type::Kind::timestamp || kind == column::Type::Kind::date;
    if (is_time && !node.schema[*number].type.array) return {};
    return fail(Errc::plan_error,
                fmt::format("union view {}: column '{}' of view {} must be a timestamp or a date",
                            view.name, view.column, of));
  }
  return fail(Errc::plan_error,
              fmt::format("union view {}: pipeline {} has no view {}", view.name, plan.name, of));
}

}  // namespace

std::optional<std::int64_t> UnionView::boundary_ms(operators::Watermark complete_to) const {
  if (complete_to == operators::watermark_min || complete_to == operators::watermark_max) return {};
  std::int64_t rest = complete_to % granularity_ms;
  return complete_to - (rest < 0 ? rest + granularity_ms : rest);
}

Result<UnionView> parse_union_view(std::string_view text) {
  auto json = plan::parse_json(text, plan::RepeatedNames::refuse);
  if (!json) return fail(Errc::plan_error, json.error().what);
  auto* object = std::get_if<JsonObject>(&*json);
  if (object == nullptr) return fail(Errc::plan_error, "a union view: must be a JSON object");
  Members members(std::move(*object));
  if (members.number("version") != format_number) members.wrong("'version' must be 1");
  if (members.text("type") != type_name) members.wrong("'type' must be \"union_view\"");
  UnionView view;
  view.name = members.text("name");
  view.batch = members.text("batch");
  view.live = members.text("live");
  view.column = members.text("column");
  view.granularity_ms = members.number("granularity_ms");
  if (!is_name(view.name)) {
    members.wrong(
        fmt::format("'name' must be up to {} letters, digits, '.', '_' and '-'", name_max));
  }
  if (is_shadow_name(view.name)) {
    members.wrong("'name' must not end like those of versions beside the live one, in .v<number>");
  }
  if (view.granularity_ms <= 0) members.wrong("'granularity_ms' must be above 0");
  if (view.batch == view.live) members.wrong("'batch' and 'live' must be two views");
  if (auto finished = members.finish(); !finished) return fail(finished);
  return view;
}

std::string print(const UnionView& view) {
  JsonObject object;
  object["version"] = json_number(format_number);
  object["type"] = type_name;
  object["name"] = view.name;
  object["batch"] = view.batch;
  object["live"] = view.live;
  object["column"] = view.column;
  object["granularity_ms"] = json_number(view.granularity_ms);
  std::string text;
  plan::append_json(text, Json(std::move(object)));
  return text;
}

Result<void> check_union(const UnionView& view, const plan::Plan& batch, const plan::Plan& live) {
  if (batch.mode.type != plan::Mode::Type::batch) {
    return fail(Errc::plan_error,
                fmt::format("union view {}: pipeline {}, of view {}, is no batch: its mode says so",
                            view.name, batch.name, view.batch));
  }
  if (live.mode.type == plan::Mode::Type::batch) {
    return fail(Errc::plan_error,
                fmt::format("union view {}: pipeline {}, of view {}, is a batch, and has to run "
                            "all the time",
                            view.name, live.name, view.live));
  }
  for (const auto* side : {&batch, &live}) {
    const std::string& of = side == &batch ? view.batch : view.live;
    if (auto fits = check_column(view, *side, of); !fits) return fits;
    if (auto fits = check_windows(view, *side); !fits) return fits;
  }
  std::int64_t waits_ms = patience_of(batch).least_ms.value_or(0);
  std::int64_t live_waits_ms = patience_of(live).most_ms;
  if (waits_ms >= live_waits_ms) return {};
  return fail(
      Errc::plan_error,
      fmt::format("union view {}: pipeline {} takes rows that are {} ms late, and pipeline "
                  "{} takes the time before its end for complete after {} ms: what comes "
                  "in between would be in neither; give the batch a disorder_ms of {}",
                  view.name, live.name, live_waits_ms, batch.name, waits_ms, live_waits_ms));
}

bool is_shadow_name(std::string_view name) {
  std::size_t dot = name.rfind(".v");
  if (dot == name.npos || dot + 2 == name.size()) return false;
  std::string_view digits = name.substr(dot + 2);
  return std::all_of(digits.begin(), digits.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::optional<std::size_t> view_number(const plan::Plan& plan, std::string_view name) {
  std::size_t number = 0;
  for (const plan::Node& node : plan.nodes) {
    const auto* sink = std::get_if<plan::Sink>(&node.body);
    if (sink == nullptr || sink->view.empty()) continue;
    if (sink->view == name) return number;
    ++number;
  }
  return std::nullopt;
}

std::optional<std::int64_t> time_of_cell(std::string_view text) {
  constexpr std::size_t date_size = 10;  // 2026-03-02
  std::string whole(text);
  if (whole.size() == date_size) whole += "T00:00:00Z";
  auto time = column::parse_timestamp(whole);
  if (!time) return std::nullopt;
  return time->ms;
}

}  // namespace leat::pipeline
