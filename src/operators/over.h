// Each row, with aggregates over the rows of its key around it.
#pragma once

#include <memory>
#include <vector>

#include "operators/over_operator.h"

namespace leat::operators {

/// plan::Over that gives a row when event time has passed it, in the order of time.
///
/// Keeps the rows that event time has not passed, and those of each key's last frame: of frames of
/// time, for as long as a row can come that they count for, then nothing of the key; of frames of
/// rows, so many of every key there ever was; of unbounded ones no rows, but what the aggregates
/// keep for each key.
class Over : public OverOperator {
 public:
  /// REQUIRES: `node` is a plan::Over that emits by watermark.
  explicit Over(const plan::BoundNode& node) : OverOperator(node) {}

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;

 private:
  class State;

  Result<void> take(OperatorState& state, const column::Chunk& chunk,
                    std::vector<std::uint32_t> rows, Context& context) const override;
};

/// The operator of a plan::Over, whenever it gives rows.
std::unique_ptr<Operator> make_over(const plan::BoundNode& node);

}  // namespace leat::operators
