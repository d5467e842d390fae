// Rows for which a condition is true.
#pragma once

#include "expression/evaluator.h"
#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// plan::Filter. Of a table a version that does not pass takes back the one that did.
class Filter : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Filter.
  explicit Filter(const plan::BoundNode& node);

  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;

 private:
  Result<void> process_table(const column::Chunk& chunk, Context& context) const;

  column::Schema schema_;
  expression::Evaluator condition_;
  bool table_;
};

}  // namespace leat::operators
