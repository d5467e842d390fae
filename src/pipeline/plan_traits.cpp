#include "pipeline/plan_traits.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "plan/bound_plan.h"

namespace leat::pipeline {

namespace {

std::vector<std::string> each_once(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (!names.empty() && names.front().empty()) names.erase(names.begin());
  return names;
}

/// What each of the plan's nodes of a kind has for a member.
template <class Body>
std::vector<std::string> texts_of(const plan::Plan& plan, std::string Body::*member) {
  std::vector<std::string> texts;
  for (const plan::Node& node : plan.nodes) {
    if (const auto* body = std::get_if<Body>(&node.body)) texts.push_back(body->*member);
  }
  return each_once(std::move(texts));
}

template <class Body>
void add_topics(const Body& body, std::vector<std::string>& names) {
  if constexpr (requires { body.late_topic; }) names.push_back(body.late_topic);
  if constexpr (requires { body.bad_records; }) names.push_back(body.bad_records.topic);
}

}  // namespace

std::vector<std::string> source_topics(const plan::Plan& plan) {
  return texts_of(plan, &plan::Source::topic);
}

std::vector<std::string> sink_topics(const plan::Plan& plan) {
  return texts_of(plan, &plan::Sink::topic);
}

std::vector<std::string> source_files(const plan::Plan& plan) {
  return texts_of(plan, &plan::Source::file);
}

std::vector<std::string> sink_folders(const plan::Plan& plan) {
  return texts_of(plan, &plan::Sink::files);
}

std::vector<std::string> sink_views(const plan::Plan& plan) {
  return texts_of(plan, &plan::Sink::view);
}

std::vector<std::string> written_topics(const plan::Plan& plan) {
  std::vector<std::string> names = sink_topics(plan);
  names.push_back(plan.bad_rows.topic);
  for (const plan::Node& node : plan.nodes) {
    std::visit([&](const auto& body) { add_topics(body, names); }, node.body);
  }
  return each_once(std::move(names));
}

std::vector<ViewTraits> view_traits(const plan::Plan& plan) {
  std::vector<ViewTraits> views;
  auto bound = plan::bind(plan);
  if (!bound) return views;
  for (const auto& node : bound->nodes) {
    const auto* sink = std::get_if<plan::Sink>(&node.node->body);
    if (sink == nullptr || sink->view.empty()) continue;
    ViewTraits view{sink->view, sink->keys, {}};
    for (const auto& column : node.schema) view.columns.push_back(column.name);
    views.push_back(std::move(view));
  }
  return views;
}

bool is_stateless(const plan::Plan& plan) {
  return std::all_of(plan.nodes.begin(), plan.nodes.end(), [](const plan::Node& node) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source != nullptr) return !source->upsert;
    return std::holds_alternative<plan::Filter>(node.body) ||
           std::holds_alternative<plan::Project>(node.body) ||
           std::holds_alternative<plan::Unnest>(node.body) ||
           std::holds_alternative<plan::Union>(node.body) ||
           std::holds_alternative<plan::Rekey>(node.body) ||
           std::holds_alternative<plan::Sink>(node.body);
  });
}

bool revises(const plan::Plan& plan) {
  auto may_revise = [](const auto& body) {
    bool revises = false;
    if constexpr (requires { body.lateness_ms; }) revises = body.lateness_ms > 0;
    using Body = std::remove_cvref_t<decltype(body)>;
    if constexpr (std::is_same_v<Body, plan::Window>) {
      revises = revises || body.emit != plan::Window::Emit::close;
    } else if constexpr (requires { body.emit == plan::Emission::update; }) {
      revises = revises || body.emit == plan::Emission::update;
    }
    return revises;
  };
  return std::any_of(plan.nodes.begin(), plan.nodes.end(),
                     [&](const plan::Node& node) { return std::visit(may_revise, node.body); });
}

std::string lasting_text(plan::Plan plan) {
  plan.mode = {};
  return plan::print(plan);
}

std::string lasting_hash(plan::Plan plan) {
  plan.mode = {};
  return plan::hash(plan);
}

std::string mode_text(const plan::Mode& mode) {
  constexpr double ms_per_s = 1000;
  switch (mode.type) {
    case plan::Mode::Type::stream: return "stream";
    case plan::Mode::Type::micro_batch:
      return fmt::format("micro_batch every {} s", static_cast<double>(mode.trigger_ms) / ms_per_s);
    case plan::Mode::Type::batch:
      return mode.schedule.empty() ? "batch" : "batch at " + mode.schedule;
  }
  return "unknown";
}

}  // namespace leat::pipeline
