// Aggregates by key over tumbling, hopping and cumulating windows.
#pragma once

#include <memory>
#include <vector>

#include "operators/aggregate_inputs.h"
#include "operators/operator.h"
#include "operators/window_rows.h"
#include "operators/window_slices.h"
#include "operators/window_state.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// A plan::Window that is no session. A row is added up once, in the slice of time that it is in
/// (window_slices.h); a window that closes is the sum of its slices. A row counts in those windows
/// that end behind the watermark that it carries, so a slice keeps rows that missed its first
/// windows apart. What no open window needs is freed.
///
/// With a lateness, or where results are given before windows close, new rows that count in several
/// windows are added up between two tellings and then added to each of them; a single window adds
/// them up itself. It is kept with what was given of it until it can no longer change.
class FixedWindow final : public Operator {
 public:
  /// `node` has the number `number` in its plan, which must outlive this, and gets rows of `input`.
  FixedWindow(const plan::BoundNode& node, const column::Schema& input, std::int32_t number);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  Result<void> update(OperatorState& state, Context& context) const override;
  void note_told(OperatorState& state, std::int64_t now_ms) const override {
    static_cast<WindowState&>(state).changes.told_ms = now_ms;
  }
  std::vector<std::size_t> gathers_by(std::size_t) const override;
  bool needs_all() const override { return changes_ && keys_.empty(); }
  bool can_merge() const override { return !changes_; }
  bool merges_by_time() const override { return !changes_ && node_.slices.single(); }
  void merge(OperatorState& whole, OperatorState& part, Watermark watermark) const override;

 private:
  bool sort_together(WindowState& state, const column::Chunk& chunk) const;
  Partial& whole_of(WindowState& state, const SliceSpan& span) const;
  void sort_rows(WindowState& state, const column::Chunk& chunk) const;
  Result<void> add_rows(WindowState& state, const column::Chunk& chunk, Context& context) const;
  Result<void> close(WindowState& state, std::int64_t end_ms, Context& context) const;
  SliceStack::Tables sum_of(WindowState& state, const Span& window) const;
  Result<void> give(WindowState& state, const Span& window,
                    const std::shared_ptr<const WindowTable>& table, Context& context) const;
  Result<void> tell_changes(std::int64_t end_ms, GivenWindow& window, Context& context) const;
  Result<void> tell_changes(const Span& span, GivenWindow& window,
                            std::span<const std::uint32_t> keys, Context& context) const;
  Result<void> end_window(std::int64_t end_ms, GivenWindow& window, Context& context) const;

  std::vector<std::size_t> keys_;  // columns of the input
  std::int64_t lateness_ms_;
  plan::Window::Emit emit_;
  std::int64_t every_ms_;
  bool closes_;   // whether results of rows on time are given when windows close
  bool changes_;  // whether changes are told
  AggregateInputs inputs_;
  WindowRows rows_;
  WindowState::Node node_;
};

}  // namespace leat::operators
