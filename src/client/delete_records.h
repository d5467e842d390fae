// Lets go of the beginning of partitions.
#pragma once

#include <cstdint>
#include <vector>

#include "client/caller.h"
#include "client/error.h"
#include "leat/record.h"
#include "net/task.h"

namespace leat::client {

/// Deletes what stands before those offsets, -1 being the end, and gives the first offset that each
/// partition has then. Of partitions that fail the first one is told; others may be done.
net::Task<Result<std::vector<std::int64_t>>> delete_records(Caller caller,
                                                            std::vector<PartitionOffset> before);

}  // namespace leat::client
