#include "plan/expression.h"

namespace leat::plan {

Expression col(std::string name) {
  Expression expression;
  expression.kind = Expression::Kind::column;
  expression.name = std::move(name);
  return expression;
}

Expression literal(Type type, Value value) {
  Expression expression;
  expression.type = type;
  expression.literal = std::move(value);
  return expression;
}

Expression call(std::string function, std::vector<Expression> arguments) {
  Expression expression;
  expression.kind = Expression::Kind::call;
  expression.name = std::move(function);
  expression.arguments = std::move(arguments);
  return expression;
}

Expression cast(Expression operand, Type to) {
  Expression expression;
  expression.kind = Expression::Kind::cast;
  expression.type = to;
  expression.arguments.push_back(std::move(operand));
  return expression;
}

}  // namespace leat::plan
