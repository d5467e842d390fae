#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "plan/limits.h"
#include "plan/node_binder.h"

namespace leat::plan {

namespace {

constexpr std::int64_t span_max_ms = std::int64_t{366} * 86'400'000;
// How many windows a row may be in: each is work, and state.
constexpr std::int64_t overlap_max = 100'000;

bool is(const Type& type, Type::Kind kind) {
  return type == Type{kind};
}

std::string item(const std::string& field, std::size_t index) {
  return fmt::format("{}[{}]", field, index);
}

}  // namespace

void NodeBinder::check_span(std::int64_t ms, const std::string& place) {
  require(ms >= 1 && ms <= span_max_ms, place, "must be from 1 ms to 366 days");
}

void NodeBinder::check_distance(std::int64_t ms, const std::string& place) {
  require(ms >= 0 && ms <= span_max_ms, place, "must be from 0 to 366 days");
}

void NodeBinder::check_window(const WindowShape& window, const std::string& place) {
  using Kind = WindowShape::Kind;
  auto only = [&](std::int64_t value, bool belongs, const std::string& field) {
    if (belongs)
      check_span(value, place + field);
    else
      require(value == 0, place + field, "is none of this kind of window");
  };
  only(window.size_ms, window.kind != Kind::session, ".size_ms");
  only(window.slide_ms, window.kind == Kind::hopping, ".slide_ms");
  only(window.step_ms, window.kind == Kind::cumulate, ".step_ms");
  only(window.gap_ms, window.kind == Kind::session, ".gap_ms");
  require(std::abs(window.offset_ms) <= span_max_ms, place + ".offset_ms", "is beyond 366 days");
  require(window.offset_ms == 0 || window.kind != Kind::session, place + ".offset_ms",
          "is none of this kind of window");
  if (!ok()) return;
  if (window.kind == Kind::hopping) {
    require(window.slide_ms <= window.size_ms, place + ".slide_ms",
            "is larger than the window: rows between would count nowhere");
    require(window.size_ms / window.slide_ms <= overlap_max, place + ".slide_ms",
            fmt::format("puts a row into more than {} windows", overlap_max));
  }
  if (window.kind == Kind::cumulate) {
    require(window.size_ms % window.step_ms == 0, place + ".step_ms",
            "must divide the window's size");
    require(window.size_ms / window.step_ms <= overlap_max, place + ".step_ms",
            fmt::format("puts a row into more than {} windows", overlap_max));
  }
}

void NodeBinder::bind_aggregate(const Aggregate& aggregate, const std::string& place) {
  BoundAggregate bound;
  bound.aggregate = &aggregate;
  std::vector<Operand> operands;
  if (aggregate.argument) {
    bind_expression(*aggregate.argument, place + ".argument", bound.argument);
    if (!bound.argument) return;
    operands.push_back({bound.argument->type});
  }
  auto resolved = resolve(plan::aggregates(), aggregate.function, operands);
  if (!resolved) return complain(place + ".function", resolved.error().what);
  if (bound.argument && bound.argument->type != resolved->arguments[0]) {
    BoundExpression cast;
    cast.kind = Expression::Kind::cast;
    cast.type = resolved->arguments[0];
    cast.arguments.push_back(std::move(*bound.argument));
    bound.argument = std::move(cast);
  }
  bound.type = resolved->result;
  if (aggregate.filter) bind_expression(*aggregate.filter, place + ".filter", bound.filter);
  if (aggregate.order_by) bind_expression(*aggregate.order_by, place + ".order_by", bound.order_by);
  if (!ok()) return;
  require(!bound.filter || is(bound.filter->type, Type::Kind::boolean), place + ".filter",
          "must be a boolean");
  require(!bound.order_by || !bound.order_by->type.array, place + ".order_by",
          "must not be an array");
  bool percentile = aggregate.function == "percentile", top_n = aggregate.function == "top_n";
  bool by_another = aggregate.function == "min_by" || aggregate.function == "max_by";
  double fraction = aggregate.fraction.value_or(0);
  require_member(percentile, aggregate.fraction.has_value(), place + ".fraction", "percentiles");
  require(fraction >= 0 && fraction <= 1, place + ".fraction", "must be from 0 to 1");
  require_member(top_n || by_another, aggregate.order_by.has_value(), place + ".order_by",
                 "top_n, min_by and max_by");
  require(top_n || !aggregate.descending, place + ".descending", "belongs to top_n");
  std::int64_t limit = aggregate.limit.value_or(1);
  require_member(top_n, aggregate.limit.has_value(), place + ".limit", "aggregates top_n");
  require(limit >= 1 && limit <= rows_max, place + ".limit",
          fmt::format("must be from 1 to {}", rows_max));
  require(aggregate.separator.empty() || aggregate.function == "string_agg", place + ".separator",
          "belongs to string_agg");
  add_column(aggregate.name, bound.type, place + ".name");
  out_.aggregates.push_back(std::move(bound));
}

void NodeBinder::bind_aggregates(const std::vector<Aggregate>& aggregates) {
  for (std::size_t i = 0; i < aggregates.size() && ok(); ++i) {
    bind_aggregate(aggregates[i], item("aggregates", i));
  }
}

// Rows that change later may do so at any time: no window of them is ever over.
void NodeBinder::check_revised(const Window& window) {
  const std::string why =
      fmt::format("input '{}' gives rows that it changes later: ", input().node->name);
  require(window.emit != Window::Emit::close, "emit", why + "update or every");
  require(window.window.kind != WindowShape::Kind::session, "window.kind", why + "no sessions");
  require(window.lateness_ms == 0, "lateness_ms", why + "none of its rows is late");
}

void NodeBinder::bind_body(const Window& window) {
  if (input().revises) check_revised(window);
  check_window(window.window, "window");
  out_.keys = find_keys(window.keys, "keys", true);
  if (!ok()) return;
  for (const char* bound : {"window_start", "window_end"}) {
    add_column(bound, {Type::Kind::timestamp}, "");
  }
  for (std::size_t i = 0; i < window.keys.size(); ++i) {
    add_column(window.keys[i], schema()[out_.keys[i]].type, item("keys", i));
  }
  bind_aggregates(window.aggregates);
  check_distance(window.lateness_ms, "lateness_ms");
  bool every = window.emit == Window::Emit::every;
  require(every == (window.every_ms > 0), "every_ms", "belongs to emit = every, and is above 0");
  check_distance(window.every_ms, "every_ms");
  out_.revises = window.lateness_ms > 0 || window.emit != Window::Emit::close;
}

void NodeBinder::bind_body(const Over& over) {
  refuse_revised();
  out_.keys = find_keys(over.keys, "keys", true);
  require(!over.frame.range_ms || !over.frame.rows, "frame", "is of time or of rows");
  check_distance(over.frame.range_ms.value_or(0), "frame.range_ms");
  require(over.frame.rows.value_or(0) >= 0 && over.frame.rows.value_or(0) <= rows_max, "frame.rows",
          fmt::format("must be from 0 to {}", rows_max));
  out_.schema = schema();
  bind_aggregates(over.aggregates);
  out_.revises = over.emit == Emission::update;
}

void NodeBinder::bind_body(const Top& top) {
  refuse_revised();
  out_.keys = find_keys(top.keys, "keys", true);
  require(!top.order_by.empty(), "order_by", "there must be one");
  for (std::size_t i = 0; i < top.order_by.size() && ok(); ++i) {
    out_.columns.push_back(find(schema(), top.order_by[i].column, item("order_by", i)));
    require(!schema()[out_.columns.back()].type.array, item("order_by", i), "is an array");
  }
  require(top.limit >= 1 && top.limit <= rows_max, "limit",
          fmt::format("must be from 1 to {}", rows_max));
  out_.schema = schema();
  if (!top.rank.empty()) add_column(top.rank, {Type::Kind::bigint}, "rank");
  out_.revises = top.emit == Emission::update;
}

void NodeBinder::bind_body(const Dedup& dedup) {
  refuse_revised();
  out_.keys = find_keys(dedup.keys, "keys", false);
  if (dedup.horizon_ms) check_span(*dedup.horizon_ms, "horizon_ms");
  bool last = dedup.keep == Dedup::Keep::last;
  require(!last || dedup.emit != Emission::at_once, "emit",
          "the last one is not known when it comes: watermark or update");
  require(!last || dedup.horizon_ms || dedup.emit == Emission::update, "horizon_ms",
          "without one the last row is never known: name one, or emit updates");
  out_.schema = schema();
  out_.revises = dedup.emit == Emission::update;
}

void NodeBinder::check_join_kind(const Join& join) {
  bool interval = join.kind == Join::Kind::interval;
  require_member(interval, join.lower_ms.has_value(), "lower_ms", "interval joins");
  require_member(interval, join.upper_ms.has_value(), "upper_ms", "interval joins");
  if (ok() && interval) {
    require(*join.lower_ms <= *join.upper_ms, "upper_ms", "is below lower_ms");
    require(*join.lower_ms >= -span_max_ms, "lower_ms", "is beyond 366 days");
    require(*join.upper_ms <= span_max_ms, "upper_ms", "is beyond 366 days");
  }
  bool window = join.kind == Join::Kind::window;
  require_member(window, join.window.has_value(), "window", "window joins");
  if (join.window) {
    check_window(*join.window, "window");
    require(join.window->kind != WindowShape::Kind::session, "window.kind",
            "sessions are no windows to join in");
  }
}

namespace {

// Marks the node, and those that its rows come from: each once, since there may be many ways.
void mark_origins(const BoundPlan& plan, std::size_t node, std::vector<bool>& marked) {
  if (marked[node]) return;
  marked[node] = true;
  for (std::size_t input : plan.nodes[node].inputs) mark_origins(plan, input, marked);
}

}  // namespace

// All there is of a table is read before the first row is looked up, which its own rows cannot be.
void NodeBinder::check_sources_differ(const Join& join) {
  std::vector<bool> left(before_.nodes.size()), right(before_.nodes.size());
  mark_origins(before_, out_.inputs[0], left);
  mark_origins(before_, out_.inputs[1], right);
  for (std::size_t i = 0; i < left.size(); ++i) {
    bool is_source = before_.nodes[i].inputs.empty();
    if (!is_source || !left[i] || !right[i]) continue;
    complain("right", fmt::format("'{}' has rows of '{}', and so has '{}': give the table a source "
                                  "of its own",
                                  join.right, before_.nodes[i].node->name, join.left));
  }
}

// A record without value takes back the row of its key, so a table must be looked up by that.
void NodeBinder::check_lookup(const Join& join) {
  const auto& table = input(1).table;
  if (!table) return;
  require(join.kind != Join::Kind::as_of || table->timed, "right",
          fmt::format("the rows of '{}' have no event time", join.right));
  bool by_key = out_.right_keys.size() == 1 && table->keys.size() == 1 &&
                out_.right_keys[0] == table->keys[0];
  require(by_key || !table->removable, "keys",
          fmt::format("'{}' is looked up by its record key: one column from = key", join.right));
}

void NodeBinder::bind_body(const Join& join) {
  refuse_revised(0);
  if (!input(1).table) refuse_revised(1);
  out_.revises = false;
  require(!join.keys.empty(), "keys", "there must be one");
  const Schema& right = input(1).schema;
  for (std::size_t i = 0; i < join.keys.size() && ok(); ++i) {
    out_.keys.push_back(find(schema(), join.keys[i].left, item("keys", i) + ".left"));
    out_.right_keys.push_back(find(right, join.keys[i].right, item("keys", i) + ".right"));
    if (!ok()) return;
    const Type& left_type = schema()[out_.keys[i]].type;
    const Type& right_type = right[out_.right_keys[i]].type;
    require(
        left_type == right_type && !left_type.array, item("keys", i),
        fmt::format("{} and {} cannot be joined by; cast one", name(left_type), name(right_type)));
  }
  check_join_kind(join);
  check_lookup(join);
  if (join.kind == Join::Kind::table) check_sources_differ(join);
  if (!ok()) return;
  if (join.window) {
    for (const char* bound : {"window_start", "window_end"}) {
      add_column(bound, {Type::Kind::timestamp}, "");
    }
  }
  for (const auto& field : schema()) add_column(field.name, field.type, "left");
  if (join.how == Join::How::semi || join.how == Join::How::anti) return;
  for (std::size_t i = 0; i < right.size(); ++i) {
    auto same = [&](const JoinKey& key) {
      return key.left == key.right && key.right == right[i].name;
    };
    if (std::any_of(join.keys.begin(), join.keys.end(), same)) continue;
    add_column(right[i].name, right[i].type, "right");
  }
}

void NodeBinder::bind_body(const Process& process) {
  refuse_revised();
  out_.keys = find_keys(process.keys, "keys", true);
  for (std::size_t i = 0; i < process.reads.size() && ok(); ++i) {
    const auto& read = process.reads[i];
    std::size_t at = find(schema(), read.name, item("reads", i));
    if (!ok()) return;
    require(schema()[at].type == read.type, item("reads", i),
            fmt::format("'{}' is {} here, and {} in the function", read.name,
                        name(schema()[at].type), name(read.type)));
    out_.columns.push_back(at);
  }
  require(!process.columns.empty(), "columns", "there must be one");
  for (std::size_t i = 0; i < process.columns.size(); ++i) {
    add_column(process.columns[i].name, process.columns[i].type, item("columns", i));
  }
  require(process.emit != Emission::update, "emit", "a function cannot take back what it gave");
  require(process.emit == Emission::watermark || !process.timers, "emit",
          "timers need the order of time: watermark");
}

}  // namespace leat::plan
