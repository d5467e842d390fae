// A function of the program at work, alone: rows go in, event time moves, rows come out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "flow/cells.h"
#include "flow/graph.h"
#include "leat/stream.h"
#include "operators/process.h"
#include "plan/bound_plan.h"

namespace leat::flow {

/// A row, when it happened, where it is from and what watermark it carries.
template <class In>
struct Given {
  In row;
  Timestamp time;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  operators::Watermark watermark = operators::watermark_min;
};

/// One function between a source and a sink: node 1 of the pipeline.
template <class In, class Out>
class ProcessTrial final : private operators::Context {
 public:
  explicit ProcessTrial(const Pipeline& pipeline)
      : plan_(detail::GraphAccess::graph_of(pipeline).finish()) {
    auto bound = plan::bind(plan_);
    REQUIRE(bound.has_value());
    bound_ = std::move(*bound);
    operator_ = std::make_unique<operators::Process>(bound_, 1);
    state_ = operator_->make_state();
  }

  void give(const std::vector<Given<In>>& rows) {
    auto result = operator_->process(*state_, 0, chunk_of(rows), *this);
    REQUIRE_MESSAGE(result.has_value(), result.error().what);
  }
  void advance(operators::Watermark watermark) {
    auto result = operator_->advance(*state_, watermark, *this);
    REQUIRE_MESSAGE(result.has_value(), result.error().what);
  }
  /// Writes the state and goes on with one that read it.
  void restart() {
    StateWriter writer;
    state_->snapshot(writer);
    leat::Bytes bytes = writer.finish();
    auto reader = StateReader::open(bytes);
    REQUIRE(reader.has_value());
    state_ = operator_->make_state();
    auto restored = state_->restore(*reader);
    REQUIRE_MESSAGE(restored.has_value(), restored.error().what);
    REQUIRE(reader->finish().has_value());
  }
  std::size_t bytes() const { return state_->bytes(); }

  /// What came out, with its event time.
  std::vector<std::pair<std::int64_t, Out>> take() { return std::exchange(given_, {}); }
  /// Whether it is to come in the order of time.
  bool in_order = true;
  std::vector<std::string> rejected;
  std::size_t late = 0;

 private:
  static column::Chunk chunk_of(const std::vector<Given<In>>& rows) {
    std::vector<column::Vector> columns;
    for (const Column& column : columns_of<In>()) {
      columns.emplace_back(detail::plan_type(column.type));
    }
    auto texts = std::make_shared<column::TextArena>();
    detail::RowCells cells(columns, *texts);
    auto context = std::make_shared<column::RowContext>();
    for (const Given<In>& row : rows) {
      detail::RowAppender append(cells.columns());
      In::columns(row.row, append);
      context->event_times_ms.push_back(row.time.time_since_epoch().count());
      context->places.push_back(row.offset);
      context->runs.push_back(
          {static_cast<std::uint32_t>(context->places.size()), row.partition, row.watermark, 0});
    }
    context->buffers.push_back({texts});
    column::Chunk chunk;
    for (auto& column : columns) {
      chunk.columns.push_back(std::make_shared<const column::Vector>(std::move(column)));
    }
    chunk.rows = rows.size();
    chunk.selection = column::Selection::all(rows.size());
    chunk.context = context;
    return chunk;
  }

  Result<void> push(const column::Chunk& chunk) override {
    CHECK(chunk.rows <= column::chunk_rows);
    std::vector<detail::ReadCells> read;
    std::vector<detail::Cells> cells;
    for (const auto& column : chunk.columns) read.push_back(detail::cells_of(*column));
    for (const auto& column : read) cells.push_back(column.cells);
    column::RunCursor runs(*chunk.context);
    for (std::uint32_t row = 0; row < chunk.rows; ++row) {
      Out out;
      detail::RowReader reader(cells.data(), row);
      Out::columns(out, reader);
      std::int64_t time = chunk.context->event_times_ms[row];
      auto position = chunk.context->position(row, runs.run_of(row));
      auto place = std::tuple(time, position.origin, position.place, std::string(position.rest));
      if (in_order) CHECK(place > last_);
      last_ = place;
      given_.emplace_back(time, std::move(out));
    }
    return {};
  }
  Result<void> push_late(const column::Chunk&, std::span<const std::uint32_t> rows) override {
    late += rows.size();
    return {};
  }
  Result<void> reject(const column::Schema& schema, const column::Chunk& chunk, std::uint32_t row,
                      const std::string& reason) override {
    CHECK(schema.size() == columns_of<In>().size());
    rejected.push_back(std::string(chunk.columns[0]->text(row)) + ": " + reason);
    return {};
  }
  std::int64_t now_ms() const override { return 0; }

  plan::Plan plan_;
  plan::BoundPlan bound_;
  std::unique_ptr<operators::Process> operator_;
  std::unique_ptr<operators::OperatorState> state_;
  std::vector<std::pair<std::int64_t, Out>> given_;
  std::tuple<std::int64_t, std::uint64_t, std::int64_t, std::string> last_{operators::watermark_min,
                                                                           0, 0, ""};
};

}  // namespace leat::flow
