// Records to values.
#pragma once

#include "interpreter/row.h"
#include "plan/plan.h"

namespace leat::interpreter {

/// The columns of one record. Throws BadValue if it cannot be a row. Of a record without value,
/// which removes a table's row, those that come from the value are NULL. `header` is the first line
/// of a file that has one, else null.
Values decode(const plan::Source& source, const Log& log, std::int64_t partition,
              std::int64_t offset, const std::string* header);

}  // namespace leat::interpreter
