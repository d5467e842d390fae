// What readers find of a deployed pipeline's views.
#include <utility>

#include <fmt/format.h>

#include "pipeline/deployment.h"
#include "plan/bound_plan.h"

namespace leat::pipeline {

void Deployment::add_served_views(const Version& version, std::vector<ServedView>& views) const {
  const Worker* worker = find_worker(version.number);
  if (worker == nullptr || !worker->plan || !is_at_work(version.role)) return;
  auto bound = plan::bind(*worker->plan);
  if (!bound) return;
  bool is_live = version.role == Role::live;
  auto shown = worker->keeper->views();
  std::size_t number = 0;
  for (const auto& node : bound->nodes) {
    const auto* sink = std::get_if<plan::Sink>(&node.node->body);
    if (sink == nullptr || sink->view.empty()) continue;
    ServedView view;
    view.name = sink->view + (is_live ? "" : suffix_of(version.number));
    view.pipeline = name_;
    view.version = version.number;
    view.role = version.role;
    view.keys = sink->keys;
    for (const auto& column : node.schema) view.columns.push_back(column.name);
    if (number < shown.size()) view.now = shown[number];
    view.is_recovering = worker->keeper->state() == Keeper::State::at_work;
    view.past.name = view.name;
    view.past.pipeline = name_;
    view.past.version = version.number;
    view.past.plan = *worker->plan;
    view.past.open = version.open;
    view.past.suffix = is_live ? "" : suffix_of(version.number);
    view.past.number = number;
    view.past.identity =
        fmt::format("{} {} {}", owner_of(name_, version.number), version.created_ms,
                    version.replay ? version.replay->begun_ms : 0);
    view.past.is_batch = worker->plan->mode.type == plan::Mode::Type::batch;
    view.never_ran = view.past.is_batch && version.batch.count == 0 && !version.replay && !view.now;
    views.push_back(std::move(view));
    ++number;
  }
}

std::vector<ServedView> Deployment::served_views() const {
  std::vector<ServedView> views;
  const Deployed* pipeline = record();
  if (pipeline == nullptr || pipeline->dropped) return views;
  for (const Version& version : pipeline->versions) add_served_views(version, views);
  return views;
}

}  // namespace leat::pipeline
