// Gives the parts of one expression their types; part of bind().
#pragma once

#include <string>

#include "plan/bound_plan.h"

namespace leat::plan {

/// Binds one expression over the columns of `schema`, which must outlive it.
class ExpressionBinder {
 public:
  explicit ExpressionBinder(const Schema& schema) : schema_(schema) {}

  /// Errc::plan_error with what is wrong.
  Result<BoundExpression> bind(const Expression& expression);
  /// Where in the expression that is: ".arguments[1].cast"; empty if it is the whole.
  const std::string& place() const { return place_; }

 private:
  Result<BoundExpression> bind_call(const Expression& expression);
  Result<BoundExpression> bind_part(const Expression& part, const std::string& step);

  const Schema& schema_;
  std::string place_;
};

}  // namespace leat::plan
