#include "interpreter/random_pipeline.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "interpreter/one_of.h"
#include "interpreter/random_expression.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

Source source_of(Random& random, const std::string& topic) {
  Source source;
  source.topic = topic;
  source.event_time = "t";
  const plan::Schema fields{{"t", {Type::Kind::timestamp}},        {"k", {Type::Kind::text}},
                            {"g", {Type::Kind::bigint}},           {"v", {Type::Kind::bigint}},
                            {"r", {Type::Kind::double_precision}}, {"m", decimal(8, 2)},
                            {"tags", array_of({Type::Kind::text})}};
  for (const auto& field : fields) {
    SourceColumn& column = source.columns.emplace_back();
    column.name = field.name;
    column.type = field.type;
  }
  source.disorder_ms = one_of<std::int64_t>(random, {0, 5, 30});
  source.bad_records.policy = BadRows::Policy::skip;
  return source;
}

// Adds nodes to a plan, one after the other.
class PipelineMaker {
 public:
  explicit PipelineMaker(Random& random) : random_(random) {
    plan_.name = "random";
    plan_.bad_rows.policy = BadRows::Policy::skip;
    for (const char* topic : {"a", "b"}) plan_.nodes.push_back({topic, source_of(random, topic)});
  }

  /// Tries random nodes until bind() takes one.
  void add() {
    constexpr int tries = 200;
    for (int i = 0; i < tries; ++i) {
      Plan before = plan_;
      make();
      if (bind(with_sinks())) return;
      plan_ = std::move(before);
    }
    FAIL("no random node fits");
  }

  Plan with_sinks() const {
    Plan whole = plan_;
    for (const auto& node : plan_.nodes) {
      bool read = std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [&](const Node& other) {
        auto inputs = inputs_of(other);
        return std::find(inputs.begin(), inputs.end(), node.name) != inputs.end();
      });
      Sink sink;
      sink.input = node.name;
      sink.topic = "out-" + node.name;
      sink.changes = Sink::Changes::all;
      if (!read) whole.nodes.push_back({"sink-" + node.name, sink});
    }
    return whole;
  }

 private:
  void make() {
    Plan whole = with_sinks();
    auto bound = bind(whole);
    REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
    // The newest nodes are read more often, so that plans become deep.
    std::size_t count = plan_.nodes.size();
    std::size_t input = random_.one_in(3) ? random_.below(count) : count - 1;
    input_ = plan_.nodes[input].name;
    schema_ = bound->nodes[input].schema;
    revised_ = bound->nodes[input].revises;
    Node node;
    node.name = fmt::format("n{}", count);
    switch (random_.below(11)) {
      case 0: node.body = filter(); break;
      case 1: node.body = project(); break;
      case 2: node.body = unnest(); break;
      case 3: node.body = Union{{input_, one_of(random_, plan_.nodes).name}}; break;
      case 4: node.body = Rekey{input_, keys()}; break;
      case 5:
      case 6: node.body = window(); break;
      case 7: node.body = over(); break;
      case 8: node.body = top(); break;
      case 9: node.body = dedup(); break;
      default: node.body = join(); break;
    }
    plan_.nodes.push_back(std::move(node));
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& field : schema_) names.push_back(field.name);
    return names;
  }
  // Mostly those of few values.
  std::vector<std::string> keys() {
    std::vector<std::string> some;
    for (const auto& name : names()) {
      bool few = name == "k" || name == "g";
      if (random_.one_in(few ? 2 : 12)) some.push_back(name);
    }
    return some;
  }
  Expression of_type(const Type& type) { return ExpressionMaker(random_, schema_).of_type(type); }

  Unnest unnest() {
    std::string column = random_.one_in(2) ? "tags" : one_of(random_, names());
    std::string number = std::to_string(plan_.nodes.size());
    return {input_, column, "item" + number, random_.one_in(2) ? "" : "place" + number};
  }

  Filter filter() { return {input_, of_type({Type::Kind::boolean})}; }

  Project project() {
    Project project;
    project.input = input_;
    for (const auto& field : schema_) project.columns.push_back({field.name, col(field.name)});
    auto table = functions();
    const auto& row = table[random_.below(table.size())];
    auto arguments = ExpressionMaker(random_, schema_).arguments_for(row, 1);
    project.columns.push_back({fmt::format("c{}", plan_.nodes.size()),
                               call(std::string(row.name), std::move(arguments))});
    return project;
  }

  std::vector<Aggregate> some_aggregates() {
    std::vector<Aggregate> some;
    for (auto count = random_.between(1, 3); count > 0; --count) {
      auto table = aggregates();
      const auto& row = table[random_.below(table.size())];
      Aggregate aggregate;
      aggregate.name = fmt::format("x{}{}", plan_.nodes.size(), count);
      aggregate.function = row.name;
      ExpressionMaker maker(random_, schema_);
      auto arguments = maker.arguments_for(row, 1);
      if (!arguments.empty()) aggregate.argument = arguments[0];
      if (random_.one_in(4)) aggregate.filter = of_type({Type::Kind::boolean});
      if (row.name == "percentile") aggregate.fraction = one_of<double>(random_, {0, 0.5, 0.99, 1});
      if (row.name == "string_agg") aggregate.separator = ",";
      bool top = row.name == "top_n";
      if (top || row.name.ends_with("_by")) aggregate.order_by = maker.any(true);
      if (top) {
        aggregate.descending = random_.one_in(2);
        aggregate.limit = random_.between(1, 4);
      }
      some.push_back(std::move(aggregate));
    }
    return some;
  }

  WindowShape shape(bool sessions) {
    WindowShape shape;
    shape.kind = static_cast<WindowShape::Kind>(random_.below(sessions ? 4 : 3));
    shape.size_ms = one_of<std::int64_t>(random_, {1, 20, 60, 120});
    if (shape.kind == WindowShape::Kind::hopping) shape.slide_ms = (shape.size_ms + 2) / 3;
    if (shape.kind == WindowShape::Kind::cumulate) shape.step_ms = (shape.size_ms + 1) / 2;
    if (shape.kind == WindowShape::Kind::session) {
      shape.gap_ms = std::exchange(shape.size_ms, 0);
    } else if (random_.one_in(3)) {
      shape.offset_ms = random_.between(-50, 50);
    }
    return shape;
  }

  Window window() {
    Window window;
    window.input = input_;
    window.window = shape(true);
    window.keys = keys();
    window.aggregates = some_aggregates();
    if (random_.one_in(3)) window.lateness_ms = random_.between(1, 60);
    if (random_.one_in(3)) window.emit = static_cast<Window::Emit>(random_.below(3));
    if (revised_) {
      window.window = shape(false);
      window.lateness_ms = 0;
      window.emit = random_.one_in(2) ? Window::Emit::update : Window::Emit::every;
    }
    if (window.emit == Window::Emit::every) window.every_ms = random_.between(1, 200);
    return window;
  }

  Over over() {
    Over over;
    over.input = input_;
    over.keys = keys();
    if (random_.one_in(2))
      over.frame.range_ms = random_.between(0, 50);
    else if (random_.one_in(2))
      over.frame.rows = random_.between(0, 5);
    over.aggregates = some_aggregates();
    over.emit = static_cast<Emission>(random_.below(3));
    return over;
  }

  Top top() {
    Top top;
    top.input = input_;
    top.keys = keys();
    top.order_by = {{one_of(random_, names()), random_.one_in(2)}};
    top.limit = random_.between(1, 4);
    top.ties = random_.one_in(3);
    if (random_.one_in(2)) top.rank = fmt::format("rank{}", plan_.nodes.size());
    top.emit = static_cast<Emission>(random_.below(3));
    return top;
  }

  Dedup dedup() {
    Dedup dedup;
    dedup.input = input_;
    dedup.keys = keys();
    dedup.keep = random_.one_in(2) ? Dedup::Keep::first : Dedup::Keep::last;
    if (random_.one_in(2)) dedup.horizon_ms = random_.between(1, 60);
    dedup.emit = static_cast<Emission>(random_.below(3));
    return dedup;
  }

  // With "b", under other names, so that all columns of both can be there.
  Join join() {
    std::string name = fmt::format("b{}", plan_.nodes.size());
    Project renamed;
    renamed.input = "b";
    for (const char* column : {"k", "g", "v"})
      renamed.columns.push_back({name + column, col(column)});
    plan_.nodes.push_back({name, renamed});
    Join join;
    join.left = input_;
    join.right = name;
    join.kind = static_cast<Join::Kind>(random_.below(4));
    join.how = static_cast<Join::How>(random_.below(4));
    std::string key = random_.one_in(3) ? "g" : "k";
    join.keys = {{key, name + key}};
    if (join.kind == Join::Kind::interval) {
      join.lower_ms = random_.between(-30, 0);
      join.upper_ms = *join.lower_ms + random_.between(0, 40);
    }
    if (join.kind == Join::Kind::window) join.window = shape(false);
    return join;
  }

  Random& random_;
  Plan plan_;
  std::string input_;
  Schema schema_;
  bool revised_ = false;  // whether the input changes rows later
};

