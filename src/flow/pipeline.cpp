#include "leat/pipeline.h"

#include <utility>

#include "flow/graph.h"
#include "plan/enum_names.h"

namespace leat::flow {

using detail::Graph;
using detail::GraphAccess;

namespace {

// Enumerators are the plan's, in its order.
template <class To, class From>
To as(From value) {
  return static_cast<To>(value);
}

plan::BadRows plan_bad_rows(BadRows policy) {
  return {as<plan::BadRows::Policy>(policy.policy), std::move(policy.topic)};
}

std::optional<std::int64_t> ms(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? std::optional<std::int64_t>(duration->count()) : std::nullopt;
}

plan::WindowShape plan_shape(const Window& shape) {
  return {as<plan::WindowShape::Kind>(shape.kind),
          shape.size.count(),
          shape.slide.count(),
          shape.step.count(),
          shape.gap.count(),
          shape.offset.count()};
}

std::optional<plan::Expression> plan_expression(const std::optional<Expression>& expression) {
  if (!expression) return {};
  return GraphAccess::expression_of(*expression);
}

std::vector<plan::Aggregate> plan_aggregates(const std::vector<Aggregate>& aggregates) {
  std::vector<plan::Aggregate> all;
  for (const Aggregate& of : aggregates) {
    plan::Aggregate& to = all.emplace_back();
    to.name = of.name;
    to.function = of.function;
    to.argument = plan_expression(of.argument);
    to.filter = plan_expression(of.filter);
    to.fraction = of.fraction;
    to.order_by = plan_expression(of.order_by);
    to.descending = of.descending;
    to.limit = of.limit;
    to.separator = of.separator;
  }
  return all;
}

plan::Source plan_source(const std::vector<Column>& columns, SourceOptions options) {
  plan::Source source;
  source.format = as<plan::Source::Format>(options.format);
  source.header_line = options.header_line;
  for (const Column& column : columns) {
    source.columns.push_back({column.name, detail::plan_type(column.type),
                              as<plan::SourceColumn::From>(column.from), column.path,
                              column.header});
  }
  source.event_time = std::move(options.event_time);
  source.disorder_ms = options.disorder.count();
  source.ahead_max_ms = ms(options.ahead_max);
  source.idle_ms = options.idle.count();
  source.bad_records = plan_bad_rows(std::move(options.bad_records));
  source.upsert = options.upsert;
  return source;
}

plan::Join plan_join(plan::Join::Kind kind, const std::vector<JoinKey>& keys, JoinOptions options) {
  plan::Join join;
  join.kind = kind;
  join.how = as<plan::Join::How>(options.how);
  for (const JoinKey& key : keys) join.keys.push_back({key.left, key.right});
  join.late_topic = std::move(options.late_topic);
  return join;
}

}  // namespace

// ---- Pipeline -----------------------------------------------------------------------------------

Pipeline::Pipeline(std::string name) : graph_(std::move(name)) {}

Pipeline& Pipeline::bad_rows(BadRows policy) {
  graph_->bad_rows = plan_bad_rows(std::move(policy));
  return *this;
}

Stream Pipeline::from(std::string topic, std::vector<Column> columns, SourceOptions options) {
  plan::Source source = plan_source(columns, std::move(options));
  source.topic = std::move(topic);
  return {graph_, graph_->add(std::move(source))};
}

Stream Pipeline::from_file(std::string path, std::vector<Column> columns, SourceOptions options) {
  plan::Source source = plan_source(columns, std::move(options));
  source.file = std::move(path);
  return {graph_, graph_->add(std::move(source))};
}

void Pipeline::check() const {
  graph_->finish();
}

std::string Pipeline::plan() const {
  plan::Plan plan = graph_->finish();
  if (auto process = plan::find_process(plan)) {
    throw Error(plan::place_of(plan, *process) +
                ": is a function of this program, which no plan can hold: run it embedded");
  }
  std::string text = plan::print(plan);
  // Texts that are no UTF-8, say.
  if (auto read = plan::parse(text); !read) throw Error(read.error().what);
  return text;
}

std::string Pipeline::hash() const {
  return plan::hash(graph_->finish());
}

// ---- Stream -------------------------------------------------------------------------------------

Stream Stream::named(std::string name) const {
  graph_->nodes[node_].node.name = std::move(name);
  return *this;
}

Sink Sink::named(std::string name) const {
  graph_->nodes[node_].node.name = std::move(name);
  return *this;
}

Stream Stream::filter(Expression condition) const {
  return {graph_, graph_->add(plan::Filter{"", GraphAccess::expression_of(condition)}, {node_})};
}

Stream Stream::map(std::vector<Named> columns) const {
  plan::Project project;
  for (const Named& column : columns) {
    project.columns.push_back({column.name, GraphAccess::expression_of(column.expression)});
  }
  return {graph_, graph_->add(std::move(project), {node_})};
}

Stream Stream::unnest(std::string column, std::string as, std::string ordinality) const {
  return {graph_,
          graph_->add(plan::Unnest{"", std::move(column), std::move(as), std::move(ordinality)},
                      {node_})};
}

Stream Stream::merge(std::vector<Stream> others) const {
  std::vector<std::size_t> inputs{node_};
  for (const Stream& other : others) inputs.push_back(other.node_in(graph_));
  return {graph_, graph_->add(plan::Union{}, std::move(inputs))};
}

Stream Stream::rekey(std::vector<std::string> columns) const {
  return {graph_, graph_->add(plan::Rekey{"", std::move(columns)}, {node_})};
}

Keyed Stream::key_by(std::vector<std::string> columns) const {
  return {*this, std::move(columns)};
}

Windowed Stream::window(Window shape) const {
  return {*this, {}, shape};
}

Stream Stream::over(Frame frame, std::vector<Aggregate> aggregates, OverOptions options) const {
  return Keyed(*this, {}).over(frame, std::move(aggregates), std::move(options));
}

Stream Stream::top(std::int64_t limit, std::vector<Ordering> order_by, TopOptions options) const {
  return Keyed(*this, {}).top(limit, std::move(order_by), std::move(options));
}

std::size_t Stream::node_in(const detail::GraphRef& graph) const {
  if (&*graph_ == &*graph) return node_;
  if (graph->complaint.empty()) {
    graph->complaint = "a stream of the pipeline '" + graph_->name + "' is used in '" +
                       graph->name + "': a pipeline has its own sources";
  }
  return 0;
}

Stream Stream::join(const Stream& right, std::vector<JoinKey> keys, Within within,
                    JoinOptions options) const {
  plan::Join join = plan_join(plan::Join::Kind::interval, keys, std::move(options));
  join.lower_ms = within.lower.count();
  join.upper_ms = within.upper.count();
  return {graph_, graph_->add(std::move(join), {node_, right.node_in(graph_)})};
}

Stream Stream::join(const Stream& right, std::vector<JoinKey> keys, Window shape,
                    JoinOptions options) const {
  plan::Join join = plan_join(plan::Join::Kind::window, keys, std::move(options));
  join.window = plan_shape(shape);
  return {graph_, graph_->add(std::move(join), {node_, right.node_in(graph_)})};
}

Stream Stream::join_table(const Stream& table, std::vector<JoinKey> keys,
                          JoinOptions options) const {
  plan::Join join = plan_join(plan::Join::Kind::table, keys, std::move(options));
  return {graph_, graph_->add(std::move(join), {node_, table.node_in(graph_)})};
}

Stream Stream::join_as_of(const Stream& right, std::vector<JoinKey> keys,
                          JoinOptions options) const {
  plan::Join join = plan_join(plan::Join::Kind::as_of, keys, std::move(options));
  return {graph_, graph_->add(std::move(join), {node_, right.node_in(graph_)})};
}

Sink Stream::to(std::string topic, TopicOptions options) const {
  plan::Sink sink;
  sink.topic = std::move(topic);
  sink.keys = std::move(options.keys);
  sink.partitions = options.partitions;
  sink.changes = as<plan::Sink::Changes>(options.changes);
  sink.format = as<plan::Sink::Format>(options.format);
  return {graph_, graph_->add(std::move(sink), {node_})};
}

Sink Stream::to_console(RowFormat format) const {
  plan::Sink sink;
  sink.console = true;
  sink.format = as<plan::Sink::Format>(format);
  return {graph_, graph_->add(std::move(sink), {node_})};
}

Sink Stream::to_files(std::string folder, FilesOptions options) const {
  plan::Sink sink;
  sink.files = std::move(folder);
  sink.format = as<plan::Sink::Format>(options.format);
  sink.partition_by = std::move(options.partition_by);
  sink.replace = std::move(options.replace);
  return {graph_, graph_->add(std::move(sink), {node_})};
}

// ---- With keys ----------------------------------------------------------------------------------

Windowed Keyed::window(Window shape) const {
  return {stream_, keys_, shape};
}

Stream Windowed::aggregate(std::vector<Aggregate> aggregates, WindowOptions options) const {
  plan::Window window;
  window.window = plan_shape(shape_);
  window.keys = keys_;
  window.aggregates = plan_aggregates(aggregates);
  window.lateness_ms = options.lateness.count();
  window.emit = as<plan::Window::Emit>(options.emit);
  window.every_ms = options.every.count();
  window.late_topic = std::move(options.late_topic);
  return {stream_.graph_, stream_.graph_->add(std::move(window), {stream_.node_})};
}

Stream Keyed::over(Frame frame, std::vector<Aggregate> aggregates, OverOptions options) const {
  plan::Over over;
  over.keys = keys_;
  over.frame = {ms(frame.range), frame.rows};
  over.aggregates = plan_aggregates(aggregates);
  over.emit = as<plan::Emission>(options.emit);
  over.late_topic = std::move(options.late_topic);
  return {stream_.graph_, stream_.graph_->add(std::move(over), {stream_.node_})};
}

Stream Keyed::top(std::int64_t limit, std::vector<Ordering> order_by, TopOptions options) const {
  plan::Top top;
  top.keys = keys_;
  for (Ordering& by : order_by) top.order_by.push_back({std::move(by.column), by.descending});
  top.limit = limit;
  top.ties = options.ties;
  top.rank = std::move(options.rank);
  top.emit = as<plan::Emission>(options.emit);
  top.late_topic = std::move(options.late_topic);
  return {stream_.graph_, stream_.graph_->add(std::move(top), {stream_.node_})};
}

Stream Keyed::dedup(DedupOptions options) const {
  plan::Dedup dedup;
  dedup.keys = keys_;
  dedup.keep = as<plan::Dedup::Keep>(options.keep);
  dedup.horizon_ms = ms(options.horizon);
  dedup.emit = as<plan::Emission>(options.emit);
  dedup.late_topic = std::move(options.late_topic);
  return {stream_.graph_, stream_.graph_->add(std::move(dedup), {stream_.node_})};
}

}  // namespace leat::flow
