#include "expression/rewrite.h"

#include <string_view>
#include <utility>

namespace leat::expression {

using plan::BoundExpression;
using Kind = plan::Expression::Kind;

namespace {

bool is_lower(const BoundExpression& expression) {
  return expression.kind == Kind::call && expression.function == "lower";
}

bool has_no_errors(const BoundExpression& expression) {
  return expression.kind == Kind::literal || expression.kind == Kind::column;
}

}  // namespace

BoundExpression rewritten(const BoundExpression& expression) {
  bool is_equality =
      expression.kind == Kind::call && (expression.function == "=" || expression.function == "<>");
  if (!is_equality) return expression;
  BoundExpression changed = expression;
  auto &left = changed.arguments[0], &right = changed.arguments[1];
  // Of two errors in a row the left one counts.
  if (has_no_errors(left) && is_lower(right)) std::swap(left, right);
  if (!is_lower(left)) return expression;
  changed.function = "lower " + changed.function;
  left = BoundExpression(left.arguments[0]);
  return changed;
}

}  // namespace leat::expression
