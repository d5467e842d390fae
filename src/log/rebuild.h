// What the segments alone say of a data directory whose checkpoint is lost.
#pragma once

#include <map>

#include "base/result.h"
#include "log/partition_recovery.h"
#include "log/state.h"

namespace leat::log {

/// Reads every segment of every partition. What only the checkpoint knew is lost: start offsets
/// within a segment, accepted gaps. Ages start anew, leader epochs rise.
Result<void> rebuild_states(RecoveryJob& job, std::map<TopicPartition, PartitionState>& states);

}  // namespace leat::log
