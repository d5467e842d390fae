#include "expression/rewrite.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

#include "expression/small_divisor.h"

namespace leat::expression {

using plan::BoundExpression;
using Kind = plan::Expression::Kind;

namespace {

bool is_call(const BoundExpression& expression, std::string_view function) {
  return expression.kind == Kind::call && expression.function == function;
}

bool is_comparison(const BoundExpression& expression) {
  constexpr std::string_view all[] = {"=", "<>", "<", "<=", ">", ">="};
  return expression.kind == Kind::call &&
         std::find(std::begin(all), std::end(all), expression.function) != std::end(all);
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

bool is_whole_literal(const BoundExpression& expression) {
  return expression.kind == Kind::literal &&
         std::holds_alternative<std::int64_t>(expression.literal);
}

// A remainder by a literal that is compared with one need not be written first.
BoundExpression without_remainder(const BoundExpression& comparison) {
  const auto &left = comparison.arguments[0], &right = comparison.arguments[1];
  bool fits = is_call(left, "%") && is_whole_literal(left.arguments[1]) && is_whole_literal(right);
  if (!fits || !SmallDivisor::of(std::get<std::int64_t>(left.arguments[1].literal)))
    return comparison;
  BoundExpression changed = comparison;
  changed.function = "% " + comparison.function;
  changed.arguments = {left.arguments[0], left.arguments[1], right};
  return changed;
}

}  // namespace

BoundExpression rewritten(const BoundExpression& expression) {
  if (is_comparison(expression) && is_call(expression.arguments[0], "%"))
    return without_remainder(expression);
  if (is_call(expression, "=") || is_call(expression, "<>")) return without_lower(expression);
  if (is_call(expression, "not") && is_call(expression.arguments[0], "is_null")) {
    BoundExpression changed = expression.arguments[0];
    changed.function = "not is_null";
    return changed;
  }
  if (is_call(expression, "length") && is_call(expression.arguments[0], "replace")) {
    BoundExpression changed = expression;
    changed.function = "length replace";
    changed.arguments = expression.arguments[0].arguments;
    return changed;
  }
  return expression;
}

}  // namespace leat::expression
