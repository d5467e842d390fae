// A bound expression, part by part.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "column/chunk.h"
#include "expression/operand.h"
#include "plan/bound_plan.h"

namespace leat::expression {

/// What all parts of an expression see while it is evaluated.
struct Frame {
  const column::Chunk& chunk;
  std::int64_t now_ms;
  RowErrors& errors;
};

class Node {
 public:
  explicit Node(const column::Type& type) : type_(type) {}
  virtual ~Node() = default;

  const column::Type& type() const { return type_; }
  /// Sets the cells of `rows`, none of which has an error yet, or adds their errors.
  virtual Operand evaluate(const Frame& frame, const Rows& rows) const = 0;
  /// Of a boolean: writes those of `rows` for which it is true to `out`, which has room for all of
  /// them and may be where they are listed, or adds their errors. Says how many it wrote.
  virtual std::size_t select(const Frame& frame, const Rows& rows, std::uint32_t* out) const;
  /// Whether it is the same for all chunks, and without error.
  virtual bool is_literal() const { return false; }
  /// Whether it has no errors and costs next to nothing: cheaper to evaluate than to ask who needs
  /// it.
  virtual bool is_plain() const { return false; }
  /// The same, but for errors: it may have some, mostly has none.
  virtual bool is_light() const { return is_plain(); }

 private:
  column::Type type_;
};

std::unique_ptr<Node> make_node(const plan::BoundExpression& expression);

/// Of `and`, `or`, `case` and `coalesce`, which do not need all their arguments for each row;
/// nothing for other functions.
std::unique_ptr<Node> make_lazy_node(const plan::BoundExpression& call);

}  // namespace leat::expression
