// What readers find of a deployed pipeline's views.
#include <utility>

#include <fmt/format.h>

#include "pipeline/deployment.h"

namespace leat::pipeline {

template <class Visit>
void Deployment::visit_views(Visit visit) const {
  const Deployed* pipeline = record();
  if (pipeline == nullptr || pipeline->dropped) return;
  for (const Version& version : pipeline->versions) {
    const Worker* worker = find_worker(version.number);
    if (worker == nullptr || !worker->plan || !is_at_work(version.role)) continue;
    std::string behind = version.role == Role::live ? "" : suffix_of(version.number);
    for (std::size_t number = 0; number < worker->views.size(); ++number) {
      visit(version, *worker, number, worker->views[number].name + behind);
    }
  }
}

ServedView Deployment::served_view(const Version& version, const Worker& worker,
                                   std::size_t number) const {
  const ViewTraits& traits = worker.views[number];
  std::string suffix = version.role == Role::live ? "" : suffix_of(version.number);
  auto shown = worker.keeper->views();
  ServedView view;
  view.name = traits.name + suffix;
  view.pipeline = name_;
  view.version = version.number;
  view.role = version.role;
  view.keys = traits.keys;
  view.columns = traits.columns;
  if (number < shown.size()) view.now = shown[number];
  view.is_recovering = worker.keeper->state() == Keeper::State::at_work;
  view.past.name = view.name;
  view.past.pipeline = name_;
  view.past.version = version.number;
  view.past.plan = *worker.plan;
  view.past.suffix = suffix;
  view.past.number = number;
  view.past.identity = fmt::format("{} {} {}", owner_of(name_, version.number), version.created_ms,
                                   version.replay ? version.replay->begun_ms : 0);
  view.past.is_batch = worker.plan->mode.type == plan::Mode::Type::batch;
  view.never_ran = view.past.is_batch && version.batch.count == 0 && !version.replay && !view.now;
  return view;
}

std::vector<ServedView> Deployment::served_views() const {
  std::vector<ServedView> views;
  visit_views([&](const Version& version, const Worker& worker, std::size_t number,
                  const std::string&) { views.push_back(served_view(version, worker, number)); });
  return views;
}

std::optional<ServedView> Deployment::find_view(std::string_view name) const {
  std::optional<ServedView> found;
  visit_views([&](const Version& version, const Worker& worker, std::size_t number,
                  const std::string& known) {
    if (known == name) found = served_view(version, worker, number);
  });
  return found;
}

}  // namespace leat::pipeline
