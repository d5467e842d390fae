// Where a task stood of which there is a snapshot.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace leat::stream {

/// The positions of a task by what Task::snapshot() gave, in the order of Task::positions(). Needs
/// none of what the task read. Errc::corrupt_message, Errc::unsupported_format,
/// Errc::snapshot_mismatch.
Result<std::vector<Offset>> positions_in(BytesView snapshot);

}  // namespace leat::stream
