#include "plan/node_binder.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "plan/expression_binder.h"
#include "plan/json_path.h"
#include "plan/limits.h"

namespace leat::plan {

namespace {

bool is(const Type& type, Type::Kind kind) {
  return type == Type{kind};
}

// Names that come from an input, and not from this node's own fields, are given before it.
std::string rename_advice(const Node& node, const std::string& name) {
  const auto* join = std::get_if<Join>(&node.body);
  const auto* window = std::get_if<Window>(&node.body);
  bool is_bound = name == "window_start" || name == "window_end";
  if (join != nullptr) {
    return fmt::format(": give it another name by a project node between '{}' and this join",
                       is_bound && join->window ? join->left : join->right);
  }
  if (window == nullptr || !is_bound) return "";
  return fmt::format(
      ", the window's own: give the input's another name by a project node behind "
      "'{}'",
      window->input);
}

// The first place where the columns of one node are not those of another one.
std::string difference_of(const Schema& some, const Schema& others) {
  auto text = [](const Schema& schema, std::size_t i) {
    return i < schema.size() ? schema[i].name + " " + name(schema[i].type) : "none";
  };
  std::size_t i = 0;
  while (i < some.size() && i < others.size() && some[i] == others[i]) ++i;
  return fmt::format("column {} is {}, and {} there; a project node brings them together", i + 1,
                     text(some, i), text(others, i));
}

std::string item(const std::string& field, std::size_t index) {
  return fmt::format("{}[{}]", field, index);
}

}  // namespace

void NodeBinder::bind() {
  bind_inputs();
  for (std::size_t i = 0; i < out_.inputs.size() && ok(); ++i) check_table_input(i);
  if (!ok()) return;
  std::visit([&](const auto& body) { bind_body(body); }, out_.node->body);
  if (out_.table && ok()) pass_keys();
}

void NodeBinder::complain(const std::string& place, const std::string& what) {
  if (ok()) complaint_ = place.empty() ? ": " + what : " " + place + ": " + what;
}

bool NodeBinder::require(bool holds, const std::string& place, const std::string& what) {
  if (!holds) complain(place, what);
  return holds;
}

bool NodeBinder::require_member(bool belongs, bool is_there, const std::string& place,
                                const std::string& whose) {
  return require(!belongs || is_there, place, fmt::format("is missing; {} have one", whose)) &&
         require(belongs || !is_there, place, fmt::format("only {} have one", whose));
}

void NodeBinder::bind_inputs() {
  for (const auto& name : inputs_of(*out_.node)) {
    std::string there;
    bool found = false;
    for (std::size_t i = 0; i < before_.nodes.size(); ++i) {
      const Node& node = *before_.nodes[i].node;
      if (std::holds_alternative<Sink>(node.body)) continue;
      there += (there.empty() ? "" : ", ") + node.name;
      if (node.name != name) continue;
      found = true;
      out_.inputs.push_back(i);
      out_.revises = out_.revises || before_.nodes[i].revises;
    }
    require(found, "",
            fmt::format("input '{}' is no node before this one; there are: {}", name, there));
  }
}

void NodeBinder::check_table_input(std::size_t i) {
  const Node& node = *out_.node;
  const auto* join = std::get_if<Join>(&node.body);
  bool looked_up = join != nullptr && i == 1 &&
                   (join->kind == Join::Kind::table || join->kind == Join::Kind::as_of);
  bool passed_on = std::holds_alternative<Filter>(node.body) ||
                   std::holds_alternative<Project>(node.body) ||
                   std::holds_alternative<Rekey>(node.body);
  const auto& table = input(i).table;
  if (!table || looked_up) return;
  if (passed_on) out_.table = table;
  require(passed_on, "",
          fmt::format("input '{}' is a table (upsert), which is for the right side of table and "
                      "as_of joins",
                      input(i).node->name));
}

// Where the columns of the record's key are behind a projection.
void NodeBinder::pass_keys() {
  if (!std::holds_alternative<Project>(out_.node->body)) return;
  std::vector<std::size_t> passed;
  for (std::size_t i = 0; i < out_.expressions.size(); ++i) {
    const auto& keys = out_.table->keys;
    const auto& bound = out_.expressions[i];
    bool is_key = bound.kind == Expression::Kind::column &&
                  std::count(keys.begin(), keys.end(), bound.column) > 0;
    if (is_key) passed.push_back(i);
  }
  out_.table->keys = std::move(passed);
}

void NodeBinder::refuse_revised(std::size_t i) {
  require(
      !input(i).revises, "",
      fmt::format("input '{}' gives rows that it changes later; only windows, nodes without state "
                  "and sinks take those",
                  input(i).node->name));
}

std::size_t NodeBinder::find(const Schema& schema, const std::string& name,
                             const std::string& place) {
  auto found = find_column(schema, name);
  if (!found) complain(place, found.error().what);
  return found.value_or(0);
}

std::vector<std::size_t> NodeBinder::find_keys(const std::vector<std::string>& names,
                                               const std::string& field, bool may_be_empty) {
  std::vector<std::size_t> keys;
  require(may_be_empty || !names.empty(), field, "there must be one");
  for (std::size_t i = 0; i < names.size() && ok(); ++i) {
    keys.push_back(find(schema(), names[i], item(field, i)));
    if (!ok()) break;
    require(!schema()[keys.back()].type.array, item(field, i), "an array cannot be a key");
    require(std::count(keys.begin(), keys.end(), keys.back()) == 1, item(field, i),
            fmt::format("'{}' is there twice", names[i]));
  }
  return keys;
}

void NodeBinder::add_column(const std::string& name, const Type& type, const std::string& place) {
  require(!name.empty(), place, "the column has no name");
  require(!find_column(out_.schema, name).has_value(), place,
          fmt::format("there is a column '{}' already{}", name, rename_advice(*out_.node, name)));
  require(out_.schema.size() < columns_max, place,
          fmt::format("more than {} columns", columns_max));
  out_.schema.push_back({name, type});
}

void NodeBinder::bind_expression(const Expression& expression, const std::string& place,
                                 std::optional<BoundExpression>& out) {
  if (auto excess = excess_of(expression)) return complain(place, *excess);
  ExpressionBinder binder(schema());
  auto bound = binder.bind(expression);
  if (bound)
    out = std::move(*bound);
  else
    complain(place + binder.place(), bound.error().what);
}

// ---- Without state ------------------------------------------------------------------------------

void NodeBinder::check_bad_rows(const BadRows& bad_rows, const std::string& place) {
  bool dead_letter = bad_rows.policy == BadRows::Policy::dead_letter;
  require(dead_letter != bad_rows.topic.empty(), place + ".topic",
          dead_letter ? "names no topic" : "belongs to the policy dead_letter alone");
}

void NodeBinder::check_source_column(const Source& source, const SourceColumn& column,
                                     const std::string& place) {
  using From = SourceColumn::From;
  using Kind = Type::Kind;
  bool has_path = !column.path.empty();
  bool named = source.format == Source::Format::csv && source.header_line;
  require(
      !has_path || (column.from == From::value && (source.format == Source::Format::json || named)),
      place + ".path", "only values have one, of JSON or of CSV with a header line");
  if (has_path && !named) {
    std::string why;
    require(parse_json_path(column.path, &why).has_value(), place + ".path",
            fmt::format("'{}' is no path such as $.user.name or $.tags[0]: {}", column.path, why));
  }
  require((column.from == From::header) != column.header.empty(), place + ".header",
          "names the header that a column is from, and belongs to those alone");
  bool meta = column.from != From::value;
  require(!meta || source.file.empty(), place + ".from", "the lines of a file have values alone");
  auto must_be = [&](std::vector<Kind> kinds) {
    bool good = std::any_of(kinds.begin(), kinds.end(), [&](Kind k) { return is(column.type, k); });
    require(good, place + ".type",
            fmt::format("'{}' cannot be {}", column.name, name(column.type)));
  };
  switch (column.from) {
    case From::timestamp: return must_be({Kind::timestamp});
    case From::offset:
    case From::partition: return must_be({Kind::bigint});
    case From::topic: return must_be({Kind::text});
    case From::key:
    case From::header: return must_be({Kind::text, Kind::bytes, Kind::bigint});
    case From::value: break;
  }
  if (source.format == Source::Format::raw) return must_be({Kind::text, Kind::bytes});
  bool plain = source.format == Source::Format::json || !column.type.array;
  require(plain && column.type.kind != Kind::bytes && column.type.kind != Kind::interval,
          place + ".type", fmt::format("a value cannot be read as {}", name(column.type)));
}

void NodeBinder::bind_body(const Source& source) {
  require(source.topic.empty() != source.file.empty(), "", "reads a topic or a file");
  require(!source.columns.empty(), "columns", "there must be one");
  for (std::size_t i = 0; i < source.columns.size(); ++i) {
    const auto& column = source.columns[i];
    add_column(column.name, column.type, item("columns", i) + ".name");
    check_source_column(source, column, item("columns", i));
  }
  auto of_value = [](const SourceColumn& c) { return c.from == SourceColumn::From::value; };
  auto values = std::count_if(source.columns.begin(), source.columns.end(), of_value);
  require(source.format != Source::Format::raw || values <= 1, "columns",
          "a raw value is one column");
  require(!source.header_line || (source.format == Source::Format::csv && !source.file.empty()),
          "header_line", "belongs to CSV files");
  if (!source.event_time.empty()) {
    out_.columns = {find(out_.schema, source.event_time, "event_time")};
    if (!ok()) return;
    require(is(out_.schema[out_.columns[0]].type, Type::Kind::timestamp), "event_time",
            fmt::format("'{}' is no timestamp", source.event_time));
  }
  check_distance(source.disorder_ms, "disorder_ms");
  check_distance(source.ahead_max_ms.value_or(0), "ahead_max_ms");
  check_distance(source.idle_ms, "idle_ms");
  check_bad_rows(source.bad_records, "bad_records");
  out_.revises = source.upsert;
  if (source.upsert) bind_table(source);
}

void NodeBinder::bind_table(const Source& source) {
  TableRows& table = out_.table.emplace();
  table.timed = !source.event_time.empty() || source.file.empty();
  table.removable = source.file.empty();
  for (std::size_t i = 0; i < source.columns.size(); ++i) {
    if (source.columns[i].from == SourceColumn::From::key) table.keys.push_back(i);
  }
}

void NodeBinder::bind_body(const Filter& filter) {
  out_.schema = schema();
  std::optional<BoundExpression> bound;
  bind_expression(filter.condition, "condition", bound);
  if (!bound) return;
  require(is(bound->type, Type::Kind::boolean), "condition",
          fmt::format("must be a boolean, not {}", name(bound->type)));
  out_.expressions.push_back(std::move(*bound));
}

void NodeBinder::bind_body(const Project& project) {
  require(!project.columns.empty(), "columns", "there must be one");
  for (std::size_t i = 0; i < project.columns.size() && ok(); ++i) {
    const auto& column = project.columns[i];
    std::optional<BoundExpression> bound;
    bind_expression(column.expression, item("columns", i) + ".expression", bound);
    if (!bound) return;
    add_column(column.name, bound->type, item("columns", i) + ".name");
    out_.expressions.push_back(std::move(*bound));
  }
}

void NodeBinder::bind_body(const Unnest& unnest) {
  out_.schema = schema();
  out_.columns = {find(schema(), unnest.column, "column")};
  if (!ok()) return;
  Type type = schema()[out_.columns[0]].type;
  require(type.array, "column", fmt::format("'{}' is no array", unnest.column));
  add_column(unnest.as, element_of(type), "as");
  if (!unnest.ordinality.empty()) {
    add_column(unnest.ordinality, {Type::Kind::bigint}, "ordinality");
  }
}

void NodeBinder::bind_body(const Union& node) {
  if (!require(node.inputs.size() >= 2, "inputs", "there must be two")) return;
  out_.schema = schema();
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    require(input(i).schema == schema(), item("inputs", i),
            fmt::format("'{}' has other columns than '{}': {}", node.inputs[i], node.inputs[0],
                        difference_of(input(i).schema, schema())));
    require(out_.inputs[i] != out_.inputs[0], item("inputs", i), "is there twice");
  }
}

