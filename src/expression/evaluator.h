// Expressions over whole chunks.
#pragma once

#include <cstdint>
#include <memory>

#include "column/chunk.h"
#include "expression/row_errors.h"
#include "plan/bound_plan.h"

namespace leat::expression {

class Node;

/// A bound expression as kernels over columns. Immutable; needs nothing of the plan it came from.
///
/// Follows SQL's rules as PostgreSQL has them: NULL in gives NULL out but where the function says
/// otherwise, truth has three values, and of `and`, `or`, `case` and `coalesce` the arguments are
/// evaluated from left to right for those rows alone that still need them, so that an error in what
/// a row does not need is none.
class Evaluator {
 public:
  explicit Evaluator(const plan::BoundExpression& expression);
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  const column::Type& type() const;
  /// A vector with as many cells as the chunk has rows, of which those of `rows` are set, and of
  /// these not the ones that went to `errors`. Rows that are in `errors` already are left out. All
  /// that texts point to lives as long as the vector and what keeps the chunk's texts alive. A
  /// column is the chunk's own. `now_ms` is what now() gives.
  std::shared_ptr<const column::Vector> evaluate(const column::Chunk& chunk,
                                                 const column::Selection& rows, std::int64_t now_ms,
                                                 RowErrors& errors) const;
  /// Of a boolean, those of `rows` for which it is true: neither false nor NULL, nor an error.
  column::Selection select(const column::Chunk& chunk, const column::Selection& rows,
                           std::int64_t now_ms, RowErrors& errors) const;

 private:
  std::unique_ptr<Node> root_;
};

}  // namespace leat::expression
