#include "pipeline/view_answer.h"

#include <utility>

#include <fmt/format.h>

#include "column/timestamp.h"
#include "pipeline/view.h"

namespace leat::pipeline {

namespace {

using plan::Json;
using plan::JsonArray;
using plan::JsonObject;

Json inputs_json(const stream::ViewMoment& moment) {
  JsonArray inputs;
  for (const auto& input : moment.inputs) {
    JsonObject object;
    object["topic"] = input.name;
    object["partition"] = json_number(std::int64_t{input.partition.value()});
    object["offset"] = json_number(input.next.value());
    inputs.emplace_back(std::move(object));
  }
  return inputs;
}

JsonArray names(const std::vector<std::string>& names) {
  JsonArray array;
  for (const std::string& name : names) array.emplace_back(name);
  return array;
}

}  // namespace

JsonObject moment_json(const ServedView& view, const stream::ViewMoment& moment) {
  JsonObject object;
  object["kind"] = "table";
  object["pipeline"] = view.pipeline;
  object["version"] = json_number(std::uint64_t{view.version});
  object["epoch"] = json_number(moment.epoch);
  object["moment"] = fmt::format("{}", moment.epoch);
  object["time"] = json_time(moment.committed_ms);
  object["watermark"] = json_time(moment.complete_to);
  object["inputs"] = inputs_json(moment);
  object["keys"] = names(view.keys);
  object["columns"] = names(view.columns);
  return object;
}

Json side_json(const ServedView& view, const stream::ViewMoment& moment) {
  JsonObject object = moment_json(view, moment);
  object["view"] = view.name;
  object.erase("kind");
  object.erase("keys");
  object.erase("columns");
  object.erase("moment");
  return object;
}

std::string answer_text(JsonObject head, const FoundRows& rows) {
  head["next"] = nullptr;
  if (rows.next()) head["next"] = *rows.next();
  std::string text;
  plan::append_json(text, Json(std::move(head)));
  text.pop_back();
  text += ",\"rows\":[";
  for (const auto& row : rows.rows()) {
    if (!text.ends_with('[')) text += ',';
    text += row->json;
  }
  return text + "]}";
}

std::string time_text(std::int64_t time_ms) {
  if (time_ms < column::timestamp_min.ms || time_ms > column::timestamp_max.ms) return "no time";
  std::string text;
  column::append_timestamp(text, {time_ms});
  return text;
}

}  // namespace leat::pipeline
