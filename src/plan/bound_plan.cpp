#include "plan/bound_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "plan/cron.h"
#include "plan/limits.h"
#include "plan/node_binder.h"
#include "plan/untimed_rows.h"

namespace leat::plan {

namespace {

using Topics = std::set<std::string>;

// The topics that a node writes besides its output.
std::vector<std::string> side_topics_of(const Node& node) {
  return std::visit(
      [](const auto& body) -> std::vector<std::string> {
        if constexpr (requires { body.late_topic; })
          return {body.late_topic};
        else if constexpr (requires { body.bad_records; })
          return {body.bad_records.topic};
        else
          return {};
      },
      node.body);
}

// A topic that is read must not be written; one that gets results must not get anything else.
Result<void> check_topics(const Plan& plan) {
  Topics read, results, side{plan.bad_rows.topic};
  for (const auto& node : plan.nodes) {
    if (const auto* source = std::get_if<Source>(&node.body)) read.insert(source->topic);
  }
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto* sink = std::get_if<Sink>(&plan.nodes[i].body);
    for (const auto& topic : side_topics_of(plan.nodes[i])) side.insert(topic);
    if (sink == nullptr || sink->topic.empty()) continue;
    if (!results.insert(sink->topic).second) {
      return fail(Errc::plan_error,
                  fmt::format("{} topic: two sinks write to '{}'", place_of(plan, i), sink->topic));
    }
  }
  side.erase("");
  read.erase("");
  for (const auto& topics : {results, side}) {
    for (const auto& topic : topics) {
      if (read.contains(topic)) {
        return fail(Errc::plan_error, fmt::format("the topic '{}' is read and written", topic));
      }
    }
  }
  for (const auto& topic : side) {
    if (!results.contains(topic)) continue;
    return fail(Errc::plan_error,
                fmt::format("the topic '{}' would get results and what is late or bad", topic));
  }
  return {};
}

bool passes_rows_on(const Node& node) {
  return std::holds_alternative<Filter>(node.body) || std::holds_alternative<Project>(node.body) ||
         std::holds_alternative<Unnest>(node.body) || std::holds_alternative<Union>(node.body) ||
         std::holds_alternative<Rekey>(node.body);
}

// A table is read whole before the first row is looked up in it, so that nothing else can have its
// rows in the order in which rows come.
Result<void> check_table(const BoundPlan& bound, std::size_t source) {
  std::vector<bool> passes(bound.nodes.size(), false);  // the source's rows, behind no state
  passes[source] = true;
  std::optional<std::size_t> looked_up, other;
  for (std::size_t i = source + 1; i < bound.nodes.size(); ++i) {
    const Node& node = *bound.nodes[i].node;
    const auto& inputs = bound.nodes[i].inputs;
    bool takes = std::any_of(inputs.begin(), inputs.end(), [&](auto from) { return passes[from]; });
    const auto* join = std::get_if<Join>(&node.body);
    bool is_lookup = join != nullptr && join->kind == Join::Kind::table;
    passes[i] = takes && passes_rows_on(node);
    if (is_lookup && passes[inputs[1]]) looked_up = i;
    if (is_lookup ? passes[inputs[0]] : takes && !passes[i]) other = i;
  }
  if (!looked_up || !other) return {};
  return fail(Errc::plan_error,
              fmt::format("{} right: '{}' is looked up here and goes to '{}' too, but a table is "
                          "read before anything else; give it another source of the same topic",
                          place_of(*bound.plan, *looked_up), bound.nodes[source].node->name,
                          bound.nodes[*other].node->name));
}

Result<void> check_mode(const Mode& mode) {
  bool triggered = mode.type == Mode::Type::micro_batch;
  if (triggered ? mode.trigger_ms < 1 || mode.trigger_ms > trigger_ms_max : mode.trigger_ms != 0) {
    return fail(
        Errc::plan_error,
        fmt::format("mode.trigger_ms: {}; the type micro_batch, and no other, has from 1 to "
                    "{} milliseconds between triggers",
                    mode.trigger_ms, trigger_ms_max));
  }
  if (!mode.schedule.empty() && mode.type != Mode::Type::batch) {
    return fail(Errc::plan_error, "mode.schedule: belongs to the type batch, and to it alone");
  }
  if (mode.schedule.size() > schedule_bytes_max) {
    return fail(Errc::plan_error, fmt::format("mode.schedule: longer than the {} bytes it may be",
                                              schedule_bytes_max));
  }
  if (mode.schedule.empty()) return {};
  auto schedule = Cron::parse(mode.schedule);
  return schedule ? Result<void>() : fail(Errc::plan_error, "mode." + schedule.error().what);
}

Result<void> check_whole(const Plan& plan) {
  if (plan.name.empty()) return fail(Errc::plan_error, "name: the plan has none");
  if (plan.nodes.size() > nodes_max) {
    return fail(Errc::plan_error, fmt::format("nodes: {}, more than the {} a plan may have",
                                              plan.nodes.size(), nodes_max));
  }
  if (auto mode = check_mode(plan.mode); !mode) return mode;
  bool dead_letter = plan.bad_rows.policy == BadRows::Policy::dead_letter;
  if (dead_letter == plan.bad_rows.topic.empty()) {
    return fail(Errc::plan_error,
                dead_letter ? "bad_rows.topic: is missing, and the policy dead_letter needs it"
                            : "bad_rows.topic: belongs to the policy dead_letter, and to it alone");
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto& node = plan.nodes[i];
    if (node.name.empty()) return fail(Errc::plan_error, place_of(plan, i) + ": it has no name");
    if (!names.insert(node.name).second) {
      return fail(Errc::plan_error, place_of(plan, i) + ": a node before it has this name");
    }
  }
  return {};
}

// Behind binding, which says of a name that is written wrong who has it.
Result<void> check_read(const Plan& plan) {
  std::set<std::string> read;
  bool writes = false;
  for (const auto& node : plan.nodes) {
    writes = writes || std::holds_alternative<Sink>(node.body);
    for (const auto& input : inputs_of(node)) read.insert(input);
  }
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const auto& node = plan.nodes[i];
    if (std::holds_alternative<Sink>(node.body) || read.contains(node.name)) continue;
    return fail(Errc::plan_error, place_of(plan, i) + ": no node takes what it gives");
  }
  if (!writes) return fail(Errc::plan_error, "nodes: there is no sink");
  return {};
}

}  // namespace

Result<BoundPlan> bind(const Plan& plan) {
  if (auto whole = check_whole(plan); !whole) return fail(whole);
  BoundPlan bound;
  bound.plan = &plan;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    BoundNode node;
    node.node = &plan.nodes[i];
    NodeBinder binder(bound, node);
    binder.bind();
    if (!binder.complaint().empty()) {
      return fail(Errc::plan_error, place_of(plan, i) + binder.complaint());
    }
    bound.nodes.push_back(std::move(node));
  }
  if (auto read = check_read(plan); !read) return fail(read);
  if (auto topics = check_topics(plan); !topics) return fail(topics);
  if (auto timed = check_untimed_rows(bound); !timed) return fail(timed);
  for (std::size_t i = 0; i < bound.nodes.size(); ++i) {
    if (!std::holds_alternative<Source>(bound.nodes[i].node->body)) continue;
    if (auto table = check_table(bound, i); !table) return fail(table);
  }
  return bound;
}

}  // namespace leat::plan
