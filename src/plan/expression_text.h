// Expressions as people write them.
#pragma once

#include <cstddef>
#include <string>

#include "plan/expression.h"

namespace leat::plan {

/// `price * 2 > 10 and name like 'x%'`: as SQL has it, with no more parentheses than it needs. For
/// people: nothing reads it. What is longer than about `bytes_max` is cut, with three points
/// behind.
std::string expression_text(const Expression& expression, std::size_t bytes_max = 160);

}  // namespace leat::plan
