#include "leat/expression.h"

#include <cmath>

#include "column/timestamp.h"
#include "column/value.h"
#include "flow/graph.h"

namespace leat::flow {

using detail::GraphAccess;

namespace {

plan::Expression literal(plan::Type type, plan::Value value) {
  return plan::literal(type, std::move(value));
}

}  // namespace

Expression::Expression(double value) : inside_(nullptr) {
  if (!std::isfinite(value)) throw Error("a literal double must be finite");
  // There is no negative zero.
  inside_ = new Inside{literal(plan::Type::double_precision, value + 0.0)};
}
Expression::Expression(std::string_view text)
    : inside_(new Inside{literal(plan::Type::text, std::string(text))}) {}
Expression::Expression(Timestamp time) : inside_(nullptr) {
  column::Timestamp value{time.time_since_epoch().count()};
  if (value < column::timestamp_min || value > column::timestamp_max)
    throw Error("a literal timestamp must be in the years 0000 to 9999");
  inside_ = new Inside{literal(plan::Type::timestamp, value)};
}
Expression::Expression(std::chrono::sys_days date) : inside_(nullptr) {
  column::Date value{date.time_since_epoch().count()};
  if (value < column::date_min || value > column::date_max)
    throw Error("a literal date must be in the years 0000 to 9999");
  inside_ = new Inside{literal(plan::Type::date, value)};
}
Expression::Expression(Interval interval)
    : inside_(
          new Inside{literal(plan::Type::interval, column::Interval{interval.months, interval.days,
                                                                    interval.time.count()})}) {}
Expression::~Expression() {
  delete inside_;
}
Expression::Expression(const Expression& other)
    : inside_(other.inside_ ? new Inside(*other.inside_) : nullptr) {}
Expression::Expression(Expression&& other) noexcept
    : inside_(std::exchange(other.inside_, nullptr)) {}
Expression& Expression::operator=(Expression other) noexcept {
  std::swap(inside_, other.inside_);
  return *this;
}

Named Expression::as(std::string name) const {
  return {std::move(name), *this};
}

Expression::Inside* Expression::literal_boolean(bool value) {
  return new Inside{literal(plan::Type::boolean, value)};
}
Expression::Inside* Expression::literal_bigint(std::int64_t value) {
  return new Inside{literal(plan::Type::bigint, value)};
}
Expression::Inside* Expression::literal_decimal(detail::Int128 units, int scale) {
  column::Decimal value{units, scale};
  return new Inside{literal(column::decimal_type_of(value), value)};
}

// a && b && c is one call with three arguments.
Expression Expression::binary(std::string_view function, const Expression& a, const Expression& b) {
  const plan::Expression& left = GraphAccess::expression_of(a);
  bool goes_on = function == "and" || function == "or";
  goes_on = goes_on && left.kind == plan::Expression::Kind::call && left.name == function;
  std::vector<plan::Expression> arguments{left};
  if (goes_on) arguments = left.arguments;
  arguments.push_back(GraphAccess::expression_of(b));
  return GraphAccess::make(plan::call(std::string(function), std::move(arguments)));
}

Expression Expression::unary(std::string_view function, const Expression& a) {
  return call(function, {a});
}

Named::Named(Expression column) : expression(std::move(column)) {
  const plan::Expression& of = GraphAccess::expression_of(expression);
  if (of.kind != plan::Expression::Kind::column)
    throw Error("a column that is computed needs a name: .as(\"...\")");
  name = of.name;
}

Expression col(std::string_view name) {
  return GraphAccess::make(plan::col(std::string(name)));
}
Expression null(Type type) {
  return GraphAccess::make(plan::literal(detail::plan_type(type), {}));
}
Expression bytes(std::string_view value) {
  return GraphAccess::make(literal(plan::Type::bytes, std::string(value)));
}
Expression decimal(std::string_view digits) {
  auto value = column::parse_decimal(digits);
  if (!value) throw Error("'" + std::string(digits) + "' is no decimal");
  return GraphAccess::make(literal(column::decimal_type_of(*value), *value));
}
Expression cast(Expression value, Type to) {
  return GraphAccess::make(plan::cast(GraphAccess::expression_of(value), detail::plan_type(to)));
}
Expression call(std::string_view function, std::vector<Expression> arguments) {
  std::vector<plan::Expression> of;
  for (const Expression& argument : arguments) of.push_back(GraphAccess::expression_of(argument));
  return GraphAccess::make(plan::call(std::string(function), std::move(of)));
}

}  // namespace leat::flow
