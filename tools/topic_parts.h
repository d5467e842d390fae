// Which offsets of which partitions a RANGE of a topic means, as its brokers say it now.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "leat/blocking.h"
#include "tools/position.h"

namespace leat::tools {

/// One partition and what of it is to be read.
struct TopicPart {
  std::int32_t partition = 0;
  PartitionRange range;
  /// Where the partition ended when it was asked.
  std::int64_t end_offset = 0;
};

struct TopicQuery {
  std::string topic;
  /// Only this one.
  std::optional<std::int64_t> partition;
  Range range;
  /// Nothing behind what is there now.
  bool stops_at_end = false;
  bool read_committed = true;
};

/// By partition. Errors name the topic, and the partition where a position is outside of it.
Result<std::vector<TopicPart>> find_parts(blocking::Admin& admin, const TopicQuery& query);

}  // namespace leat::tools
