#include "pipeline/kept_plans.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include "column/timestamp.h"
#include "generate/event_stream.h"
#include "generate/kinds.h"
#include "gzip_lines.h"
#include "plan/json_path.h"
#include "plan/parameters.h"
#include "repository.h"

namespace leat::pipeline {

namespace {

/// An event, and when it happened.
struct Line {
  std::optional<std::string> key;
  std::string value;
  std::int64_t time_ms = 0;
};

std::int64_t time_of(const std::string& value, const std::string& field) {
  auto json = plan::parse_json(value, plan::RepeatedNames::refuse);
  REQUIRE(json.has_value());
  const plan::Json* found = plan::find(*json, {field});
  const auto* text = found == nullptr ? nullptr : std::get_if<std::string>(found);
  if (text == nullptr) return 0;
  auto time = column::parse_timestamp(*text);
  REQUIRE(time.has_value());
  return time->ms;
}

/// The key of a customer's record.
std::optional<std::string> customer_of(const std::string& value) {
  auto json = plan::parse_json(value, plan::RepeatedNames::refuse);
  REQUIRE(json.has_value());
  const plan::Json* found = plan::find(*json, {"customer_id"});
  REQUIRE(found != nullptr);
  std::string key;
  plan::append_json(key, *found);
  return key;
}

/// Lines of a file that was read once, from somewhere on; all of a table.
std::vector<Line> real_lines(const std::string& name, const std::string& time_field, Random& random,
                             std::size_t records) {
  static std::map<std::string, std::vector<std::string>> read;
  auto& all = read[name];
  if (all.empty()) all = data_lines(name + ".jsonl.gz");
  bool is_table = time_field.empty();
  std::size_t count = is_table ? all.size() : std::min(records, all.size());
  std::size_t first = is_table ? 0 : random.below(all.size() - count + 1);
  std::vector<Line> lines;
  for (std::size_t i = first; i < first + count; ++i) {
    std::int64_t time_ms = is_table ? 0 : time_of(all[i], time_field);
    lines.push_back({is_table ? customer_of(all[i]) : std::nullopt, all[i], time_ms});
  }
  return lines;
}

std::vector<Line> made_up_lines(const std::string& kind_name, Random& random, std::size_t records) {
  auto kinds = generate::kinds();
  auto kind = std::find_if(kinds.begin(), kinds.end(),
                           [&](const generate::Kind& one) { return one.name == kind_name; });
  REQUIRE_MESSAGE(kind != kinds.end(), "nobody makes events for ", kind_name);
  generate::Traits traits = kind->defaults;
  traits.seed = random.next();
  // Which event differs from what readers were told is another test's matter.
  traits.drift = 0;
  generate::EventStream stream(kind->make(traits), traits);
  std::vector<Line> lines;
  auto count = kind->is_table ? static_cast<std::size_t>(kind->count(traits)) : records;
  for (std::size_t i = 0; i < count; ++i) {
    const generate::Event* event = stream.next();
    lines.push_back({event->key, event->value, event->time_ms});
  }
  return lines;
}

std::vector<Line> lines_for(const std::string& topic, bool is_example,
                            const std::string& time_field, Random& random, std::size_t records) {
  static const std::map<std::string, std::string> real{
      {"edits", "wikipedia-edits"},
      {"retail-orders", "retail-orders"},
      {"retail-customers", "retail-customers"},
      {"retail-customers.jsonl", "retail-customers"},
  };
  auto found = real.find(topic);
  if (found != real.end()) return real_lines(found->second, time_field, random, records);
  if (topic == "orders" && !is_example) {
    return real_lines("retail-orders", time_field, random, records);
  }
  return made_up_lines(topic, random, records);
}

/// Some change places with others nearby, some come once more.
interpreter::Log disordered(const std::vector<Line>& lines, bool is_file, Random& random) {
  interpreter::Log log;
  log.partitions.resize(is_file ? 1 : 1 + random.below(3));
  auto order = lines;
  for (std::size_t i = 0; i < order.size() && !is_file; ++i) {
    if (!random.one_in(5)) continue;
    std::swap(order[i], order[std::min(order.size() - 1, i + random.below(15))]);
  }
  for (const Line& line : order) {
    interpreter::Record record;
    record.timestamp_ms = line.time_ms;
    record.key = line.key;
    record.value = line.value;
    auto& partition = log.partitions[random.below(log.partitions.size())];
    if (!is_file && random.one_in(30)) partition.push_back(record);
    partition.push_back(std::move(record));
  }
  return log;
}

std::string day_of(std::int64_t time_ms) {
  std::string text;
  column::append_timestamp(text, {time_ms});
  return text.substr(0, text.find('T'));
}

}  // namespace

std::vector<std::string> kept_plans() {
  std::vector<std::string> paths;
  auto root = repository_path("");
  for (const char* folder : {"tests/plans", "examples/jobs"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(repository_path(folder))) {
      std::string path = std::filesystem::relative(entry.path(), root).string();
      if (path.ends_with(".plan.json")) paths.push_back(path);
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

PlanAndLogs with_logs(const std::string& path, Random& random, std::size_t records) {
  std::ifstream in(repository_path(path));
  std::stringstream text;
  text << in.rdbuf();
  auto parse = [&](const plan::Parameters& values) {
    auto filled = plan::fill_in(text.str(), values);
    REQUIRE_MESSAGE(filled.has_value(), path, ": ", filled.error().what);
    auto parsed = plan::parse(filled->text);
    REQUIRE_MESSAGE(parsed.has_value(), path, ": ", parsed.error().what);
    return std::move(*parsed);
  };
  plan::Parameters values = plan::run_parameters(0);
  values["date"] = values["today"];
  values["out"] = "/out";
  PlanAndLogs made{parse(values), {}};
  for (const auto& node : made.plan.nodes) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source == nullptr) continue;
    bool is_file = source->topic.empty();
    const std::string& name = is_file ? source->file : source->topic;
    auto lines = lines_for(name, path.starts_with("examples"), source->event_time, random, records);
    // What asks for a day gets one that there is.
    if (!source->event_time.empty()) values["date"] = day_of(lines[lines.size() / 2].time_ms);
    made.logs[name] = disordered(lines, is_file, random);
  }
  made.plan = parse(values);
  for (auto& node : made.plan.nodes) {
    auto* sink = std::get_if<plan::Sink>(&node.body);
    if (sink != nullptr && !sink->files.empty()) sink->files = "/out";
  }
  return made;
}

}  // namespace leat::pipeline
