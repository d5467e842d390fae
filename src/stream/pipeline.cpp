#include "stream/pipeline.h"

#include "plan/bound_plan.h"

namespace leat::stream {

namespace {

plan::Aggregate aggregate_of(const char* function, std::string column, std::string name) {
  plan::Aggregate aggregate;
  aggregate.name = std::move(name);
  aggregate.function = function;
  if (!column.empty()) aggregate.argument = plan::col(std::move(column));
  return aggregate;
}

}  // namespace

Pipeline Pipeline::from(std::string topic) {
  Pipeline pipeline;
  plan::Source source;
  source.topic = std::move(topic);
  pipeline.plan_.nodes.push_back({"source", std::move(source)});
  return pipeline;
}

plan::Source& Pipeline::source() {
  return std::get<plan::Source>(plan_.nodes.front().body);
}

// Nodes are a line: each reads the one before it.
void Pipeline::add(plan::Node::Body body) {
  std::string name(std::visit([](const auto& node) { return node.type; }, body));
  plan_.nodes.push_back({name + std::to_string(plan_.nodes.size()), std::move(body)});
}

Pipeline& Pipeline::named(std::string name) {
  plan_.name = std::move(name);
  return *this;
}

Pipeline& Pipeline::json(const plan::Schema& columns) {
  for (const auto& field : columns) {
    plan::SourceColumn& column = source().columns.emplace_back();
    column.name = field.name;
    column.type = field.type;
  }
  return *this;
}

Pipeline& Pipeline::event_time(std::string column) {
  source().event_time = std::move(column);
  return *this;
}

Pipeline& Pipeline::disorder(std::chrono::milliseconds disorder) {
  source().disorder_ms = disorder.count();
  return *this;
}

Pipeline& Pipeline::ahead_at_most(std::chrono::milliseconds bound) {
  source().ahead_max_ms = bound.count();
  return *this;
}

Pipeline& Pipeline::idle(std::optional<std::chrono::milliseconds> idle) {
  source().idle_ms = idle ? std::int64_t{idle->count()} : 0;
  return *this;
}

Pipeline& Pipeline::skip_bad_records() {
  source().bad_records = plan_.bad_rows = {plan::BadRows::Policy::skip, ""};
  return *this;
}

Pipeline& Pipeline::dead_letters_to(std::string topic) {
  source().bad_records = plan_.bad_rows = {plan::BadRows::Policy::dead_letter, std::move(topic)};
  return *this;
}

Pipeline& Pipeline::filter(plan::Expression condition) {
  add(plan::Filter{plan_.nodes.back().name, std::move(condition)});
  return *this;
}

Pipeline& Pipeline::project(std::vector<plan::NamedExpression> columns) {
  add(plan::Project{plan_.nodes.back().name, std::move(columns)});
  return *this;
}

Pipeline& Pipeline::key_by(std::vector<std::string> columns) {
  keys_ = std::move(columns);
  return *this;
}

Pipeline& Pipeline::tumble(std::chrono::milliseconds size) {
  plan::Window window;
  window.input = plan_.nodes.back().name;
  window.window.size_ms = size.count();
  window.keys = keys_;
  add(std::move(window));
  return *this;
}

Pipeline& Pipeline::aggregate(std::vector<plan::Aggregate> aggregates) {
  if (plan::Window* last = window("aggregate")) last->aggregates = std::move(aggregates);
  return *this;
}

Pipeline& Pipeline::late_to(std::string topic) {
  if (plan::Window* last = window("late_to")) last->late_topic = std::move(topic);
  return *this;
}

plan::Window* Pipeline::window(const char* caller) {
  for (auto node = plan_.nodes.rbegin(); node != plan_.nodes.rend(); ++node) {
    if (auto* found = std::get_if<plan::Window>(&node->body)) return found;
  }
  misplaced_ = caller;
  return nullptr;
}

Result<plan::Plan> Pipeline::into(std::string topic, std::int32_t partitions) const {
  if (misplaced_) {
    return fail(Errc::plan_error, *misplaced_ + ": there is no window before it: call tumble()");
  }
  plan::Plan plan = plan_;
  plan::Sink sink;
  sink.input = plan.nodes.back().name;
  sink.topic = std::move(topic);
  sink.keys = keys_;
  sink.partitions = partitions;
  if (plan.name.empty()) plan.name = sink.topic;
  plan.nodes.push_back({"sink", std::move(sink)});
  if (auto bound = plan::bind(plan); !bound) return fail(bound);
  return plan;
}

plan::Aggregate count(std::string name) {
  return aggregate_of("count", "", std::move(name));
}
plan::Aggregate count(std::string column, std::string name) {
  return aggregate_of("count", std::move(column), std::move(name));
}
plan::Aggregate sum(std::string column, std::string name) {
  return aggregate_of("sum", std::move(column), std::move(name));
}
plan::Aggregate min(std::string column, std::string name) {
  return aggregate_of("min", std::move(column), std::move(name));
}
plan::Aggregate max(std::string column, std::string name) {
  return aggregate_of("max", std::move(column), std::move(name));
}
plan::Aggregate avg(std::string column, std::string name) {
  return aggregate_of("avg", std::move(column), std::move(name));
}

plan::Plan shadow_of(plan::Plan plan, const std::string& suffix) {
  auto rename = [&](std::string& topic) {
    if (!topic.empty()) topic += suffix;
  };
  rename(plan.bad_rows.topic);
  for (auto& node : plan.nodes) {
    if (auto* source = std::get_if<plan::Source>(&node.body)) rename(source->bad_records.topic);
    if (auto* sink = std::get_if<plan::Sink>(&node.body)) {
      rename(sink->topic);
      while (sink->files.size() > 1 && sink->files.ends_with('/')) sink->files.pop_back();
      rename(sink->files);
      rename(sink->view);
    }
    if (auto* window = std::get_if<plan::Window>(&node.body)) rename(window->late_topic);
    if (auto* over = std::get_if<plan::Over>(&node.body)) rename(over->late_topic);
    if (auto* top = std::get_if<plan::Top>(&node.body)) rename(top->late_topic);
    if (auto* dedup = std::get_if<plan::Dedup>(&node.body)) rename(dedup->late_topic);
    if (auto* join = std::get_if<plan::Join>(&node.body)) rename(join->late_topic);
  }
  return plan;
}

}  // namespace leat::stream
