// The functions and aggregates of expressions: one table, which the checks, the messages and the
// documentation are made of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/expression.h"

namespace leat::plan {

// What arguments a function takes and what it gives, in words:
//
//   a type             that type; a decimal of any digits
//   any                all arguments that say so come to one type, of which there may be arrays
//   ordered            the same, of a type that can be compared: no array
//   array              an array of anything
//   item               what the array before it has as items
//   unit, regex, ...   a literal text that is right as such: literal_words.h lists them
//   word?              may be left out, and all behind it
//   word*              any number of times; the last word only
//   when*              a condition and a result in turn, and perhaps the result of all others
//
// A result also:
//
//   first              the first argument's type
//   element, list      the first argument's elements; an array of the first argument
//   plus, times, over  decimals as decimal_result() says
//   total, mean        a decimal of 38 digits and the argument's scale; a mean's as a quotient's
//   whole, rounded, cut, read    a decimal without a fraction; of as many digits as a literal says
struct Signature {
  std::string_view name;
  std::string_view arguments;
  std::string_view result;
};

std::span<const Signature> functions();

// What does not follow from an aggregate's name, and must be the same to the last bit everywhere:
//
//   sum, avg               of doubles the double nearest to the true sum, of two the even one; avg
//                          is that divided by the count. A bigint's overflow is judged at the end
//   first, last,           in the order of time: (event time, partition, offset)
//   array_agg, string_agg
//   percentile             the value at rank ceil(fraction * count), at least 1. Beyond 1,024
//                          values each but 0 counts as the middle of those with its sign, exponent
//                          and first seven binary digits, within the least and the largest
//   approx_count_distinct  HyperLogLog: XXH3-64 of the value's bytes (numbers, times, booleans as
//                          8 bytes, decimals and intervals as 16, little-endian; an interval in
//                          ms); the first 12 bits choose a register, which keeps the longest run
//                          up to the first 1 in the rest. Counted linearly up to 2.5 * 4,096
std::span<const Signature> aggregates();

/// What an expression's argument is: its type, and its value if it is a literal.
struct Operand {
  Type type;
  const Value* literal = nullptr;
};

/// A call's meaning.
struct Resolved {
  /// What each argument is cast to before the call.
  std::vector<Type> arguments;
  Type result;
};

/// Finds the one row of `table` that takes these operands with the fewest casts. Without being
/// asked, bigint becomes decimal or double, decimal becomes double, a date the timestamp of its
/// midnight. Errc::plan_error names what there is.
Result<Resolved> resolve(std::span<const Signature> table, std::string_view name,
                         const std::vector<Operand>& operands);

/// Whether a cast can be asked for; whether a value passes it is another matter.
bool can_cast(const Type& from, const Type& to);

}  // namespace leat::plan
