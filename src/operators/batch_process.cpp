#include "operators/batch_process.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "operators/chunk_maker.h"
#include "operators/process_output.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"

namespace leat::operators {

//   state := section "batch_process" kept:text sorted bytes:text       sorted: see sorted_rows.h
//                                                  kept: describes what the function keeps
class BatchProcess::State : public OperatorState, private BatchActions {
 public:
  explicit State(const BatchProcess& node)
      : node_(node),
        rows_(types_of(node.input_)),
        kept_(node.function_->make_kept()),
        caller_(node.function_->make_caller()),
        out_(node.schema_, node.node_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("batch_process", 2);
    writer.write_text(node_.function_->describe_kept());
    rows_.snapshot(writer);
    std::string bytes;
    kept_->write(bytes);
    writer.write_text(bytes);
  }
  Result<void> restore(StateReader& reader) override {
    if (auto ok = reader.section("batch_process", 2); !ok) return ok;
    if (std::string_view kept = reader.read_text(); kept != node_.function_->describe_kept()) {
      return fail(Errc::snapshot_mismatch, "the snapshot is of a function that keeps " +
                                               std::string(kept) + ", not " +
                                               node_.function_->describe_kept());
    }
    rows_.restore(reader);
    if (!kept_->read(reader.read_text())) {
      return fail(Errc::corrupt_message, "what a function keeps cannot be read");
    }
    return {};
  }
  std::size_t bytes() const override { return rows_.bytes() + kept_->bytes(); }

  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    rows_.add(chunk, rows);
  }
  Result<void> advance(Watermark watermark, Context& context) {
    std::vector<RowId> ids = rows_.take(watermark);
    std::span<const RowId> left = ids;
    while (!left.empty()) {
      auto some = left.first(std::min(left.size(), column::chunk_rows));
      left = left.subspan(some.size());
      if (auto ok = call(some, context); !ok) return ok;
    }
    for (RowId id : ids) rows_.store().release(id);
    return out_.push(context);
  }

 private:
  // The rows' columns of those numbers; all if there are none.
  column::Chunk chunk_of(std::span<const StoredRow> rows, std::span<const std::size_t> columns) {
    ChunkMaker maker;
    for (const StoredRow& row : rows) maker.add(row);
    for (std::size_t column : columns) maker.add_column(node_.input_[column].type, rows, column);
    return maker.finish();
  }

  Result<void> call(std::span<const RowId> ids, Context& context) {
    batch_.clear();
    rejected_.clear();
    row_.reset();
    for (RowId id : ids) batch_.push_back(rows_.store().row(id));
    try {
      caller_->on_batch(chunk_of(batch_, node_.reads_), *kept_, *this);
    } catch (const std::exception& error) {
      return fail(Errc::bad_record, std::string("a function of batches threw: ") + error.what());
    } catch (...) {
      return fail(Errc::bad_record, "a function of batches threw something");
    }
    out_.end_call();
    std::vector<std::size_t> all(node_.input_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    for (const auto& [row, reason] : rejected_) {
      auto ok = context.reject(node_.input_, chunk_of(std::span(&batch_[row], 1), all), 0, reason);
      if (!ok) return ok;
    }
    return out_.push_full(context);
  }

  ProcessRows& begin_row(std::size_t of) override {
    if (of >= batch_.size() || (row_ && of < *row_)) {
      throw std::out_of_range("a row was given for row " + std::to_string(of) +
                              ", which is not there or before the last one");
    }
    if (row_ != of) {
      row_ = of;
      out_.begin_call(batch_[of].time_ms(), batch_[of].position(), watermark_min);
    }
    return out_.begin_row();
  }
  void reject(std::size_t row, std::string_view reason) override {
    if (row >= batch_.size()) throw std::out_of_range("a row that is not there was rejected");
    rejected_.emplace_back(row, std::string(reason));
  }

  const BatchProcess& node_;
  SortedRows rows_;
  std::unique_ptr<ProcessFunction::Kept> kept_;
  std::unique_ptr<BatchFunction::Caller> caller_;
  ProcessOutput out_;
  // The call under way.
  std::vector<StoredRow> batch_;
  std::optional<std::size_t> row_;  // of the last row that was given
  std::vector<std::pair<std::size_t, std::string>> rejected_;
};

BatchProcess::BatchProcess(const plan::BoundPlan& plan, std::size_t number)
    : schema_(plan.nodes[number].schema),
      keys_(plan.nodes[number].keys),
      reads_(plan.nodes[number].columns),
      node_(static_cast<std::int32_t>(number)) {
  const plan::BoundNode& node = plan.nodes[number];
  input_ = plan.nodes[node.inputs[0]].schema;
  const auto& process = std::get<plan::Process>(node.node->body);
  function_ = std::dynamic_pointer_cast<const BatchFunction>(process.code);
}

std::unique_ptr<OperatorState> BatchProcess::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> BatchProcess::process(OperatorState& state, std::size_t, const column::Chunk& chunk,
                                   Context& context) const {
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  static_cast<State&>(state).add(chunk, *rows);
  return {};
}

Result<void> BatchProcess::advance(OperatorState& state, Watermark watermark,
                                   Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

}  // namespace leat::operators
