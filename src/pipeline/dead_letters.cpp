#include "pipeline/dead_letters.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "pipeline/cut.h"

namespace leat::pipeline {

namespace {

const plan::Source* source_of(const plan::Node& node) {
  return std::get_if<plan::Source>(&node.body);
}

/// Why the node cannot take a record by itself; empty if it can.
std::string why_not(const plan::Node& node) {
  if (const auto* sink = std::get_if<plan::Sink>(&node.body)) {
    return sink->view.empty() ? "" : "keeps a view, which only the live version's run changes";
  }
  if (const auto* join = std::get_if<plan::Join>(&node.body)) {
    if (join->kind == plan::Join::Kind::table) return "";
  }
  bool is_simple = source_of(node) != nullptr || std::holds_alternative<plan::Filter>(node.body) ||
                   std::holds_alternative<plan::Project>(node.body) ||
                   std::holds_alternative<plan::Unnest>(node.body) ||
                   std::holds_alternative<plan::Union>(node.body) ||
                   std::holds_alternative<plan::Rekey>(node.body);
  return is_simple ? "" : "judges a row by others, in their order";
}

}  // namespace

std::vector<std::string> dead_letter_topics(const plan::Plan& plan) {
  std::set<std::string> names;
  for (const plan::Node& node : plan.nodes) {
    const plan::Source* source = source_of(node);
    if (source != nullptr) names.insert(source->bad_records.topic);
  }
  names.insert(plan.bad_rows.topic);
  names.erase("");
  return {names.begin(), names.end()};
}

std::vector<std::string> letter_sources(const plan::Plan& plan) {
  std::vector<std::string> names;
  for (const plan::Node& node : plan.nodes) {
    const plan::Source* source = source_of(node);
    bool is_one = source != nullptr && !source->upsert && !source->topic.empty();
    if (is_one) names.push_back(source->topic);
  }
  return names;
}

Result<void> check_takes_letters(const plan::Plan& plan, const std::string& pipeline) {
  auto refuse = [&](std::size_t node, const std::string& why) {
    return fail(
        Errc::invalid_request,
        fmt::format("dead letters cannot be given to {} by themselves: {} {}. The records are "
                    "where they were: deploy a plan that takes them, and `leat pipeline replay {} "
                    "--promote` has it read them in their places",
                    pipeline, plan::place_of(plan, node), why, pipeline));
  };
  if (plan.mode.type == plan::Mode::Type::batch) {
    return fail(Errc::invalid_request,
                fmt::format("{} is a batch, whose next run reads all there is again: deploy a plan "
                            "that takes what was rejected, and run it",
                            pipeline));
  }
  std::set<std::string> read;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    std::string why = why_not(plan.nodes[i]);
    if (!why.empty()) return refuse(i, why);
    const plan::Source* source = source_of(plan.nodes[i]);
    if (source == nullptr) continue;
    bool is_first = source->topic.empty() || read.insert(source->topic).second;
    if (!is_first) return refuse(i, "reads the same topic as another source");
    if (source->upsert) continue;
    if (source->topic.empty()) return refuse(i, "reads a file");
    for (const plan::SourceColumn& column : source->columns) {
      bool is_place = column.from == plan::SourceColumn::From::offset ||
                      column.from == plan::SourceColumn::From::partition;
      if (is_place) return refuse(i, "reads the place of a record, which is another one then");
    }
  }
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto* sink = std::get_if<plan::Sink>(&plan.nodes[i].body);
    bool is_read = sink != nullptr && read.contains(sink->topic);
    if (is_read) return refuse(i, "writes to a topic that the plan reads");
  }
  return {};
}

bool gives_one_result(const plan::Plan& plan) {
  std::map<std::string, int> takers;
  for (const plan::Node& node : plan.nodes) {
    if (std::holds_alternative<plan::Unnest>(node.body)) return false;
    for (const std::string& input : plan::inputs_of(node)) ++takers[input];
  }
  return std::all_of(takers.begin(), takers.end(),
                     [](const auto& taken) { return taken.second == 1; });
}

void note_taken(Deployed& pipeline, const std::string& topic, const Positions& positions) {
  auto found = std::find_if(pipeline.letters.begin(), pipeline.letters.end(),
                            [&](const TakenLetters& letters) { return letters.topic == topic; });
  if (found == pipeline.letters.end()) {
    pipeline.letters.push_back({topic, positions});
  } else {
    found->next = later_of(found->next, positions);
  }
}

Positions taken_of(const Deployed& pipeline, const std::string& topic) {
  for (const TakenLetters& letters : pipeline.letters) {
    if (letters.topic == topic) return letters.next;
  }
  return {};
}

}  // namespace leat::pipeline
