// Places in what a pipeline reads.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"

namespace leat::pipeline {

/// The next record to be read of a partition. Sources that read the same topic share it.
struct Position {
  std::string name;  // the topic's, or the file's
  PartitionId partition;
  Offset offset;
  bool operator==(const Position&) const = default;
};

using Positions = std::vector<Position>;

}  // namespace leat::pipeline
