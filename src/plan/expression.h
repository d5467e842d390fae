// Expressions as data.
#pragma once

#include <string>
#include <vector>

#include "plan/type.h"
#include "plan/value.h"

namespace leat::plan {

// In a plan's JSON:
//
//   expression := {"column": NAME}
//               | {TYPE: VALUE}                      a literal; a decimal's VALUE is a string, and
//               its
//                                                    type is as wide as what is written
//               | {"null": TYPE}
//               | {"call": FUNCTION, "arguments": [expression, ...]}
//               | {"cast": expression, "to": TYPE}
//
// Values are written as column::append_json() writes them; bytes as hexadecimal digits, intervals
// as {"months": N, "days": N, "ms": N}, zeros left out.

/// A column, a literal, a call of a function that functions.h lists, or a cast.
struct Expression {
  enum class Kind { column, literal, call, cast };

  Kind kind = Kind::literal;
  /// The column's or the function's.
  std::string name;
  /// The literal's, or what is cast to.
  Type type;
  Value literal;
  /// Of a call; of a cast the one that is cast.
  std::vector<Expression> arguments;
};

Expression col(std::string name);
Expression literal(Type type, Value value);
Expression call(std::string function, std::vector<Expression> arguments);
Expression cast(Expression operand, Type to);

}  // namespace leat::plan
