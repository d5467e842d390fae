#include "expression/rewrite.h"

#include <string_view>
#include <utility>

namespace leat::expression {

using plan::BoundExpression;
using Kind = plan::Expression::Kind;

namespace {

bool is_call(const BoundExpression& expression, std::string_view function) {
  return expression.kind == Kind::call && expression.function == function;
}

bool has_no_errors(const BoundExpression& expression) {
  return expression.kind == Kind::literal || expression.kind == Kind::column;
}

// What is compared with lower(text) need not be written first.
BoundExpression without_lower(const BoundExpression& equality) {
  BoundExpression changed = equality;
  auto &left = changed.arguments[0], &right = changed.arguments[1];
  // Of two errors in a row the left one counts.
  if (has_no_errors(left) && is_call(right, "lower")) std::swap(left, right);
  if (!is_call(left, "lower")) return equality;
  changed.function = "lower " + changed.function;
  left = BoundExpression(left.arguments[0]);
  return changed;
}

}  // namespace

BoundExpression rewritten(const BoundExpression& expression) {
  if (is_call(expression, "=") || is_call(expression, "<>")) return without_lower(expression);
  if (is_call(expression, "length") && is_call(expression.arguments[0], "replace")) {
    BoundExpression changed = expression;
    changed.function = "length replace";
    changed.arguments = expression.arguments[0].arguments;
    return changed;
  }
  return expression;
}

}  // namespace leat::expression
