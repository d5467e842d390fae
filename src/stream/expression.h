// Expressions: as data in a plan, and bound to columns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "column/kernels.h"
#include "column/type.h"

namespace leat::stream {

/// A column, a constant, or an operation on expressions. Literals turn into constants by
/// themselves: `col("added") > 0 && !is_null(col("user"))`.
struct Expression {
  enum class Kind { column, constant, compare, logical_and, logical_or, logical_not, is_null };

  Expression() = default;
  Expression(bool value) : constant(value) {}
  Expression(int value) : constant(std::int64_t{value}) {}
  Expression(std::int64_t value) : constant(value) {}
  Expression(double value) : constant(value) {}
  Expression(const char* value) : constant(std::string(value)) {}
  Expression(std::string value) : constant(std::move(value)) {}
  Expression(column::Timestamp value) : constant(value) {}

  Kind kind = Kind::constant;
  std::string column;                // of Kind::column
  column::Value constant;            // of Kind::constant
  column::Comparison comparison{};   // of Kind::compare
  std::vector<Expression> operands;  // of the operations
};

/// The column of that name.
Expression col(std::string name);
Expression is_null(Expression operand);
Expression operator==(Expression left, Expression right);
Expression operator!=(Expression left, Expression right);
Expression operator<(Expression left, Expression right);
Expression operator<=(Expression left, Expression right);
Expression operator>(Expression left, Expression right);
Expression operator>=(Expression left, Expression right);
Expression operator&&(Expression left, Expression right);
Expression operator||(Expression left, Expression right);
Expression operator!(Expression operand);

using column::Schema;

/// Where in `schema` the column of that name is; Errc::plan_error, naming what there is, if
/// nowhere.
Result<std::size_t> find_column(const Schema& schema, const std::string& name);

/// An expression whose columns are found and whose types fit. Immutable.
class BoundExpression {
 public:
  /// Errc::plan_error with what is wrong.
  static Result<BoundExpression> bind(const Expression& expression, const Schema& schema);

  column::Type type() const { return type_; }
  /// One cell a row, also for rows that are not selected.
  std::shared_ptr<const column::Vector> evaluate(const column::Chunk& chunk) const;

 private:
  static Result<BoundExpression> bind_compare(const Expression& expression, const Schema& schema);
  static Result<BoundExpression> bind_logical(const Expression& expression, const Schema& schema);

  Expression::Kind kind_ = Expression::Kind::constant;
  column::Type type_ = column::Type::boolean;
  std::size_t column_ = 0;
  column::Comparison comparison_{};
  // Shared, because vectors of texts point into it.
  std::shared_ptr<const column::Value> constant_;
  std::vector<BoundExpression> operands_;
};

}  // namespace leat::stream
