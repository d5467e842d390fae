#include "pipeline/warm_up.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "column/timestamp.h"
#include "pipeline/plan_traits.h"

namespace leat::pipeline {

namespace {

std::string period_text(std::int64_t ms) {
  struct Unit {
    std::int64_t ms;
    const char* name;
  };
  constexpr Unit units[] = {
      {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1000, "s"}, {1, "ms"}};
  std::string text;
  int parts = 0;
  for (const Unit& unit : units) {
    if (ms < unit.ms || parts == 2) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", ms / unit.ms, unit.name);
    ms %= unit.ms;
    ++parts;
  }
  return text.empty() ? "0 s" : text;
}

/// What one node adds to the reach of what it reads.
struct Step {
  std::optional<std::int64_t> ms = 0;
  std::string why;
};

Step any_row(std::string why) {
  return {std::nullopt, std::move(why)};
}

Step step_of(const plan::WindowShape& shape, std::int64_t lateness_ms) {
  if (shape.kind == plan::WindowShape::Kind::session) {
    return any_row("has sessions, which may go on for any time");
  }
  std::string why = "has windows of " + period_text(shape.size_ms);
  if (lateness_ms > 0) why += ", which take rows for another " + period_text(lateness_ms);
  return {shape.size_ms + lateness_ms, std::move(why)};
}

Step step_of(const plan::Join& join) {
  switch (join.kind) {
    case plan::Join::Kind::table: return {};
    case plan::Join::Kind::as_of: return any_row("joins with the last row of a key, however old");
    case plan::Join::Kind::window: return step_of(*join.window, 0);
    case plan::Join::Kind::interval: break;
  }
  if (!join.lower_ms || !join.upper_ms) return any_row("joins rows of any distance");
  std::int64_t ms = std::max({-*join.lower_ms, *join.upper_ms, std::int64_t{0}});
  return {ms, "joins rows up to " + period_text(ms) + " apart"};
}

Step step_of(const plan::Node& node, bool is_revised) {
  if (const auto* window = std::get_if<plan::Window>(&node.body)) {
    if (is_revised) return any_row("has windows over rows that change later");
    return step_of(window->window, window->lateness_ms);
  }
  if (const auto* over = std::get_if<plan::Over>(&node.body)) {
    if (!over->frame.range_ms) return any_row("looks at rows of any age");
    return {*over->frame.range_ms, "looks back over " + period_text(*over->frame.range_ms)};
  }
  if (const auto* join = std::get_if<plan::Join>(&node.body)) return step_of(*join);
  if (std::holds_alternative<plan::Top>(node.body)) return any_row("keeps first rows for good");
  if (std::holds_alternative<plan::Dedup>(node.body)) {
    return any_row("knows keys from the first row on, whose place hangs on all before");
  }
  if (const auto* source = std::get_if<plan::Source>(&node.body)) {
    return source->topic.empty() ? any_row("reads a file, which has no index of time") : Step();
  }
  bool is_simple = std::holds_alternative<plan::Filter>(node.body) ||
                   std::holds_alternative<plan::Project>(node.body) ||
                   std::holds_alternative<plan::Unnest>(node.body) ||
                   std::holds_alternative<plan::Union>(node.body) ||
                   std::holds_alternative<plan::Rekey>(node.body) ||
                   std::holds_alternative<plan::Sink>(node.body);
  return is_simple ? Step() : any_row("keeps what only it knows");
}

}  // namespace

Reach reach_of(const plan::BoundPlan& plan) {
  Reach reach;
  std::set<std::string> tables;
  std::vector<std::optional<std::int64_t>> reaches;
  std::int64_t longest = -1;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const plan::BoundNode& bound = plan.nodes[i];
    const auto* source = std::get_if<plan::Source>(&bound.node->body);
    if (source != nullptr && source->upsert) tables.insert(source->topic);
    bool is_revised = std::any_of(bound.inputs.begin(), bound.inputs.end(),
                                  [&](std::size_t from) { return plan.nodes[from].revises; });
    Step step = step_of(*bound.node, is_revised);
    std::optional<std::int64_t> of_node = step.ms;
    for (std::size_t from : bound.inputs) {
      if (!of_node || !reaches[from]) {
        of_node.reset();
      } else {
        of_node = std::max(*of_node, *step.ms + *reaches[from]);
      }
    }
    if (!step.ms && reach.ms) {
      reach.ms.reset();
      reach.because = plan::place_of(*plan.plan, i) + " " + step.why;
    }
    if (reach.ms && of_node) reach.ms = std::max(*reach.ms, *of_node);
    if (reach.ms && step.ms && *step.ms > longest && !step.why.empty()) {
      longest = *step.ms;
      reach.because = plan::place_of(*plan.plan, i) + " " + step.why;
    }
    reaches.push_back(of_node);
  }
  reach.tables.assign(tables.begin(), tables.end());
  return reach;
}

std::optional<std::int64_t> ahead_of_records(const plan::Plan& plan, const std::string& topic) {
  std::int64_t ahead = 0;
  for (const plan::Node& node : plan.nodes) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source == nullptr || source->topic != topic || source->event_time.empty()) continue;
    bool is_of_record =
        std::any_of(source->columns.begin(), source->columns.end(), [&](const auto& column) {
          return column.name == source->event_time &&
                 column.from == plan::SourceColumn::From::timestamp;
        });
    if (is_of_record) continue;
    if (!source->ahead_max_ms) return std::nullopt;
    ahead = std::max(ahead, *source->ahead_max_ms);
  }
  return ahead;
}

Result<WarmUp> plan_warm_up(const plan::Plan& plan, VersionData& data, const Positions& silent_to) {
  auto bound = plan::bind(plan);
  if (!bound) return fail(bound);
  Reach reach = reach_of(*bound);
  auto from_start = [](const std::string& why) {
    return WarmUp{{}, "its warm-up reads from the start, because " + why};
  };
  if (!reach.ms) return from_start(reach.because);
  std::vector<std::string> topics = source_topics(plan);
  std::erase_if(topics, [&](const std::string& topic) {
    return std::find(reach.tables.begin(), reach.tables.end(), topic) != reach.tables.end();
  });
  for (const std::string& topic : topics) {
    if (ahead_of_records(plan, topic)) continue;
    return from_start(fmt::format(
        "event times of {} may be ahead of its records' timestamps by any time, as long as "
        "ahead_max_ms of its source is null",
        topic));
  }
  auto before = data.time_before(plan, silent_to);
  if (!before) return fail(before);
  if (!before->watermark_ms) {
    return from_start("a partition has no rows before, so event time has not begun");
  }
  WarmUp warm_up;
  std::int64_t from_ms = *before->watermark_ms - *reach.ms - 1;
  for (const std::string& topic : topics) {
    auto first =
        data.find({topic}, {LogPosition::Kind::time, from_ms - *ahead_of_records(plan, topic)});
    if (!first) return fail(first);
    for (Position& position : *first) {
      for (const Position& end : silent_to) {
        bool is_same = end.name == position.name && end.partition == position.partition;
        if (is_same) position.offset = std::min(position.offset, end.offset);
      }
      warm_up.begin.push_back(std::move(position));
    }
  }
  std::string time;
  column::append_timestamp(time, {from_ms});
  warm_up.text =
      fmt::format("its warm-up reads from {} of event time on, because {}", time, reach.because);
  return warm_up;
}

}  // namespace leat::pipeline
