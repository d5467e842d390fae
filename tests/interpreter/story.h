// Small runs as texts: records in, rows out.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "interpreter/evaluate.h"
#include "interpreter/interpreter.h"

namespace leat::interpreter {

/// Records `time key value` of one partition, separated by `;`: a timestamp in ms, and a JSON
/// object
/// {"k": key, "v": value}. `-` is NULL.
inline std::vector<Record> records(const std::string& text) {
  std::vector<Record> out;
  std::istringstream in(text);
  for (std::string one; std::getline(in, one, ';');) {
    std::istringstream words(one);
    std::string time, key, value;
    if (!(words >> time >> key >> value)) continue;
    Record record;
    record.timestamp_ms = std::stoll(time);
    record.key = key;
    record.value = fmt::format("{{\"k\":{},\"v\":{}}}", key == "-" ? "null" : '"' + key + '"',
                               value == "-" ? "null" : value);
    out.push_back(std::move(record));
  }
  return out;
}

inline std::string text_of(const plan::Value& value, const plan::Type& type) {
  if (value.is_null()) return "-";
  if (const auto* time = std::get_if<plan::Timestamp>(&value)) return std::to_string(time->ms);
  if (const auto* array = std::get_if<plan::Array>(&value)) {
    std::string text;
    for (const auto& item : array->items) {
      text += (text.empty() ? "" : ",") + text_of(item, plan::element_of(type));
    }
    return "[" + text + "]";
  }
  return std::get<std::string>(cast(value, type, plan::Type{}));
}

/// The values of each row, and in front of it `-`, `+` or `!` if it is taken back or changed.
inline std::string text_of(const Rows& rows, const plan::Schema& schema) {
  std::string text;
  for (const auto& row : rows) {
    if (!text.empty()) text += "; ";
    if (row.kind == Kind::remove) text += "! ";
    if (row.kind == Kind::update_before) text += "- ";
    if (row.kind == Kind::update_after) text += "+ ";
    for (std::size_t i = 0; i < schema.size(); ++i) {
      text += (i > 0 ? " " : "") + text_of(row.values[i], schema[i].type);
    }
  }
  return text;
}

using Partitions = std::vector<std::string>;
/// Of "a": watermarks by (partition, offset), as Log has them.
using Lifted = decltype(Log::lifted);

/// A plan over the topics "a" and "b", which its nodes of these names read; their event time is the
/// record's. `nodes` are those behind, without braces; the last one's rows are what is told.
class Story {
 public:
  explicit Story(std::vector<std::string> nodes, const std::string& source_options = "") {
    std::string json =
        R"({"version": 1, "name": "story", "bad_rows": {"policy": "skip"}, "nodes": [)";
    std::string all;
    for (const auto& node : nodes) all += node;
    for (std::string name : {"a", "b"}) {
      if (all.find('"' + name + '"') == all.npos) continue;
      json += fmt::format(
          R"({{"name": "{0}", "type": "source", "topic": "{0}", "columns": [{{"name": "k", "type":
          "text"}}, {{"name": "v", "type": "bigint"}}],
          "bad_records": {{"policy": "skip"}}{1}}}, )",
          name, source_options);
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      json += fmt::format(R"({{"name": "n{}", {}}}, )", i, nodes[i]);
    }
    json += fmt::format(R"({{"name": "out", "type": "sink", "console": true, "input": "n{}"}}]}})",
                        nodes.size() - 1);
    auto parsed = plan::parse(json);
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what, " in ", json);
    plan_ = *parsed;
  }

  /// What comes out, and behind `late` what came too late.
  std::string tell(const Partitions& a, const Partitions& b = {}, const Lifted& lifted = {}) const {
    auto bound = plan::bind(plan_);
    REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
    Run run;
    for (const auto& partition : a) run.logs["a"].partitions.push_back(records(partition));
    for (const auto& partition : b) run.logs["b"].partitions.push_back(records(partition));
    run.logs["a"].lifted = lifted;
    auto outcome = interpret(*bound, run);
    REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
    std::string text = text_of(outcome->sinks.at("out"), bound->nodes.back().schema);
    for (const auto& [node, rows] : outcome->late) {
      text += " | late " + late_text(rows);
    }
    for (const auto& bad : outcome->bad_rows) text += " | bad " + bad.reason;
    return text;
  }

 private:
  static std::string late_text(const Rows& rows) {
    std::string text;
    for (const auto& row : rows) text += (text.empty() ? "" : ",") + std::to_string(row.time);
    return text;
  }

  plan::Plan plan_;
};

}  // namespace leat::interpreter
