// For readers of committed records: how partitions come to know their last stable offset.
#pragma once

#include <memory>
#include <vector>

#include "base/executor.h"
#include "broker/partition.h"

namespace leat::server {

/// Of Fetch and ListOffsets: what transactions have not committed is left out.
inline constexpr std::int8_t read_committed = 1;

/// Has each of them, on its shard, read what it knows of producers; then calls `done` on
/// `executor`. Where that failed, the view still has no last stable offset.
void load_producers(std::vector<std::shared_ptr<broker::Partition>> partitions, Executor& executor,
                    Work done);

}  // namespace leat::server
