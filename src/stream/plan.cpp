#include "stream/plan.h"

#include <set>

#include <fmt/format.h>

#include "stream/aggregate.h"

namespace leat::stream {

using column::Type;

namespace {

tl::unexpected<Error> wrong(const std::string& place, const std::string& what) {
  return fail(Errc::plan_error, place + ": " + what);
}

Result<void> check_names(const std::string& place, const Schema& schema) {
  std::set<std::string> names;
  if (schema.empty()) return wrong(place, "there are no columns");
  for (const auto& field : schema) {
    if (field.name.empty()) return wrong(place, "a column has no name");
    if (!names.insert(field.name).second) {
      return wrong(place, fmt::format("there are two columns {}", field.name));
    }
  }
  return {};
}

Result<void> check_source(const SourcePlan& source) {
  if (source.topic.empty()) return wrong("source", "it names no topic");
  if (auto ok = check_names("source", source.fields); !ok) return ok;
  if (source.disorder_ms < 0) return wrong("source", "the disorder is negative");
  if (source.ahead_ms_max && *source.ahead_ms_max < 0) {
    return wrong("source", "the bound of event times ahead is negative");
  }
  if (source.idle_ms && *source.idle_ms <= 0) return wrong("source", "idle is not positive");
  if ((source.bad_records == BadRecords::dead_letter) == source.dead_letter_topic.empty()) {
    return wrong("source",
                 "a dead-letter topic goes with the policy dead_letter, and only with it");
  }
  if (source.event_time.empty()) return {};
  auto time = find_column(source.fields, source.event_time);
  if (!time) return wrong("source", "event time: " + time.error().what);
  Type type = source.fields[*time].type;
  if (type == Type::timestamp) return {};
  return wrong("source", fmt::format("the event time {} is a {}, not a timestamp",
                                     source.event_time, column::name(type)));
}

Result<Schema> apply(const std::string& place, const FilterPlan& filter, const Schema& input) {
  auto bound = BoundExpression::bind(filter.condition, input);
  if (!bound) return wrong(place, bound.error().what);
  if (bound->type() == Type::boolean) return input;
  return wrong(place,
               fmt::format("the condition is a {}, not a boolean", column::name(bound->type())));
}

Result<Schema> apply(const std::string& place, const ProjectPlan& project, const Schema& input) {
  Schema output;
  for (const auto& [name, expression] : project.columns) {
    auto bound = BoundExpression::bind(expression, input);
    if (!bound) return wrong(place, fmt::format("column {}: {}", name, bound.error().what));
    output.push_back({name, bound->type()});
  }
  if (auto ok = check_names(place, output); !ok) return fail(ok);
  return output;
}

Result<Schema> apply(const std::string& place, const WindowPlan& window, const Schema& input) {
  if (window.size_ms <= 0) return wrong(place, "the window's size is not positive");
  if (window.size_ms > window_size_ms_max)
    return wrong(place, "the window is longer than 366 days");
  Schema output{{"window_start", Type::timestamp}, {"window_end", Type::timestamp}};
  for (const auto& key : window.keys) {
    auto found = find_column(input, key);
    if (!found) return wrong(place, "key: " + found.error().what);
    output.push_back(input[*found]);
  }
  for (const auto& aggregate : window.aggregates) {
    auto type = result_type(aggregate, input);
    if (!type) return wrong(place, fmt::format("{}: {}", aggregate.name, type.error().what));
    output.push_back({aggregate.name, *type});
  }
  if (auto ok = check_names(place, output); !ok) return fail(ok);
  return output;
}

std::string place_of(const StepPlan& step, std::size_t index) {
  constexpr std::string_view names[] = {"filter", "project", "window"};
  return fmt::format("step {} ({})", index + 1, names[step.index()]);
}

}  // namespace

Aggregate count(std::string name) {
  return {AggregateKind::count, "", std::move(name)};
}
Aggregate count(std::string column, std::string name) {
  return {AggregateKind::count, std::move(column), std::move(name)};
}
Aggregate sum(std::string column, std::string name) {
  return {AggregateKind::sum, std::move(column), std::move(name)};
}
Aggregate min(std::string column, std::string name) {
  return {AggregateKind::min, std::move(column), std::move(name)};
}
Aggregate max(std::string column, std::string name) {
  return {AggregateKind::max, std::move(column), std::move(name)};
}
Aggregate avg(std::string column, std::string name) {
  return {AggregateKind::avg, std::move(column), std::move(name)};
}

Result<Schema> schema_after(const Plan& plan, std::size_t steps) {
  if (auto ok = check_source(plan.source); !ok) return fail(ok);
  Schema schema = plan.source.fields;
  bool windowed = false;
  for (std::size_t i = 0; i < steps; ++i) {
    std::string place = place_of(plan.steps[i], i);
    if (std::holds_alternative<WindowPlan>(plan.steps[i]) && std::exchange(windowed, true)) {
      return wrong(place, "a pipeline has one window; put the second into a pipeline of its own");
    }
    auto next =
        std::visit([&](const auto& step) { return apply(place, step, schema); }, plan.steps[i]);
    if (!next) return next;
    schema = std::move(*next);
  }
  return schema;
}

Result<void> check(const Plan& plan) {
  auto schema = schema_after(plan, plan.steps.size());
  if (!schema) return fail(schema);
  if (plan.sink.topic.empty()) return wrong("sink", "it names no topic");
  if (plan.name.empty()) return wrong("plan", "it has no name");
  if (plan.sink.topic == plan.source.topic) {
    return wrong("sink", "it would write to the topic it reads, " + plan.sink.topic);
  }
  if (plan.sink.partitions < 0) return wrong("sink", "its number of partitions is negative");
  std::set<std::string> topics{plan.source.topic, plan.sink.topic};
  if (!plan.source.dead_letter_topic.empty() &&
      !topics.insert(plan.source.dead_letter_topic).second) {
    return wrong("source", "the dead-letter topic is the source's or the sink's own");
  }
  for (const auto& step : plan.steps) {
    const auto* window = std::get_if<WindowPlan>(&step);
    if (window != nullptr && topics.count(window->late_topic) != 0) {
      return wrong("window", "the late topic has another use in this plan: " + window->late_topic);
    }
  }
  for (const auto& key : plan.sink.keys) {
    auto found = find_column(*schema, key);
    if (!found) return wrong("sink", "key: " + found.error().what);
  }
  return {};
}

}  // namespace leat::stream
