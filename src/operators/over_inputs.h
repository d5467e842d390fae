// What aggregates take of rows, as columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "expression/evaluator.h"
#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// Where one aggregate's are.
struct OverColumns {
  std::optional<std::size_t> argument;
  std::optional<std::size_t> order_by;
  std::optional<std::size_t> filter;
};

/// The expressions of a node's aggregates. Their values lie behind the columns of a chunk, but
/// those that are a column already. Immutable.
class OverInputs {
 public:
  OverInputs(const plan::BoundNode& node, const column::Schema& input);

  /// Of the columns that evaluate() gives.
  const std::vector<column::Type>& types() const { return types_; }
  /// One for each aggregate.
  const std::vector<OverColumns>& columns() const { return columns_; }

  /// The chunk with the values of these rows behind its columns. Rows without are rejected, and no
  /// longer among `rows`. Arguments of rows that a filter leaves out are not evaluated, and NULL.
  Result<column::Chunk> evaluate(const column::Chunk& chunk, std::vector<std::uint32_t>& rows,
                                 Context& context) const;

 private:
  struct Value {
    expression::Evaluator evaluator;
    std::optional<std::size_t> filter;  // the column that says which rows it is needed of
  };
  std::optional<std::size_t> add(const std::optional<plan::BoundExpression>& expression,
                                 std::optional<std::size_t> filter);

  column::Schema input_;
  std::vector<column::Type> types_;
  std::vector<Value> values_;  // the columns behind those of the input
  std::vector<OverColumns> columns_;
};

}  // namespace leat::operators
