// Rows with what another input had for them at their time.
#pragma once

#include <memory>
#include <vector>

#include "operators/join_output.h"
#include "operators/operator.h"

namespace leat::operators {

/// plan::Join of kind as_of. Takes rows of both sides in the order of time, when event time has
/// passed them: a left row gets the last right one of its key that is not behind it, unless that
/// takes back the row. Rows behind their watermark are late.
///
/// Keeps the rows that event time has not passed, and a row for each key that the right side has.
class AsOfJoin : public Operator {
 public:
  /// REQUIRES: the plan's node of this number is such a join.
  AsOfJoin(const plan::BoundPlan& plan, std::size_t node);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t input) const override;

 private:
  class State;

  JoinColumns columns_;
};

}  // namespace leat::operators