void NodeBinder::bind_body(const Rekey& rekey) {
  out_.schema = schema();
  out_.keys = find_keys(rekey.keys, "keys", false);
}

void NodeBinder::bind_view(const Sink& sink) {
  require(!sink.keep_ms || !sink.view.empty(), "keep_ms", "only a view has it");
  require(!sink.keep_ms || *sink.keep_ms >= 0, "keep_ms", "must not be negative");
  if (sink.view.empty()) return;
  constexpr std::size_t name_max = 200;
  auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
  };
  require(sink.view.size() <= name_max && std::all_of(sink.view.begin(), sink.view.end(), is_plain),
          "view", fmt::format("must be up to {} letters, digits, '.', '_' and '-'", name_max));
  require(!sink.keys.empty(), "keys", "a view needs some: it keeps the last row of each key");
  require(sink.changes == Sink::Changes::upsert, "changes",
          "a view keeps the last row of each key");
  require(sink.format == Sink::Format::json, "format", "a view has none but JSON");
}

void NodeBinder::bind_body(const Sink& sink) {
  out_.schema = schema();
  int places = (sink.topic.empty() ? 0 : 1) + (sink.console ? 1 : 0) +
               (sink.files.empty() ? 0 : 1) + (sink.view.empty() ? 0 : 1);
  require(places == 1, "", "writes to a topic, to the console, to files, or to a view");
  out_.keys = find_keys(sink.keys, "keys", true);
  bool has_keys = !sink.topic.empty() || !sink.view.empty();
  require(sink.keys.empty() || has_keys, "keys", "only a topic or a view has some");
  bind_view(sink);
  require(sink.partitions >= 0 && sink.partitions <= partitions_max, "partitions",
          fmt::format("must be from 0 to {}", partitions_max));
  require(sink.partitions == 0 || !sink.topic.empty(), "partitions", "only a topic has some");
  for (std::size_t i = 0; i < sink.partition_by.size() && ok(); ++i) {
    out_.columns.push_back(find(schema(), sink.partition_by[i], item("partition_by", i)));
    require(!sink.files.empty(), "partition_by", "only files have folders");
  }
  bool is_prefix = sink.replace.size() <= sink.partition_by.size() &&
                   std::equal(sink.replace.begin(), sink.replace.end(), sink.partition_by.begin());
  require(is_prefix, "replace", "must be the first ones of partition_by");
  require(sink.files.empty() || out_.columns.size() < schema().size(), "partition_by",
          "leaves no column for the file");
  if (!input().revises) return;
  require(sink.files.empty(), "", "files take only rows that stay as they are");
  require(sink.console || sink.changes == Sink::Changes::all || !sink.keys.empty(), "keys",
          "the input changes its rows later: they need a key, or changes = all");
}

}  // namespace leat::plan
