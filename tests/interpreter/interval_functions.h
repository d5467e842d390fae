// age(), justify_hours() and its like, make_interval().
#pragma once

#include <optional>

#include "interpreter/evaluate.h"

namespace leat::interpreter {

/// Nothing if the call is none of them. REQUIRES: no NULL among the arguments.
std::optional<plan::Value> interval_function(const Call& call);

}  // namespace leat::interpreter
