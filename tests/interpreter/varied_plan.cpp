#include "interpreter/varied_plan.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "column/timestamp.h"
#include "interpreter/one_of.h"
#include "plan/bound_plan.h"
#include "plan/json.h"
#include "record/partitioner.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

Node* find(Plan& plan, const std::string& name) {
  auto has_name = [&](const Node& node) { return node.name == name; };
  auto found = std::find_if(plan.nodes.begin(), plan.nodes.end(), has_name);
  return found == plan.nodes.end() ? nullptr : &*found;
}

// A column more of both sources: where it comes from, and what it may be.
SourceColumn more_column(Random& random) {
  using From = SourceColumn::From;
  const Type text{Type::Kind::text}, bigint{Type::Kind::bigint};
  const std::vector<SourceColumn> columns{
      {"ck", one_of<Type>(random, {text, {Type::Kind::bytes}, bigint}), From::key, "", ""},
      {"ch", text, From::header, "", "h"},
      {"cts", {Type::Kind::timestamp}, From::timestamp, "", ""},
      {"coff", bigint, From::offset, "", ""},
      {"cp", bigint, From::partition, "", ""},
      {"ct", text, From::topic, "", ""},
      {"cf", {Type::Kind::boolean}, From::value, "", ""},
      {"cd", {Type::Kind::date}, From::value, "", ""},
      {"cn", bigint, From::value, "$.o.n[0]", ""},
      {"cx", text, From::value, "$.o.n[1].x", ""}};
  return one_of(random, columns);
}

// Changes one place of a plan, which may be more than bind() takes.
class Change {
 public:
  Change(Random& random, Plan& plan) : random_(random), plan_(plan) {}

  void make() {
    if (random_.one_in(3)) return change_sources();
    Node& node = one_node();
    std::visit([&](auto& body) { change(node, body); }, node.body);
  }

 private:
  Node& one_node() { return plan_.nodes[random_.below(plan_.nodes.size())]; }

  // What the node could read.
  std::string one_name_before(const Node& node) {
    auto at = static_cast<std::size_t>(&node - plan_.nodes.data());
    return at == 0 ? node.name : plan_.nodes[random_.below(at)].name;
  }
  // A column of what the node reads, whatever it is; empty if there is none.
  std::string one_column(const Node& node) {
    auto bound = bind(plan_);
    auto inputs = inputs_of(node);
    for (const auto& before : bound->nodes) {
      if (before.node->name != inputs[0]) continue;
      return before.schema[random_.below(before.schema.size())].name;
    }
    return "";
  }

  void change_sources() {
    switch (random_.below(5)) {
      case 0: return add_column();
      case 1: return each_source([&](Source& source) { source.ahead_max_ms = ahead_ms_; });
      case 2: return each_source([&](Source& source) { source.event_time = ""; });
      case 3: {
        plan_.bad_rows = {BadRows::Policy::dead_letter, "bad-rows"};
        return each_source([&](Source& source) {
          source.bad_records = {BadRows::Policy::dead_letter, "bad-" + source.topic};
        });
      }
      default: break;
    }
    auto& source = std::get<Source>(find(plan_, "b")->body);
    source.format = Source::Format::csv;
    std::erase_if(source.columns, [](const auto& column) { return column.type.array; });
  }
  void each_source(const auto& work) {
    for (const char* name : {"a", "b"}) work(std::get<Source>(find(plan_, name)->body));
  }
  // Goes on through some projections, not through those for joins.
  void add_column() {
    SourceColumn column = more_column(random_);
    each_source([&](Source& source) { source.columns.push_back(column); });
    for (auto& node : plan_.nodes) {
      auto* project = std::get_if<Project>(&node.body);
      bool passes = project != nullptr && project->columns.size() > 4 && random_.one_in(2);
      if (passes) project->columns.push_back({column.name, col(column.name)});
    }
  }

