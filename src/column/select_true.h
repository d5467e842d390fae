// From a condition to the rows that fulfil it.
#pragma once

#include "column/chunk.h"
#include "column/vector.h"

namespace leat::column {

/// Those rows of `selection` for which `condition` is true, neither false nor NULL.
Selection select_true(const Vector& condition, const Selection& selection);

}  // namespace leat::column
