// What all operators of plan::Over are.
#pragma once

#include <cstdint>
#include <vector>

#include "operators/operator.h"
#include "operators/over_parts.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// A plan::Over, whenever it gives its rows: those of a key come together, and rows behind their
/// watermark are late, and count for nobody.
class OverOperator : public Operator {
 public:
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t) const override { return parts_.keys; }
  bool needs_all() const override { return parts_.keys.empty(); }

 protected:
  /// REQUIRES: `node` is a plan::Over.
  explicit OverOperator(const plan::BoundNode& node) : parts_(node) {}
  /// Rows that are not late, with what aggregates look at behind their columns.
  virtual Result<void> take(OperatorState& state, const column::Chunk& chunk,
                            std::vector<std::uint32_t> rows, Context& context) const = 0;

  OverParts parts_;
};

}  // namespace leat::operators
