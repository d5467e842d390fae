#include "stream/pipeline.h"

namespace leat::stream {

Pipeline Pipeline::from(std::string topic) {
  Pipeline pipeline;
  pipeline.plan_.source.topic = std::move(topic);
  return pipeline;
}

Pipeline& Pipeline::named(std::string name) {
  plan_.name = std::move(name);
  return *this;
}

Pipeline& Pipeline::json(Schema fields) {
  plan_.source.fields = std::move(fields);
  return *this;
}

Pipeline& Pipeline::event_time(std::string field) {
  plan_.source.event_time = std::move(field);
  return *this;
}

Pipeline& Pipeline::disorder(std::chrono::milliseconds disorder) {
  plan_.source.disorder_ms = disorder.count();
  return *this;
}

Pipeline& Pipeline::ahead_at_most(std::chrono::milliseconds bound) {
  plan_.source.ahead_ms_max = bound.count();
  return *this;
}

Pipeline& Pipeline::idle(std::optional<std::chrono::milliseconds> idle) {
  plan_.source.idle_ms = idle ? std::optional(std::int64_t{idle->count()}) : std::nullopt;
  return *this;
}

Pipeline& Pipeline::skip_bad_records() {
  plan_.source.bad_records = BadRecords::skip;
  plan_.source.dead_letter_topic.clear();
  return *this;
}

Pipeline& Pipeline::dead_letters_to(std::string topic) {
  plan_.source.bad_records = BadRecords::dead_letter;
  plan_.source.dead_letter_topic = std::move(topic);
  return *this;
}

Pipeline& Pipeline::filter(Expression condition) {
  plan_.steps.push_back(FilterPlan{std::move(condition)});
  return *this;
}

Pipeline& Pipeline::project(std::vector<ProjectPlan::Column> columns) {
  plan_.steps.push_back(ProjectPlan{std::move(columns)});
  return *this;
}

Pipeline& Pipeline::key_by(std::vector<std::string> columns) {
  keys_ = std::move(columns);
  return *this;
}

Pipeline& Pipeline::tumble(std::chrono::milliseconds size) {
  WindowPlan window;
  window.size_ms = size.count();
  window.keys = keys_;
  plan_.steps.push_back(std::move(window));
  return *this;
}

Pipeline& Pipeline::aggregate(std::vector<Aggregate> aggregates) {
  if (WindowPlan* last = window("aggregate")) last->aggregates = std::move(aggregates);
  return *this;
}

Pipeline& Pipeline::late_to(std::string topic) {
  if (WindowPlan* last = window("late_to")) last->late_topic = std::move(topic);
  return *this;
}

WindowPlan* Pipeline::window(const char* caller) {
  for (auto step = plan_.steps.rbegin(); step != plan_.steps.rend(); ++step) {
    if (auto* found = std::get_if<WindowPlan>(&*step)) return found;
  }
  misplaced_ = caller;
  return nullptr;
}

Result<Plan> Pipeline::into(std::string topic, std::int32_t partitions) const {
  if (misplaced_) {
    return fail(Errc::plan_error, *misplaced_ + ": there is no window before it: call tumble()");
  }
  Plan plan = plan_;
  plan.sink = {std::move(topic), keys_, partitions};
  if (plan.name.empty()) plan.name = plan.sink.topic;
  if (auto ok = check(plan); !ok) return fail(ok);
  return plan;
}

Plan shadow_of(Plan plan, const std::string& suffix) {
  plan.sink.topic += suffix;
  if (!plan.source.dead_letter_topic.empty()) plan.source.dead_letter_topic += suffix;
  for (auto& step : plan.steps) {
    auto* window = std::get_if<WindowPlan>(&step);
    if (window != nullptr && !window->late_topic.empty()) window->late_topic += suffix;
  }
  return plan;
}

}  // namespace leat::stream
