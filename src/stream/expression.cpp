#include "stream/expression.h"

#include <optional>

#include <fmt/format.h>

#include "base/assert.h"

namespace leat::stream {

using column::Comparison;
using column::Type;
using column::Vector;
using Kind = Expression::Kind;

namespace {

Expression operation(Kind kind, std::vector<Expression> operands) {
  Expression expression;
  expression.kind = kind;
  expression.operands = std::move(operands);
  return expression;
}

Expression comparison(Comparison how, Expression left, Expression right) {
  Expression expression = operation(Kind::compare, {std::move(left), std::move(right)});
  expression.comparison = how;
  return expression;
}

std::optional<Type> type_of(const column::Value& value) {
  if (std::holds_alternative<bool>(value)) return Type::boolean;
  if (std::holds_alternative<std::int64_t>(value)) return Type::bigint;
  if (std::holds_alternative<double>(value)) return Type::double_precision;
  if (std::holds_alternative<std::string>(value)) return Type::text;
  if (std::holds_alternative<column::Timestamp>(value)) return Type::timestamp;
  return {};
}

}  // namespace

Expression col(std::string name) {
  Expression expression = operation(Kind::column, {});
  expression.column = std::move(name);
  return expression;
}
Expression is_null(Expression operand) {
  return operation(Kind::is_null, {std::move(operand)});
}
Expression operator==(Expression left, Expression right) {
  return comparison(Comparison::equal, std::move(left), std::move(right));
}
Expression operator!=(Expression left, Expression right) {
  return comparison(Comparison::not_equal, std::move(left), std::move(right));
}
Expression operator<(Expression left, Expression right) {
  return comparison(Comparison::less, std::move(left), std::move(right));
}
Expression operator<=(Expression left, Expression right) {
  return comparison(Comparison::less_or_equal, std::move(left), std::move(right));
}
Expression operator>(Expression left, Expression right) {
  return comparison(Comparison::greater, std::move(left), std::move(right));
}
Expression operator>=(Expression left, Expression right) {
  return comparison(Comparison::greater_or_equal, std::move(left), std::move(right));
}
Expression operator&&(Expression left, Expression right) {
  return operation(Kind::logical_and, {std::move(left), std::move(right)});
}
Expression operator||(Expression left, Expression right) {
  return operation(Kind::logical_or, {std::move(left), std::move(right)});
}
Expression operator!(Expression operand) {
  return operation(Kind::logical_not, {std::move(operand)});
}

Result<std::size_t> find_column(const Schema& schema, const std::string& name) {
  std::string known;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (schema[i].name == name) return i;
    known += (i == 0 ? "" : ", ") + schema[i].name;
  }
  return fail(Errc::plan_error, fmt::format("there is no column {}, only {}", name, known));
}

Result<BoundExpression> BoundExpression::bind_compare(const Expression& expression,
                                                      const Schema& schema) {
  Expression left = expression.operands[0];
  Expression right = expression.operands[1];
  BoundExpression bound;
  bound.kind_ = Kind::compare;
  bound.comparison_ = expression.comparison;
  for (Expression* operand : {&left, &right}) {
    const Expression& other = operand == &left ? right : left;
    // A whole number stands for a double where it is compared with one.
    auto* number = std::get_if<std::int64_t>(&operand->constant);
    if (operand->kind == Kind::constant && number != nullptr) {
      auto type = bind(other, schema);
      if (type && type->type() == Type::double_precision) {
        operand->constant = static_cast<double>(*number);
      }
    }
    auto result = bind(*operand, schema);
    if (!result) return result;
    bound.operands_.push_back(std::move(*result));
  }
  Type a = bound.operands_[0].type();
  Type b = bound.operands_[1].type();
  if (a != b) {
    return fail(Errc::plan_error,
                fmt::format("a {} cannot be compared with a {} ({})", column::name(a),
                            column::name(b), column::symbol(bound.comparison_)));
  }
  return bound;
}

Result<BoundExpression> BoundExpression::bind_logical(const Expression& expression,
                                                      const Schema& schema) {
  BoundExpression bound;
  bound.kind_ = expression.kind;
  for (const Expression& operand : expression.operands) {
    auto result = bind(operand, schema);
    if (!result) return result;
    if (expression.kind != Kind::is_null && result->type() != Type::boolean) {
      return fail(Errc::plan_error, fmt::format("and, or and not take booleans, not a {}",
                                                column::name(result->type())));
    }
    bound.operands_.push_back(std::move(*result));
  }
  return bound;
}

Result<BoundExpression> BoundExpression::bind(const Expression& expression, const Schema& schema) {
  BoundExpression bound;
  bound.kind_ = expression.kind;
  switch (expression.kind) {
    case Kind::column: {
      auto found = find_column(schema, expression.column);
      if (!found) return fail(found);
      bound.column_ = *found;
      bound.type_ = schema[*found].type;
      return bound;
    }
    case Kind::constant: {
      auto type = type_of(expression.constant);
      if (!type) return fail(Errc::plan_error, "a constant NULL has no type: use is_null()");
      bound.type_ = *type;
      bound.constant_ = std::make_shared<const column::Value>(expression.constant);
      return bound;
    }
    case Kind::compare: return bind_compare(expression, schema);
    case Kind::logical_and:
    case Kind::logical_or:
    case Kind::logical_not:
    case Kind::is_null: return bind_logical(expression, schema);
  }
  ASSERT(false);
  return bound;
}

std::shared_ptr<const Vector> BoundExpression::evaluate(const column::Chunk& chunk) const {
  if (kind_ == Kind::column) return chunk.columns[column_];
  auto out = std::make_shared<Vector>(type_);
  out->resize(chunk.rows);
  std::size_t rows = chunk.rows;
  auto operand = [&](std::size_t i) { return operands_[i].evaluate(chunk); };
  switch (kind_) {
    case Kind::column: break;
    case Kind::constant: {
      column::fill(*constant_, rows, *out);
      // The constant lives as long as the vector that may point into it.
      struct Filled {
        std::shared_ptr<const column::Value> constant;
        std::shared_ptr<Vector> vector;
      };
      auto filled = std::make_shared<Filled>(Filled{constant_, out});
      return {filled, filled->vector.get()};
    }
    case Kind::compare:
      if (operands_[1].kind_ == Kind::constant) {
        column::compare(comparison_, *operand(0), *operands_[1].constant_, rows, *out);
      } else {
        column::compare(comparison_, *operand(0), *operand(1), rows, *out);
      }
      break;
    case Kind::logical_and: column::logical_and(*operand(0), *operand(1), rows, *out); break;
    case Kind::logical_or: column::logical_or(*operand(0), *operand(1), rows, *out); break;
    case Kind::logical_not: column::logical_not(*operand(0), rows, *out); break;
    case Kind::is_null: column::is_null(*operand(0), rows, *out); break;
  }
  return out;
}

}  // namespace leat::stream
