#include "stream/graph.h"

#include <utility>

#include <fmt/format.h>

#include "stream/filter.h"
#include "stream/project.h"
#include "stream/window_aggregate.h"

namespace leat::stream {

namespace {

TopicSink make_sink(const Plan& plan, const Topic& topic) {
  Schema schema = *schema_after(plan, plan.steps.size());
  std::vector<std::size_t> keys;
  for (const auto& key : plan.sink.keys) keys.push_back(*find_column(schema, key));
  return TopicSink(std::move(schema), std::move(keys), topic);
}

std::unique_ptr<Operator> make_operator(const FilterPlan& filter, const Schema& input) {
  return std::make_unique<Filter>(*BoundExpression::bind(filter.condition, input));
}

std::unique_ptr<Operator> make_operator(const ProjectPlan& project, const Schema& input) {
  std::vector<BoundExpression> columns;
  for (const auto& [name, expression] : project.columns) {
    columns.push_back(*BoundExpression::bind(expression, input));
  }
  return std::make_unique<Project>(std::move(columns));
}

std::unique_ptr<Operator> make_operator(const WindowPlan& window, const Schema& input) {
  return std::make_unique<WindowAggregate>(window, input);
}

std::optional<Provenance> provenance(const Plan& plan, const std::optional<Topic>& to) {
  if (!to) return {};
  return Provenance(plan.name, plan.source.topic, *to);
}

}  // namespace

/// Hands what one operator of a lane pushes to the next one, or to the sink.
class Graph::Stage final : public Output {
 public:
  Stage(Graph& graph, Lane& lane, std::size_t next, OutputBatches& out)
      : graph_(graph), lane_(lane), next_(next), out_(out) {}

  Result<void> push(const column::Chunk& chunk) override {
    if (next_ == graph_.operators_.size()) {
      lane_.sink.write(chunk, out_);
      lane_.counts.rows_out += chunk.selection.size();
      return {};
    }
    Stage behind(graph_, lane_, next_ + 1, out_);
    return graph_.operators_[next_]->process(*lane_.states[next_], chunk, behind);
  }

  Result<void> push_late(const column::Chunk& chunk,
                         const std::vector<std::uint32_t>& rows) override {
    lane_.counts.late += rows.size();
    return graph_.late_ ? graph_.late_->write_late(chunk, rows, out_) : Result<void>();
  }

  Result<void> reject(const column::Chunk& chunk, std::uint32_t row,
                      const std::string& reason) override {
    // Only a window rejects, so the row is written as the window's own.
    std::string value = lane_.window_rows->value_of(chunk, row);
    if (graph_.bad_records_ == BadRecords::fail) {
      return fail(Errc::bad_record,
                  fmt::format("pipeline {}: {} in {}", graph_.pipeline_, reason, value));
    }
    ++lane_.counts.rejected;
    if (graph_.dead_letters_) {
      std::int64_t time_ms = chunk.context->event_times_ms[row];
      graph_.dead_letters_->write_rejected(value, time_ms, reason, out_);
    }
    return {};
  }

 private:
  Graph& graph_;
  Lane& lane_;
  std::size_t next_;
  OutputBatches& out_;
};

Graph::Graph(const Plan& plan, const GraphTopics& topics, std::size_t lanes)
    : bad_records_(plan.source.bad_records),
      pipeline_(plan.name),
      late_(provenance(plan, topics.late)),
      dead_letters_(provenance(plan, topics.dead_letters)) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    Schema input = *schema_after(plan, i);
    operators_.push_back(
        std::visit([&](const auto& step) { return make_operator(step, input); }, plan.steps[i]));
    if (!merging_ && operators_.back()->can_merge()) merging_ = i;
  }
  for (std::size_t i = 0; i < lanes; ++i) {
    Lane& lane = lanes_.emplace_back(Lane{{}, make_sink(plan, topics.sink), {}, {}, {}, {}});
    for (const auto& step : operators_) lane.states.push_back(step->make_state());
    if (!merging_) continue;
    lane.complete = operators_[*merging_]->make_state();
    Schema rows = *schema_after(plan, *merging_ + 1);
    lane.window_rows.emplace(std::move(rows), std::vector<std::size_t>(), topics.sink);
  }
}

Graph::~Graph() = default;

Result<void> Graph::process(std::size_t lane, const column::Chunk& chunk, OutputBatches& out) {
  return Stage(*this, lanes_[lane], 0, out).push(chunk);
}

// Moves what is complete at `watermark` from all other lanes to `whole`.
void Graph::merge_lanes(OperatorState& whole, Watermark watermark) {
  for (Lane& lane : lanes_) {
    OperatorState& part = *lane.states[*merging_];
    if (&part != &whole) operators_[*merging_]->merge(whole, part, watermark);
  }
}

Result<void> Graph::advance(Watermark watermark, OutputBatches& out) {
  Lane& lane = lanes_[0];
  if (merging_) merge_lanes(*lane.states[*merging_], watermark);
  for (std::size_t i = 0; i < operators_.size(); ++i) {
    Stage behind(*this, lane, i + 1, out);
    if (auto ok = operators_[i]->advance(*lane.states[i], watermark, behind); !ok) return ok;
  }
  return {};
}

Result<void> Graph::advance_shared(Watermark before, Watermark watermark, Workers& workers,
                                   OutputBatches& out) {
  auto parts = static_cast<std::int64_t>(workers.size());
  std::vector<Watermark> ends;
  for (std::int64_t i = 1; i < parts; ++i)
    ends.push_back(before + (watermark - before) / parts * i);
  ends.push_back(watermark);
  for (std::size_t i = 0; i < ends.size(); ++i) merge_lanes(*lanes_[i].complete, ends[i]);
  std::vector<Result<void>> results(ends.size());
  workers.run([&](std::size_t i) { results[i] = advance_part(lanes_[i], ends[i]); });
  Result<void> result;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    auto batches = lanes_[i].out.take();
    // What is behind an error was not to be written.
    if (result) out.add(std::move(batches));
    if (result) result = results[i];
  }
  return result;
}

// Only the operator that puts lanes together keeps anything, and those before it have nothing left.
Result<void> Graph::advance_part(Lane& lane, Watermark watermark) {
  Stage behind(*this, lane, *merging_ + 1, lane.out);
  return operators_[*merging_]->advance(*lane.complete, watermark, behind);
}

GraphCounts Graph::counts() const {
  GraphCounts counts;
  for (const Lane& lane : lanes_) {
    counts.rows_out += lane.counts.rows_out;
    counts.late += lane.counts.late;
    counts.rejected += lane.counts.rejected;
  }
  return counts;
}

void Graph::snapshot(StateWriter& writer) {
  if (merging_) merge_lanes(*lanes_[0].states[*merging_], watermark_max);
  const auto& states = lanes_[0].states;
  writer.section("graph", 1);
  writer.write(static_cast<std::uint32_t>(states.size()));
  for (const auto& state : states) state->snapshot(writer);
}

Result<void> Graph::restore(StateReader& reader) {
  const auto& states = lanes_[0].states;
  if (auto ok = reader.section("graph", 1); !ok) return ok;
  if (reader.read<std::uint32_t>() != states.size()) {
    return fail(Errc::snapshot_mismatch, "the snapshot is of a plan with other steps");
  }
  for (const auto& state : states) {
    if (auto ok = state->restore(reader); !ok) return ok;
  }
  return {};
}

}  // namespace leat::stream
