#include "pipeline/final_results.h"

#include <algorithm>
#include <optional>
#include <variant>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "interpreter/records.h"

namespace leat::pipeline {

namespace {

constexpr std::size_t lines_max = 20;

/// What stands of one topic, record by record.
class Standing {
 public:
  explicit Standing(bool replaces) : replaces_(replaces) {}

  void add(const std::optional<std::string>& key, const std::optional<std::string>& value,
           std::int64_t timestamp_ms, const std::string& kind) {
    std::string line =
        fmt::format("{} {} {}", timestamp_ms, key.value_or("-"), value.value_or("-"));
    if (replaces_) {
      last_[key.value_or("-")] = value ? std::optional(line) : std::nullopt;
    } else {
      counts_[line] += kind == "update_before" || kind == "delete" ? -1 : 1;
    }
  }

  std::map<std::string, int> counts() {
    for (const auto& [key, line] : last_) {
      if (line) ++counts_[*line];
    }
    std::erase_if(counts_, [](const auto& count) { return count.second == 0; });
    return std::move(counts_);
  }

 private:
  bool replaces_;
  std::map<std::string, int> counts_;
  std::map<std::string, std::optional<std::string>> last_;
};

/// Calls `take` with each sink that writes to a topic, and whether its records replace each other.
template <class Take>
void each_topic(const plan::BoundPlan& plan, Take take) {
  for (const auto& node : plan.nodes) {
    const auto* sink = std::get_if<plan::Sink>(&node.node->body);
    if (sink == nullptr || sink->topic.empty()) continue;
    take(node, *sink, node.revises && sink->changes == plan::Sink::Changes::upsert);
  }
}

}  // namespace

FinalResults final_results(stream::MemoryTopics& topics, const plan::BoundPlan& plan,
                           const std::string& suffix) {
  FinalResults results;
  each_topic(plan, [&](const plan::BoundNode&, const plan::Sink& sink, bool replaces) {
    auto topic = topics.find_topic(sink.topic + suffix);
    REQUIRE_MESSAGE(topic.has_value(), topic.error().what);
    Standing standing(replaces);
    for (std::int32_t p = 0; p < topic->partitions; ++p) {
      for (const auto& record : topics.records(sink.topic + suffix, p)) {
        std::string kind;
        for (const auto& [header, value] : record.headers) kind = value;
        standing.add(record.key, record.value, record.timestamp_ms, kind);
      }
    }
    results[sink.topic] = standing.counts();
  });
  return results;
}

FinalResults judged_results(const plan::BoundPlan& plan, const interpreter::Run& run) {
  auto outcome = interpreter::interpret(plan, run);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
  FinalResults results;
  each_topic(plan, [&](const plan::BoundNode& node, const plan::Sink& sink, bool replaces) {
    Standing standing(replaces);
    for (const auto& record : interpreter::records_of(node, outcome->sinks.at(node.node->name))) {
      standing.add(record.key, record.value, record.timestamp_ms, record.kind);
    }
    results[sink.topic] = standing.counts();
  });
  return results;
}

bool judges_arrival(const plan::BoundPlan& plan) {
  auto at_once = [](const plan::BoundNode& node) {
    const auto& body = node.node->body;
    if (const auto* join = std::get_if<plan::Join>(&body)) {
      return join->kind == plan::Join::Kind::table;
    }
    auto emits_so = [](const auto* operation) {
      return operation != nullptr && operation->emit == plan::Emission::at_once;
    };
    return emits_so(std::get_if<plan::Over>(&body)) || emits_so(std::get_if<plan::Top>(&body)) ||
           emits_so(std::get_if<plan::Dedup>(&body));
  };
  return std::any_of(plan.nodes.begin(), plan.nodes.end(), at_once);
}

bool asks_now(const plan::Plan& plan) {
  return plan::print(plan).find(R"("call":"now")") != std::string::npos;
}

std::string text_of_difference(const FinalResults& found, const FinalResults& wanted) {
  std::string text;
  std::size_t lines = 0;
  for (const auto& [topic, records] : wanted) {
    std::map<std::string, int> difference = records;
    for (const auto& [line, count] : found.at(topic)) difference[line] -= count;
    for (const auto& [line, count] : difference) {
      if (count == 0 || ++lines > lines_max) continue;
      text += fmt::format("{}: {} {} {}\n", topic, count > 0 ? "missing" : "too many",
                          std::abs(count), line);
    }
  }
  return text;
}

}  // namespace leat::pipeline
