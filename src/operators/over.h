// Each row, with aggregates over the rows of its key around it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "operators/operator.h"
#include "operators/over_parts.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// plan::Over that gives a row when event time has passed it, in the order of time. Rows behind
/// their watermark are late.
///
/// Keeps the rows that event time has not passed, and those of each key's last frame: of frames of
/// time, for as long as a row can come that they count for, then nothing of the key; of frames of
/// rows, so many of every key there ever was; of unbounded ones no rows, but what the aggregates
/// keep for each key.
class Over : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Over that emits by watermark.
  explicit Over(const plan::BoundNode& node) : parts_(node) {}

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t) const override { return parts_.keys; }
  bool needs_all() const override { return parts_.keys.empty(); }

 private:
  class State;

  OverParts parts_;
};

/// The operator of a plan::Over, whenever it gives rows.
std::unique_ptr<Operator> make_over(const plan::BoundNode& node);

}  // namespace leat::operators