  void change(Node&, Source&) {}
  void change(Node&, Process&) {}
  void change(Node& node, Filter& filter) { filter.input = one_name_before(node); }
  void change(Node& node, Rekey& rekey) { rekey.keys.push_back(one_column(node)); }
  void change(Node& node, Unnest& unnest) { unnest.input = one_name_before(node); }
  void change(Node& node, Union& all) { all.inputs.push_back(one_name_before(node)); }
  // Also what a join reads is one.
  void change(Node& node, Project& project) {
    switch (random_.below(4)) {
      case 0: project.input = one_name_before(node); break;
      case 1: use_table(project); break;
      case 2: std::swap(project.columns.front(), project.columns.back()); break;
      default:
        project.columns.erase(project.columns.begin() +
                              static_cast<std::ptrdiff_t>(random_.below(project.columns.size())));
    }
  }
  void use_table(Project& project) {
    bool is_there = find(plan_, "u") != nullptr;
    project.input = "u";
    if (is_there) return;
    Source table;
    table.topic = "u";
    table.upsert = true;
    table.columns = {{"k", {Type::Kind::text}, SourceColumn::From::key, "", ""},
                     {"g", {Type::Kind::bigint}, SourceColumn::From::value, "", ""},
                     {"v", {Type::Kind::bigint}, SourceColumn::From::value, "", ""}};
    table.bad_records.policy = BadRows::Policy::skip;
    plan_.nodes.insert(plan_.nodes.begin(), {"u", table});
  }
  void change(Node& node, Window& window) {
    if (random_.one_in(2)) return add_key(node, window.keys);
    window.late_topic = "late-" + node.name;
  }
  void change(Node& node, Over& over) {
    if (random_.one_in(2)) return add_key(node, over.keys);
    over.late_topic = "late-" + node.name;
  }
  void change(Node& node, Dedup& dedup) {
    if (random_.one_in(2)) return add_key(node, dedup.keys);
    dedup.late_topic = "late-" + node.name;
  }
  void change(Node& node, Top& top) {
    if (random_.one_in(3)) return add_key(node, top.keys);
    if (random_.one_in(2)) top.order_by.push_back({one_column(node), random_.one_in(2)});
    top.late_topic = "late-" + node.name;
  }
  void add_key(const Node& node, std::vector<std::string>& keys) {
    keys.push_back(one_column(node));
  }
  void change(Node& node, Join& join) {
    switch (random_.below(4)) {
      case 0: join.late_topic = "late-" + node.name; break;
      case 1: join.left = one_name_before(node); break;
      case 2: join.keys.push_back({"g", join.right + "g"}); break;
      default: share_key(join); break;
    }
  }
  // The right side's key gets the name of the left one.
  void share_key(Join& join) {
    auto& key = join.keys[0];
    auto* project = std::get_if<Project>(&find(plan_, join.right)->body);
    if (project == nullptr) return;
    for (auto& column : project->columns) {
      if (column.name == key.right) column.name = key.left;
    }
    key.right = key.left;
  }
  void change(Node& node, Sink& sink) {
    switch (random_.below(4)) {
      case 0: sink.format = Sink::Format::csv; break;
      case 1: add_key(node, sink.keys); break;
      case 2: sink.partitions = random_.between(1, 5); break;
      // Of rows that change later the last one of a key would count, whatever else they have.
      default: sink.changes = revises(node.name) ? Sink::Changes::all : Sink::Changes::upsert;
    }
  }
  bool revises(const std::string& name) {
    auto bound = bind(plan_);
    return std::any_of(bound->nodes.begin(), bound->nodes.end(), [&](const BoundNode& node) {
      return node.node->name == name && node.revises;
    });
  }

  Random& random_;
  Plan& plan_;
  std::int64_t ahead_ms_ = random_.between(0, 20);
};

