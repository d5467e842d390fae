#include "operators/process.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <variant>

#include "operators/chunk_maker.h"
#include "operators/process_keys.h"
#include "operators/process_output.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"

namespace leat::operators {

//   state := section "process" kept:text sorted keys          sorted: see sorted_rows.h
//                                                             kept: describes what keys have
class Process::State : public OperatorState, private ProcessActions {
 public:
  explicit State(const Process& process)
      : process_(process),
        rows_(types_of(process.input_)),
        key_(process.keys_),
        keys_(*process.function_),
        caller_(process.function_->make_caller()),
        out_(process.schema_, process.node_),
        columns_(process.reads_.size()) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("process", 2);
    writer.write_text(process_.function_->describe_kept());
    rows_.snapshot(writer);
    keys_.snapshot(writer);
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("process", 2); !section) return fail(section);
    std::string kept(reader.read_text()), known = process_.function_->describe_kept();
    if (reader.ok() && kept != known) {
      return fail(Errc::snapshot_mismatch,
                  "the function kept " + kept + ", and keeps " + known + " now");
    }
    rows_.restore(reader);
    return keys_.restore(reader);
  }

  std::size_t bytes() const override { return rows_.bytes() + keys_.bytes(); }

  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    rows_.add(chunk, rows);
  }

  Result<void> process_now(const column::Chunk& chunk, std::span<const std::uint32_t> rows,
                           Context& context) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      columns_[i] = chunk.columns[process_.reads_[i]].get();
    }
    caller_->set_columns(columns_);
    RunCursor runs(*chunk.context);
    for (std::uint32_t row : rows) {
      const column::RowRun& run = runs.run_of(row);
      key_number_ = keys_.find_or_add(key_.write(ChunkRow{&chunk, row}));
      time_ms_ = chunk.context->event_times_ms[row];
      out_.begin_call(time_ms_, chunk.context->position(row, run), run.watermark_ms);
      std::string reason = call_row(row);
      if (!reason.empty()) {
        auto rejected = context.reject(process_.input_, chunk, row, reason);
        if (!rejected) return rejected;
      }
      if (auto pushed = out_.push_full(context); !pushed) return pushed;
    }
    return out_.push(context);
  }

  Result<void> advance(Watermark watermark, Context& context) {
    const RowBlock* block = nullptr;
    for (RowId id : rows_.take(watermark)) {
      StoredRow row = rows_.store().row(id);
      if (auto fired = fire_timers(row.time_ms(), context); !fired) return fired;
      if (block != row.block) set_columns(*(block = row.block));
      key_number_ = keys_.find_or_add(key_.write(row));
      time_ms_ = row.time_ms();
      out_.begin_call(time_ms_, row.position(), watermark_min);
      std::string reason = call_row(row.row);
      if (!reason.empty()) {
        auto rejected = context.reject(process_.input_, chunk_of(row), 0, reason);
        if (!rejected) return rejected;
      }
      done_.push_back(id);
      if (auto pushed = out_.push_full(context); !pushed) return pushed;
    }
    for (RowId id : done_) rows_.store().release(id);
    done_.clear();
    // One that always sets the next one would have no end.
    bool is_end = watermark == watermark_max;
    std::int64_t before_ms = is_end ? keys_.last_timer_ms() + 1 : watermark;
    if (auto fired = fire_timers(before_ms, context); !fired) return fired;
    return out_.push(context);
  }

 private:
  using RunCursor = column::RunCursor;

  std::int64_t time_ms() const override { return time_ms_; }
  ProcessRows& begin_row() override { return out_.begin_row(); }
  void set_timer(std::int64_t time_ms) override {
    keys_.set_timer(key_number_, std::max(time_ms, in_timer_ ? time_ms_ + 1 : time_ms_));
  }
  void cancel_timer(std::int64_t time_ms) override { keys_.cancel_timer(key_number_, time_ms); }
  void forget() override { forget_ = true; }

  void set_columns(const RowBlock& block) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      columns_[i] = block.columns[process_.reads_[i]];
    }
    caller_->set_columns(columns_);
  }

  std::string call_row(std::size_t row) {
    return call([&] { return caller_->on_row(row, keys_.kept(key_number_), *this); });
  }

  // Why it has no result; empty if it has.
  template <class Function>
  std::string call(const Function& function) {
    std::string reason;
    forget_ = false;
    try {
      reason = function();
    } catch (const std::exception& error) {
      reason = std::string("the function threw: ") + error.what();
    } catch (...) {
      reason = "the function threw something";
    }
    out_.end_call();
    keys_.end_call(key_number_, forget_);
    return reason;
  }

  // The timers before that time, in the order of time and keys.
  Result<void> fire_timers(std::int64_t before_ms, Context& context) {
    while (auto timer = keys_.take_timer(before_ms)) {
      key_number_ = timer->key;
      time_ms_ = timer->time_ms;
      in_timer_ = true;
      out_.begin_timer(time_ms_, keys_.key(key_number_));
      std::string reason = call([&] {
        caller_->on_timer(keys_.kept(key_number_), *this);
        return std::string();
      });
      in_timer_ = false;
      // There is no row to be a bad one.
      if (!reason.empty()) return fail(Errc::bad_record, "in a timer " + reason);
      if (auto pushed = out_.push_full(context); !pushed) return pushed;
    }
    return {};
  }

  column::Chunk chunk_of(const StoredRow& row) const {
    ChunkMaker maker;
    maker.add(row);
    for (std::size_t i = 0; i < process_.input_.size(); ++i) {
      maker.add_column(process_.input_[i].type, std::span(&row, 1), i);
    }
    return maker.finish();
  }

  const Process& process_;
  SortedRows rows_;
  std::vector<RowId> done_;
  KeyWriter key_;
  ProcessKeys keys_;
  std::unique_ptr<ProcessFunction::Caller> caller_;
  ProcessOutput out_;
  std::vector<const column::Vector*> columns_;
  // The call under way.
  std::uint32_t key_number_ = 0;
  std::int64_t time_ms_ = 0;
  bool in_timer_ = false;
  bool forget_ = false;
};

Process::Process(const plan::BoundPlan& plan, std::size_t number)
    : schema_(plan.nodes[number].schema),
      keys_(plan.nodes[number].keys),
      reads_(plan.nodes[number].columns),
      node_(static_cast<std::int32_t>(number)) {
  const plan::BoundNode& node = plan.nodes[number];
  input_ = plan.nodes[node.inputs[0]].schema;
  const auto& process = std::get<plan::Process>(node.node->body);
  at_once_ = process.emit == plan::Emission::at_once;
  function_ = std::static_pointer_cast<const ProcessFunction>(process.code);
}

std::unique_ptr<OperatorState> Process::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> Process::process(OperatorState& state, std::size_t, const column::Chunk& chunk,
                              Context& context) const {
  auto& own = static_cast<State&>(state);
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  if (at_once_) return own.process_now(chunk, *rows, context);
  own.add(chunk, *rows);
  return {};
}

Result<void> Process::advance(OperatorState& state, Watermark watermark, Context& context) const {
  if (at_once_) return {};
  return static_cast<State&>(state).advance(watermark, context);
}

}  // namespace leat::operators
