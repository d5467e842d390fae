// Expressions that give the same in less time.
#pragma once

#include "plan/bound_plan.h"

namespace leat::expression {

/// `expression`, or what is to be evaluated in its place; its arguments are looked at by
/// themselves. `lower(text) = 'word'` needs no text in lower case: it becomes `"lower ="(text,
/// 'word')`. `length(replace(a, b, c))` needs no text either: `"length replace"(a, b, c)`, and
/// `a % 100 < 5` no remainders: `"% <"(a, 100, 5)`. `not is_null(a)` is one test: `"not
/// is_null"(a)`.
plan::BoundExpression rewritten(const plan::BoundExpression& expression);

}  // namespace leat::expression