// A record's value with what more_column() finds there.
void add_fields(Random& random, std::string& json) {
  if (json.empty() || json.back() != '}') return;
  json.pop_back();
  auto field = [&](const char* name, const std::vector<std::string>& values) {
    if (!random.one_in(8)) json += fmt::format(R"(,"{}":{})", name, one_of(random, values));
  };
  field("cf", {"true", "false", "null"});
  field("cd", {R"("2024-02-29")", R"("1969-12-31")", "null"});
  field("o", {R"({"n":[7,{"x":"y"}]})", R"({"n":[null,{}],"z":[[]]})", R"({"n":[-1]})", "null",
              R"({"n":{}})"});
  json += '}';
}

// The line for such a value; what is no object stays as it is.
std::string csv_of(const Source& source, const std::string& text) {
  auto json = parse_json(text, RepeatedNames::last_counts);
  if (!json || !std::holds_alternative<JsonObject>(*json)) return text;
  const auto& object = std::get<JsonObject>(*json);
  std::string line;
  for (const auto& column : source.columns) {
    if (column.from != SourceColumn::From::value) continue;
    if (&column != source.columns.data()) line += ',';
    auto found = object.find(column.name);
    if (found == object.end()) continue;
    const auto* number = std::get_if<JsonNumber>(&found->second);
    if (column.type.kind == Type::Kind::timestamp && number != nullptr) {
      column::append_timestamp(line, Timestamp{std::stoll(number->token)});
    } else if (const auto* word = std::get_if<std::string>(&found->second)) {
      line += '"' + *word + '"';
    } else if (!std::holds_alternative<std::nullptr_t>(found->second)) {
      append_json(line, found->second);
    }
  }
  return line;
}

// Changes of some keys, each in a partition of its own choice, and records that remove them.
Log table_log(Random& random) {
  Log log;
  log.topic = "u";
  log.partitions.resize(1 + random.below(3));
  auto partitions = static_cast<std::int32_t>(log.partitions.size());
  std::int64_t time = 1'000'000;
  for (int i = 0; i < 40; ++i) {
    time += random.between(0, 12);
    Record record;
    record.key = random.one_in(4) ? "hot" : fmt::format("k{}", random.below(6));
    record.timestamp_ms = time - random.between(0, 6);
    if (!random.one_in(5)) {
      record.value = fmt::format(R"({{"g":{},"v":{}}})", random.below(4), random.below(100));
    }
    auto to = record::partition_of_key(as_bytes(*record.key), partitions);
    log.partitions[static_cast<std::size_t>(to.value())].push_back(std::move(record));
  }
  return log;
}

}  // namespace

void vary(Random& random, Plan& plan) {
  for (auto tries = random.between(2, 12); tries > 0; --tries) {
    Plan before = plan;
    Change(random, plan).make();
    if (!bind(plan)) plan = std::move(before);
  }
}

void vary_logs(Random& random, const Plan& plan, std::map<std::string, Log>& logs) {
  for (auto& [topic, log] : logs) {
    log.topic = topic;
    for (auto& partition : log.partitions) {
      for (auto& record : partition) {
        if (!random.one_in(6)) record.key = one_of<std::string>(random, {"1", "22", "-3", "2"});
        for (auto headers = random.below(3); headers > 0; --headers) {
          record.headers.emplace_back(random.one_in(4) ? "other" : "h",
                                      std::to_string(random.below(3)));
        }
        if (random.one_in(6)) record.timestamp_ms -= random.between(0, 60);
        // A value of another type is a bad record only where somebody looks at it, but the judge
        // looks at all.
        bool other_type = *record.value == R"({"t":"x"})" || *record.value == R"({"v":1.5})";
        if (other_type) record.value = "{";
        add_fields(random, *record.value);
      }
    }
  }
  for (const auto& node : plan.nodes) {
    const auto* source = std::get_if<Source>(&node.body);
    if (source == nullptr) continue;
    if (source->upsert) logs[source->topic] = table_log(random);
    if (source->format != Source::Format::csv) continue;
    for (auto& partition : logs.at(source->topic).partitions) {
      for (auto& record : partition) record.value = csv_of(*source, *record.value);
    }
  }
}

}  // namespace leat::interpreter
