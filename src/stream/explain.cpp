#include "stream/explain.h"

#include <vector>

#include <fmt/format.h>

#include "plan/expression_text.h"
#include "stream/arrival_needs.h"
#include "stream/node_operators.h"

namespace leat::stream {

namespace {

using namespace leat::plan;

// Of one expression among several.
constexpr std::size_t shown_max = 80;

// "5 min", "1500 ms": as short as it is exact.
std::string duration(std::int64_t ms) {
  struct Unit {
    std::int64_t ms;
    const char* name;
  };
  constexpr Unit units[] = {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1'000, "s"}};
  for (const Unit& unit : units) {
    if (ms != 0 && ms % unit.ms == 0) return fmt::format("{} {}", ms / unit.ms, unit.name);
  }
  return fmt::format("{} ms", ms);
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string by(const std::vector<std::string>& keys) {
  return keys.empty() ? "" : " by " + joined(keys);
}

std::string aggregates(const BoundNode& node) {
  std::vector<std::string> words;
  for (const auto& bound : node.aggregates) {
    const Aggregate& aggregate = *bound.aggregate;
    words.push_back(fmt::format(
        "{} = {}({}){}", aggregate.name, aggregate.function,
        aggregate.argument ? expression_text(*aggregate.argument, shown_max) : "",
        aggregate.filter ? " where " + expression_text(*aggregate.filter, shown_max) : ""));
  }
  return joined(words);
}

const char* emission(Emission emit) {
  switch (emit) {
    case Emission::at_once: return "each row when it comes";
    case Emission::watermark: return "when event time has passed the row";
    case Emission::update: break;
  }
  return "when a row comes, and again when that changes something";
}

std::string shape(const WindowShape& window) {
  std::string text;
  switch (window.kind) {
    case WindowShape::Kind::tumbling: text = "tumbling " + duration(window.size_ms); break;
    case WindowShape::Kind::hopping:
      text =
          fmt::format("hopping {} every {}", duration(window.size_ms), duration(window.slide_ms));
      break;
    case WindowShape::Kind::cumulate:
      text = fmt::format("cumulating {} in steps of {}", duration(window.size_ms),
                         duration(window.step_ms));
      break;
    case WindowShape::Kind::session: return "sessions with gaps of " + duration(window.gap_ms);
  }
  if (window.offset_ms != 0) text += ", shifted by " + duration(window.offset_ms);
  return text;
}

struct Describe {
  const BoundNode& node;
  bool revised = false;  // whether its input changes rows later

  std::string operator()(const Source& source) const {
    std::string text = source.topic.empty() ? "file " + source.file : "topic " + source.topic;
    if (source.upsert) text += ", the last record of each key";
    text += source.event_time.empty() ? "; event time of the record"
                                      : "; event time " + source.event_time;
    if (source.disorder_ms > 0) text += ", up to " + duration(source.disorder_ms) + " late";
    return text;
  }
  std::string operator()(const Filter& filter) const {
    return "keeps rows where " + expression_text(filter.condition);
  }
  std::string operator()(const Project& project) const {
    std::vector<std::string> names;
    for (const auto& [column, expression] : project.columns) {
      bool is_same = expression.kind == Expression::Kind::column && expression.name == column;
      names.push_back(is_same ? column : column + " = " + expression_text(expression, shown_max));
    }
    return joined(names);
  }
  std::string operator()(const Unnest& unnest) const {
    return fmt::format("a row for each item of {}, as {}", unnest.column, unnest.as);
  }
  std::string operator()(const Union&) const { return "the rows of all"; }
  std::string operator()(const Rekey& rekey) const { return "spreads rows" + by(rekey.keys); }
  std::string operator()(const Window& window) const {
    std::string text = shape(window.window) + by(window.keys) + ": " + aggregates(node);
    if (window.emit == Window::Emit::update) text += "; gives what has changed";
    if (window.emit == Window::Emit::every) {
      text += "; gives what has changed each " + duration(window.every_ms);
    }
    if (revised) text += "; takes back what its input does, and keeps those rows";
    if (window.lateness_ms > 0) text += "; revised for " + duration(window.lateness_ms);
    return text;
  }
  std::string operator()(const Over& over) const {
    std::string frame = "all rows before";
    if (over.frame.range_ms) frame = "the last " + duration(*over.frame.range_ms);
    if (over.frame.rows) frame = fmt::format("the last {} rows", *over.frame.rows + 1);
    return fmt::format("{}{}: {}; {}", frame, by(over.keys), aggregates(node), emission(over.emit));
  }
  std::string operator()(const Top& top) const {
    return fmt::format("the first {}{}{}; {}", top.limit, top.ties ? " and their equals" : "",
                       by(top.keys), emission(top.emit));
  }
  std::string operator()(const Dedup& dedup) const {
    return fmt::format(
        "the {} row{}{}; {}", dedup.keep == Dedup::Keep::first ? "first" : "last", by(dedup.keys),
        dedup.horizon_ms ? " within " + duration(*dedup.horizon_ms) : "", emission(dedup.emit));
  }
  std::string operator()(const Join& join) const {
    constexpr const char* hows[] = {"", "left ", "semi ", "anti "};
    std::vector<std::string> keys;
    for (const auto& key : join.keys) keys.push_back(key.left + " = " + key.right);
    std::string text = hows[static_cast<int>(join.how)];
    switch (join.kind) {
      case Join::Kind::interval:
        text += fmt::format("join of rows from {} to {} apart", duration(*join.lower_ms),
                            duration(*join.upper_ms));
        break;
      case Join::Kind::window: text += "join within " + shape(*join.window); break;
      case Join::Kind::table: text += "lookup in the table as it is"; break;
      case Join::Kind::as_of: text += "lookup in the table as it was"; break;
    }
    return text + " on " + joined(keys);
  }
  std::string operator()(const Process& process) const {
    return "a function of the program" + by(process.keys) + "; " + emission(process.emit);
  }
  std::string operator()(const Sink& sink) const {
    if (sink.console) return "console";
    std::string text = "topic " + sink.topic;
    if (!sink.files.empty()) text = "files in " + sink.files;
    if (!sink.partition_by.empty()) text += ", split by " + joined(sink.partition_by);
    if (!sink.replace.empty()) text += "; a batch replaces each " + joined(sink.replace) + " whole";
    if (!sink.view.empty()) text = "view " + sink.view;
    if (!sink.keys.empty()) text += ", keys " + joined(sink.keys);
    return text;
  }
};

// Why what a node gives depends on the order or the moment in which rows come; empty if not.
std::string sensitivity(const BoundNode& node) {
  const auto& body = node.node->body;
  auto of_emission = [](Emission emit) -> std::string {
    if (emit == Emission::at_once) return "judges each row by those that came before it";
    if (emit == Emission::update) return "gives rows that it changes later";
    return "";
  };
  if (const auto* over = std::get_if<Over>(&body)) return of_emission(over->emit);
  if (const auto* top = std::get_if<Top>(&body)) return of_emission(top->emit);
  if (const auto* dedup = std::get_if<Dedup>(&body)) return of_emission(dedup->emit);
  if (const auto* process = std::get_if<Process>(&body)) return of_emission(process->emit);
  if (const auto* join = std::get_if<Join>(&body)) {
    if (join->kind == Join::Kind::table) return "looks up what the table has by then";
  }
  const auto* window = std::get_if<Window>(&body);
  if (window == nullptr) return "";
  if (window->emit == Window::Emit::every) return "gives by processing time";
  if (window->emit == Window::Emit::update) return "gives rows that it changes later";
  return window->lateness_ms > 0 ? "revises windows that have closed" : "";
}

std::string columns_of(const Schema& schema) {
  std::vector<std::string> words;
  for (const auto& field : schema) words.push_back(field.name + " " + name(field.type));
  return joined(words);
}

}  // namespace

std::string explain(const BoundPlan& plan) {
  std::string text =
      fmt::format("pipeline {}, hash {}\n\n", plan.plan->name, plan::hash(*plan.plan));
  std::size_t width = 0;
  for (const auto& node : plan.nodes) width = std::max(width, node.node->name.size());
  std::string sensitive;
  for (const auto& node : plan.nodes) {
    auto inputs = inputs_of(*node.node);
    bool revised = !node.inputs.empty() && plan.nodes[node.inputs[0]].revises;
    text += fmt::format("  {:<{}}  {:<8}{}{}\n", node.node->name, width, type_of(*node.node),
                        inputs.empty() ? "" : "of " + joined(inputs) + ": ",
                        std::visit(Describe{node, revised}, node.node->body));
    if (!traits_of(node).is_sink) {
      text += fmt::format("  {:<{}}  {:<8}→ {}\n", "", width, "", columns_of(node.schema));
    }
    std::string why = sensitivity(node);
    if (!why.empty()) {
      sensitive += fmt::format("order-sensitive: {} {}\n", node.node->name, why);
    }
  }
  text += '\n';
  if (arrival_needs(plan).row_by_row) {
    text +=
        "Rows go one by one, since some that waited for event time are judged among others as they "
        "come.\n";
  }
  if (sensitive.empty()) {
    sensitive = "What comes out follows from the log alone, whatever the order of reading.\n";
  }
  return text + sensitive;
}

}  // namespace leat::stream
