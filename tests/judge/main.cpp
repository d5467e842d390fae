// leat-judge PLAN TOPIC=FILE...: what the interpreter says that a plan gives for what topics hold.
//
// A line of FILE is a record, those of a partition in their order:
//   {"partition": 0, "key": "a" or null, "value": "..." or null, "time": 1000}
// It prints a line for each record that a sink's topic must have in the end, and one for each node
// that must have refused rows because they were late:
//   {"topic": "counts", "key": "a", "value": "...", "time": 1000}
//   {"late": "per_second", "rows": 3}
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/core.h>

#include "interpreter/interpreter.h"
#include "interpreter/records.h"
#include "plan/bound_plan.h"
#include "plan/json.h"

namespace {

using namespace leat;

std::optional<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return {};
  return text.str();
}

const plan::Json* member(const plan::JsonObject& object, std::string_view name) {
  auto found = object.find(name);
  return found == object.end() ? nullptr : &found->second;
}

std::optional<std::string> text_in(const plan::JsonObject& object, std::string_view name) {
  const plan::Json* found = member(object, name);
  const auto* text = found == nullptr ? nullptr : std::get_if<std::string>(found);
  if (text == nullptr) return {};
  return *text;
}

std::int64_t number_in(const plan::JsonObject& object, std::string_view name) {
  const plan::Json* found = member(object, name);
  const auto* number = found == nullptr ? nullptr : std::get_if<plan::JsonNumber>(found);
  return number == nullptr ? -1 : std::stoll(number->token);
}

Result<interpreter::Log> read_log(const std::string& topic, const std::string& path) {
  interpreter::Log log;
  log.topic = topic;
  auto text = read_text(path);
  if (!text) return fail(Errc::not_found, path + " cannot be read");
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    auto json = plan::parse_json(line, plan::RepeatedNames::refuse);
    if (!json) return fail(json);
    const auto* object = std::get_if<plan::JsonObject>(&*json);
    auto partition = object == nullptr ? -1 : number_in(*object, "partition");
    if (partition < 0) return fail(Errc::malformed, path + ": this is no record: " + line);
    auto index = static_cast<std::size_t>(partition);
    if (log.partitions.size() <= index) log.partitions.resize(index + 1);
    interpreter::Record record;
    record.key = text_in(*object, "key");
    record.value = text_in(*object, "value");
    record.timestamp_ms = number_in(*object, "time");
    log.partitions[index].push_back(std::move(record));
  }
  return log;
}

plan::Json json_of(const std::optional<std::string>& text) {
  return text ? plan::Json(*text) : plan::Json(nullptr);
}

void print(const plan::JsonObject& object) {
  std::string line;
  plan::append_json(line, plan::Json(object));
  fmt::print("{}\n", line);
}

Result<void> judge(const std::string& plan_text, std::map<std::string, interpreter::Log> logs) {
  auto parsed = plan::parse(plan_text);
  if (!parsed) return fail(parsed);
  auto bound = plan::bind(*parsed);
  if (!bound) return fail(bound);
  interpreter::Run run;
  for (const auto& node : parsed->nodes) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source == nullptr) continue;
    if (!logs.contains(source->topic))
      return fail(Errc::not_found, "no records of " + source->topic);
    run.logs[node.name] = logs.at(source->topic);
  }
  auto outcome = interpreter::interpret(*bound, run);
  if (!outcome) return fail(outcome);
  for (const auto& node : bound->nodes) {
    const auto* sink = std::get_if<plan::Sink>(&node.node->body);
    if (sink == nullptr || sink->topic.empty()) continue;
    for (const auto& record : interpreter::records_of(node, outcome->sinks.at(node.node->name))) {
      print({{"topic", plan::Json(sink->topic)},
             {"key", json_of(record.key)},
             {"value", json_of(record.value)},
             {"time", plan::JsonNumber{std::to_string(record.timestamp_ms)}}});
    }
  }
  for (const auto& [node, rows] : outcome->late) {
    print({{"late", plan::Json(node)}, {"rows", plan::JsonNumber{std::to_string(rows.size())}}});
  }
  return {};
}

int complain(const std::string& what) {
  fmt::print(stderr, "leat-judge: {}\n", what);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return complain("usage: leat-judge PLAN TOPIC=FILE...");
  auto plan_text = read_text(argv[1]);
  if (!plan_text) return complain(std::string(argv[1]) + " cannot be read");
  std::map<std::string, interpreter::Log> logs;
  for (int i = 2; i < argc; ++i) {
    std::string_view argument = argv[i];
    auto equals = argument.find('=');
    if (equals == argument.npos) return complain("TOPIC=FILE instead of " + std::string(argument));
    std::string topic(argument.substr(0, equals));
    auto log = read_log(topic, std::string(argument.substr(equals + 1)));
    if (!log) return complain(log.error().what);
    logs[topic] = std::move(*log);
  }
  auto judged = judge(*plan_text, std::move(logs));
  return judged ? 0 : complain(judged.error().what);
}