std::string random_json(Random& random, std::int64_t time) {
  if (random.one_in(40))
    return one_of<std::string>(random, {"", "{", "[]", R"({"t":"x"})", R"({"v":1.5})"});
  std::string json = fmt::format(R"({{"t":{})", time);
  auto field = [&](const char* name, const std::string& value) {
    if (random.one_in(15)) return;  // missing
    json += fmt::format(R"(,"{}":{})", name, random.one_in(10) ? "null" : value);
  };
  // One key is hot.
  field("k", random.one_in(2) ? R"("hot")" : fmt::format(R"("k{}")", random.below(6)));
  field("g", std::to_string(random.below(4)));
  field("v", random.one_in(30) ? "9223372036854775807" : std::to_string(random.between(-20, 100)));
  field("r", random.one_in(30)
                 ? "1e308"
                 : fmt::format("{}", static_cast<double>(random.between(-999, 999)) / 7));
  field("m", fmt::format("{}.{:02}", random.between(-500, 500), random.below(100)));
  field("tags",
        one_of<std::string>(random, {"[]", R"(["a"])", R"(["b",null,"a"])", R"(["c","c"])"}));
  return json + "}";
}

}  // namespace

Plan random_pipeline(Random& random, int steps) {
  PipelineMaker maker(random);
  for (int i = 0; i < steps; ++i) maker.add();
  return maker.with_sinks();
}

Log random_log(Random& random, std::size_t partitions, int records, Ties ties) {
  Log log;
  log.partitions.resize(partitions);
  std::int64_t number = 0;
  for (auto& partition : log.partitions) {
    ++number;
    if (random.one_in(6)) continue;  // has nothing
    std::int64_t time = 1'000'000 + random.between(0, 40);
    int count = random.one_in(4) ? records / 8 : records;  // ends early
    for (int i = 0; i < count; ++i) {
      time += random.between(0, 8);
      bool far = random.one_in(12);
      Record record;
      record.timestamp_ms = time;
      std::int64_t event_time = time - random.between(0, far ? 90 : 6);
      if (ties == Ties::none) event_time = event_time * 8 + number;
      record.value = random_json(random, event_time);
      bool again = random.one_in(20) && !partition.empty();
      partition.push_back(again ? partition.back() : std::move(record));
    }
  }
  return log;
}

}  // namespace leat::interpreter
