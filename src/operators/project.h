// Other columns for the same rows.
#pragma once

#include <optional>
#include <vector>

#include "expression/evaluator.h"
#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// plan::Project. Of a table's row that takes back another one there are only the columns that are
/// passed on, which have its key.
class Project : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Project, `input` the schema of its input.
  Project(const plan::BoundNode& node, column::Schema input);

  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;

 private:
  struct Column {
    std::size_t passed_on = 0;  // which one of the input, if there is no evaluator
    std::optional<expression::Evaluator> evaluator;
  };

  column::Schema input_;
  std::vector<Column> columns_;
  bool table_;
};

}  // namespace leat::operators
