// Replaces the columns.
#pragma once

#include <utility>
#include <vector>

#include "stream/expression.h"
#include "stream/operator.h"

namespace leat::stream {

/// Columns that are only moved or renamed are shared, not copied.
class Project final : public Operator {
 public:
  explicit Project(std::vector<BoundExpression> columns) : columns_(std::move(columns)) {}
  Result<void> process(OperatorState& state, const column::Chunk& chunk,
                       Output& output) const override;

 private:
  std::vector<BoundExpression> columns_;
};

}  // namespace leat::stream
