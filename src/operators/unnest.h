// A row for each item of an array.
#pragma once

#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// plan::Unnest.
class Unnest : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Unnest.
  explicit Unnest(const plan::BoundNode& node);

  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;

 private:
  class Output;

  column::Schema schema_;
  std::size_t array_;
  bool counted_;
};

}  // namespace leat::operators
