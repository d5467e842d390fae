#include "interpreter/evaluate.h"

#include <algorithm>
#include <initializer_list>

#include "base/assert.h"
#include "interpreter/interval_functions.h"
#include "interpreter/number_template.h"
#include "plan/json_path.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

const Value null;

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Three-valued: `decided` as soon as one argument is it, else NULL if one is, else the opposite.
Value connect(const BoundExpression& expression, const Values& row, std::int64_t now_ms,
              bool decided) {
  bool unknown = false;
  for (const auto& argument : expression.arguments) {
    Value value = evaluate(argument, row, now_ms);
    if (value.is_null())
      unknown = true;
    else if (std::get<bool>(value) == decided)
      return decided;
  }
  if (unknown) return null;
  return !decided;
}

Value choose(const BoundExpression& expression, const Values& row, std::int64_t now_ms) {
  const auto& arguments = expression.arguments;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    Value condition = evaluate(arguments[i], row, now_ms);
    if (condition.is_null() || !std::get<bool>(condition)) continue;
    return evaluate(arguments[i + 1], row, now_ms);
  }
  return arguments.size() % 2 == 1 ? evaluate(arguments.back(), row, now_ms) : null;
}

Value coalesce(const BoundExpression& expression, const Values& row, std::int64_t now_ms) {
  for (const auto& argument : expression.arguments) {
    Value value = evaluate(argument, row, now_ms);
    if (!value.is_null()) return value;
  }
  return null;
}

// NULL if either is.
Value compare_as(std::string_view sign, const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return null;
  int order = compare(a, b);
  if (sign == "=") return order == 0;
  if (sign == "<>") return order != 0;
  if (sign == "<") return order < 0;
  if (sign == "<=") return order <= 0;
  if (sign == ">") return order > 0;
  ASSERT(sign == ">=");
  return order >= 0;
}

// x = a or x = b or ...
Value is_in(const Values& arguments) {
  bool unknown = false;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    Value equal = compare_as("=", arguments[0], arguments[i]);
    if (equal.is_null())
      unknown = true;
    else if (std::get<bool>(equal))
      return true;
  }
  if (unknown) return null;
  return false;
}

// x >= low and x <= high
Value is_between(const Values& arguments) {
  Value above = compare_as(">=", arguments[0], arguments[1]);
  Value below = compare_as("<=", arguments[0], arguments[2]);
  auto is_false = [](const Value& value) { return !value.is_null() && !std::get<bool>(value); };
  if (is_false(above) || is_false(below)) return false;
  if (above.is_null() || below.is_null()) return null;
  return true;
}

// The largest or the smallest of those that are not NULL.
Value extreme(const Values& arguments, int sign) {
  Value best;
  for (const auto& value : arguments) {
    if (value.is_null()) continue;
    if (best.is_null() || compare(value, best) * sign > 0) best = value;
  }
  return best;
}

Value concat(const Values& arguments) {
  std::string text;
  for (const auto& value : arguments) {
    if (!value.is_null()) text += std::get<std::string>(value);
  }
  return text;
}

Value remove_items(const Values& arguments) {
  if (arguments[0].is_null()) return null;
  Array left;
  for (const auto& item : std::get<Array>(arguments[0]).items) {
    if (compare(item, arguments[1]) != 0) left.items.push_back(item);
  }
  return left;
}

// Calls for which NULL is an argument like others.
std::optional<Value> function_of_nulls(const std::string& name, const Values& arguments) {
  if (name == "is_null") return arguments[0].is_null();
  if (name == "is_distinct_from") return compare(arguments[0], arguments[1]) != 0;
  if (name == "nullif") {
    Value equal = compare_as("=", arguments[0], arguments[1]);
    return !equal.is_null() && std::get<bool>(equal) ? null : arguments[0];
  }
  if (name == "in") return is_in(arguments);
  if (name == "between") return is_between(arguments);
  if (name == "greatest") return extreme(arguments, 1);
  if (name == "least") return extreme(arguments, -1);
  if (name == "concat") return concat(arguments);
  if (name == "concat_ws") return concat_ws(arguments);
  if (name == "array") return Array{arguments};
  if (name == "array_remove") return remove_items(arguments);
  return {};
}

Value json_value(const Call& call) {
  auto json = parse_json(call.text(0), RepeatedNames::last_counts);
  if (!json) throw BadValue{"not JSON: " + json.error().what};
  const Json* found = find(*json, *parse_json_path(call.text(1)));
  if (found == nullptr || std::holds_alternative<std::nullptr_t>(*found)) return null;
  if (const auto* text = std::get_if<std::string>(found)) return *text;
  std::string text;
  append_json(text, *found);
  return text;
}

Value call_function(const Call& call) {
  const std::string& name = call.expression.function;
  if (auto value = function_of_nulls(name, call.arguments)) return *value;
  auto is_null = [](const Value& value) { return value.is_null(); };
  if (std::any_of(call.arguments.begin(), call.arguments.end(), is_null)) return null;
  if (name == "not") return !call.truth(0);
  if (is_one_of(name, {"=", "<>", "<", "<=", ">", ">="})) {
    return compare_as(name, call.arguments[0], call.arguments[1]);
  }
  if (name == "json_value") return json_value(call);
  if (name == "cardinality") {
    return static_cast<std::int64_t>(std::get<Array>(call.arguments[0]).items.size());
  }
  if (name == "element") {
    const auto& items = std::get<Array>(call.arguments[0]).items;
    std::int64_t number = call.integer(1);
    bool there = number >= 1 && number <= static_cast<std::int64_t>(items.size());
    return there ? items[static_cast<std::size_t>(number - 1)] : null;
  }
  if (auto value = arithmetic(call)) return *value;
  if (auto value = number_template_function(call)) return *value;
  if (auto value = number_function(call)) return *value;
  if (auto value = interval_function(call)) return *value;
  if (auto value = shape_function(call)) return *value;
  if (auto value = made_time(call)) return *value;
  if (auto value = time_function(call)) return *value;
  auto value = text_function(call);
  ASSERT(value.has_value());
  return *value;
}

// There is no negative zero.
Value without_sign_of_zero(Value value) {
  auto* real = std::get_if<double>(&value);
  if (real != nullptr && *real == 0) *real = 0;
  return value;
}

}  // namespace

Value evaluate(const BoundExpression& expression, const Values& row, std::int64_t now_ms) {
  switch (expression.kind) {
    case Expression::Kind::column: return row.at(expression.column);
    case Expression::Kind::literal: return expression.literal;
    case Expression::Kind::cast: {
      const auto& operand = expression.arguments.at(0);
      return without_sign_of_zero(
          cast(evaluate(operand, row, now_ms), operand.type, expression.type));
    }
    case Expression::Kind::call: break;
  }
  if (expression.function == "and") return connect(expression, row, now_ms, false);
  if (expression.function == "or") return connect(expression, row, now_ms, true);
  if (expression.function == "case") return choose(expression, row, now_ms);
  if (expression.function == "coalesce") return coalesce(expression, row, now_ms);
  Values arguments;
  for (const auto& argument : expression.arguments) {
    arguments.push_back(evaluate(argument, row, now_ms));
  }
  return without_sign_of_zero(call_function({expression, arguments, now_ms}));
}

}  // namespace leat::interpreter
