// Keeps some rows.
#pragma once

#include <utility>

#include "stream/expression.h"
#include "stream/operator.h"

namespace leat::stream {

/// Narrows the selection; no row is copied.
class Filter final : public Operator {
 public:
  /// REQUIRES: a boolean condition.
  explicit Filter(BoundExpression condition) : condition_(std::move(condition)) {}
  Result<void> process(OperatorState& state, const column::Chunk& chunk,
                       Output& output) const override;

 private:
  BoundExpression condition_;
};

}  // namespace leat::stream
