// Aggregates by key over windows of rows that change later.
#pragma once

#include <memory>
#include <vector>

#include "operators/operator.h"
#include "operators/revised_panes.h"
#include "operators/window_rows.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// A plan::Window that is no session, whose input takes rows back and changes them. Each change
/// counts in the windows of the row's event time, whenever it comes: none is late, but for rows of
/// a source that are united with such ones. What changes of a window is told as soon as it does, or
/// each `every_ms`. A row is known by its position (column/position.h), which its versions share.
///
/// Counts, sums, averages and exact counts of distinct values take a row back as exactly as they
/// added it. Of all other aggregates the rows of a group are counted anew when one has gone.
/// revised_panes.h says what is kept.
class RevisedWindow final : public Operator {
 public:
  /// As FixedWindow. REQUIRES: `node` tells changes.
  RevisedWindow(const plan::BoundNode& node, const column::Schema& input, std::int32_t number);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  Result<void> update(OperatorState& state, Context& context) const override;
  void note_told(OperatorState& state, std::int64_t now_ms) const override {
    static_cast<RevisedPanes&>(state).told_ms = now_ms;
  }
  std::vector<std::size_t> gathers_by(std::size_t) const override { return keys_; }
  bool needs_all() const override { return keys_.empty(); }

 private:
  std::vector<std::uint32_t> sort_rows(const column::Chunk& chunk, column::Vector& first_ends,
                                       std::vector<std::uint32_t>& late) const;
  Result<void> tell(RevisedPanes& state, Context& context) const;
  Result<void> tell_pane(const Span& window, RevisedPane& pane, Context& context) const;

  std::vector<std::size_t> keys_;  // columns of the input
  bool at_times_;                  // tells each every_ms_
  std::int64_t every_ms_;
  WindowRows rows_;
  RevisedPanes::Node node_;
};

}  // namespace leat::operators
