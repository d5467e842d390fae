// What an expression is for a row, by SQL's rules as PostgreSQL has them.
#pragma once

#include <string>

#include "interpreter/order.h"
#include "plan/bound_plan.h"

namespace leat::interpreter {

/// Thrown where a row has no valid result: an overflow, a division by zero, a text that is no
/// number. `why` is for people.
struct BadValue {
  std::string why;
};

/// A call whose arguments are known.
struct Call {
  const plan::BoundExpression& expression;
  const Values& arguments;
  std::int64_t now_ms;

  const plan::Type& result() const { return expression.type; }
  const plan::Type& type(std::size_t i) const { return expression.arguments[i].type; }
  bool has(std::size_t i) const { return i < arguments.size(); }
  std::int64_t integer(std::size_t i) const { return std::get<std::int64_t>(arguments[i]); }
  double real(std::size_t i) const { return std::get<double>(arguments[i]); }
  bool truth(std::size_t i) const { return std::get<bool>(arguments[i]); }
  const std::string& text(std::size_t i) const { return std::get<std::string>(arguments[i]); }
  const plan::Decimal& decimal(std::size_t i) const {
    return std::get<plan::Decimal>(arguments[i]);
  }
};

/// The arguments of `and`, `or`, `case` and `coalesce` are looked at from left to right, and no
/// further than needed; those of all other calls always.
plan::Value evaluate(const plan::BoundExpression& expression, const Values& row,
                     std::int64_t now_ms);

/// By PostgreSQL's rules; decimals round halves away from zero, doubles to whole numbers halves to
/// the even one. NULL stays NULL.
plan::Value cast(const plan::Value& value, const plan::Type& from, const plan::Type& to);

/// Each takes the calls that are of its subject; nothing if this is none of them. REQUIRES: no NULL
/// among the arguments.
std::optional<plan::Value> arithmetic(const Call& call);
std::optional<plan::Value> number_function(const Call& call);
std::optional<plan::Value> text_function(const Call& call);
std::optional<plan::Value> shape_function(const Call& call);
std::optional<plan::Value> time_function(const Call& call);
std::optional<plan::Value> made_time(const Call& call);

/// The first one between each two of the others that are not NULL.
plan::Value concat_ws(const Values& arguments);

}  // namespace leat::interpreter
