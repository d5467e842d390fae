// Rows with what a table has for them.
#pragma once

#include <memory>
#include <vector>

#include "operators/join_output.h"
#include "operators/operator.h"

namespace leat::operators {

/// plan::Join of kind table. A left row is looked up when it comes, and goes on as it was: late or
/// not. The right side's row of a key is the last one by its position, until one takes it back;
/// who wants all of the table to be there gives it first.
///
/// Keeps a row for each key that the right side has.
class TableJoin : public Operator {
 public:
  /// REQUIRES: the plan's node of this number is such a join.
  TableJoin(const plan::BoundPlan& plan, std::size_t node);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t input) const override;

 private:
  class State;

  JoinColumns columns_;
};

}  // namespace leat::operators
