// Rows of two inputs whose times are as far apart as a join says.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "operators/join_output.h"
#include "operators/operator.h"

namespace leat::operators {

/// plan::Join of kind interval. Takes rows of both sides in the order of time, when event time has
/// passed them, so that a pair is found with the later one of it. Rows behind their watermark are
/// late.
///
/// Keeps the rows that event time has not passed, and those passed that may still get a partner:
/// left ones for the upper bound of the interval, right ones for the lower bound's opposite.
class IntervalJoin : public Operator {
 public:
  /// REQUIRES: the plan's node of this number is such a join.
  IntervalJoin(const plan::BoundPlan& plan, std::size_t node);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  /// A left row comes out at its own time, but may have to wait for a partner, or for there being
  /// none.
  Watermark passes_on(Watermark watermark) const override;
  std::vector<std::size_t> gathers_by(std::size_t input) const override;

 private:
  class State;

  JoinColumns columns_;
  std::int64_t lower_ms_;
  std::int64_t upper_ms_;
};

}  // namespace leat::operators
