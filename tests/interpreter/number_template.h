// to_char() of numbers, and to_number().
#pragma once

#include <optional>

#include "interpreter/evaluate.h"

namespace leat::interpreter {

/// Nothing if the call is none of them. REQUIRES: no NULL among the arguments.
std::optional<plan::Value> number_template_function(const Call& call);

}  // namespace leat::interpreter
