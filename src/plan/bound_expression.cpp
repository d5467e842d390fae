#include "plan/expression_binder.h"

#include <fmt/format.h>

#include "plan/literal_words.h"

namespace leat::plan {

namespace {

BoundExpression cast_of(BoundExpression operand, const Type& to) {
  if (operand.type == to) return operand;
  BoundExpression bound;
  bound.kind = Expression::Kind::cast;
  bound.type = to;
  bound.arguments.push_back(std::move(operand));
  return bound;
}

// Units have several names, of which those who compute know one.
void name_unit(BoundExpression& call) {
  if (call.arguments.empty()) return;
  auto* text = std::get_if<std::string>(&call.arguments[0].literal);
  if (text == nullptr) return;
  for (const auto& row : functions()) {
    if (row.name != call.function) continue;
    auto unit = unit_named(row.arguments.substr(0, row.arguments.find(' ')), *text);
    if (!unit) continue;
    *text = *unit;
    return;
  }
}

}  // namespace

Result<std::size_t> find_column(const Schema& schema, const std::string& name) {
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (schema[i].name == name) return i;
  }
  return fail(Errc::plan_error,
              fmt::format("column '{}' is not there; there are: {}", name, column_names(schema)));
}

Result<BoundExpression> ExpressionBinder::bind(const Expression& expression) {
  BoundExpression bound;
  bound.kind = expression.kind;
  switch (expression.kind) {
    case Expression::Kind::column: {
      auto found = find_column(schema_, expression.name);
      if (!found) return fail(found);
      bound.column = *found;
      bound.type = schema_[*found].type;
      return bound;
    }
    case Expression::Kind::literal:
      bound.type = expression.type;
      bound.literal = expression.literal;
      // A plan that was printed and read must be the same.
      if (const auto* digits = std::get_if<Decimal>(&expression.literal)) {
        bound.type = decimal_type_of(*digits);
      }
      return bound;
    case Expression::Kind::call: return bind_call(expression);
    case Expression::Kind::cast: {
      auto operand = bind_part(expression.arguments.at(0), ".cast");
      if (!operand) return operand;
      if (!can_cast(operand->type, expression.type)) {
        return fail(Errc::plan_error, fmt::format("{} cannot be cast to {}", name(operand->type),
                                                  name(expression.type)));
      }
      return cast_of(std::move(*operand), expression.type);
    }
  }
  return bound;
}

// On the way out of what does not fit each part adds its step in front.
Result<BoundExpression> ExpressionBinder::bind_part(const Expression& part,
                                                    const std::string& step) {
  auto bound = bind(part);
  if (!bound) place_ = step + place_;
  return bound;
}

Result<BoundExpression> ExpressionBinder::bind_call(const Expression& expression) {
  BoundExpression bound;
  std::vector<Operand> operands;
  for (std::size_t i = 0; i < expression.arguments.size(); ++i) {
    auto operand = bind_part(expression.arguments[i], fmt::format(".arguments[{}]", i));
    if (!operand) return operand;
    bound.arguments.push_back(std::move(*operand));
  }
  for (const auto& argument : bound.arguments) {
    bool is_literal = argument.kind == Expression::Kind::literal;
    operands.push_back({argument.type, is_literal ? &argument.literal : nullptr});
  }
  auto resolved = resolve(functions(), expression.name, operands);
  if (!resolved) return fail(resolved);
  for (std::size_t i = 0; i < bound.arguments.size(); ++i) {
    bound.arguments[i] = cast_of(std::move(bound.arguments[i]), resolved->arguments[i]);
  }
  bound.kind = Expression::Kind::call;
  bound.function = expression.name;
  bound.type = resolved->result;
  name_unit(bound);
  return bound;
}

Result<BoundExpression> bind_expression(const Expression& expression, const Schema& schema) {
  ExpressionBinder binder(schema);
  auto bound = binder.bind(expression);
  if (bound || binder.place().empty()) return bound;
  return fail(bound.error().code, binder.place().substr(1) + ": " + bound.error().what);
}

}  // namespace leat::plan
