// Expressions as data.
#pragma once

#include <string>
#include <vector>

#include "column/type.h"
#include "column/value.h"

namespace leat::plan {

// Types and values are those of columns.
using column::Array;
using column::array_of;
using column::column_names;
using column::Date;
using column::date_max;
using column::date_min;
using column::date_text;
using column::Decimal;
using column::decimal;
using column::decimal_text;
using column::decimal_type_of;
using column::element_of;
using column::Field;
using column::Int128;
using column::Interval;
using column::name;
using column::parse_date;
using column::parse_decimal;
using column::parse_type;
using column::power_of_ten;
using column::precision_max;
using column::Schema;
using column::Timestamp;
using column::Type;
using column::type_names;
using column::Value;

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
