// Random expressions, from the table of functions.
#pragma once

#include <string>

#include "base/random.h"
#include "plan/bound_plan.h"

namespace leat::interpreter {

class ExpressionMaker {
 public:
  ExpressionMaker(Random& random, const plan::Schema& schema) : random_(random), schema_(schema) {}

  /// Of this type, if need be a plain literal.
  plan::Expression of_type(const plan::Type& type, int depth = 2);
  /// Arguments that a row of a table takes.
  std::vector<plan::Expression> arguments_for(const plan::Signature& row, int depth);
  /// One that no table is needed for: a column, or a literal of any type.
  plan::Expression any(bool comparable);

 private:
  plan::Expression leaf(const plan::Type& type);
  plan::Expression for_word(std::string_view word, const plan::Type& common, int depth);
  plan::Type any_type();

  Random& random_;
  const plan::Schema& schema_;
};

}  // namespace leat::interpreter
