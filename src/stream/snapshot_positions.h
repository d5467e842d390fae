// Where a task stood of which there is a snapshot, and what its plan was.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace leat::stream {

/// The positions of a task by what Task::snapshot() gave, in the order of Task::positions(). Needs
/// none of what the task read. Errc::corrupt_message, Errc::unsupported_format,
/// Errc::snapshot_mismatch.
Result<std::vector<Offset>> positions_in(BytesView snapshot);

/// The plan::state_text() of the plan that it is of. Errors as above.
Result<std::string> plan_in(BytesView snapshot);

}  // namespace leat::stream
