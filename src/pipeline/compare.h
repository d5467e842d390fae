// Comparing what two versions wrote.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "pipeline/difference.h"

namespace leat::pipeline {

/// Records [begin, end) of a partition.
struct OutputRange {
  std::string topic;
  PartitionId partition;
  Offset begin;
  Offset end;
  bool operator==(const OutputRange&) const = default;
};

struct Comparison {
  /// What both wrote to one topic, under whatever name.
  struct Topic {
    std::string name;
    std::vector<OutputRange> live;
    std::vector<OutputRange> other;
    /// Rows are revised later: only the last record of a key and time counts, not those on its way.
    bool only_last = false;
  };
  std::vector<Topic> topics;
  /// Only records from the earliest time on that the other one has: it did not begin at the start.
  bool is_from_first = false;
  /// Only records from this time on.
  std::int64_t from_ms = std::numeric_limits<std::int64_t>::min();
  /// Only records of before it.
  std::int64_t to_ms = std::numeric_limits<std::int64_t>::max();
};

/// Thread-safe.
class Compare {
 public:
  using Done = UniqueFunction<void(Result<Difference>)>;
  virtual ~Compare() = default;
  /// `done` later, on any thread.
  virtual void begin(Comparison comparison, Done done) = 0;
};

}  // namespace leat::pipeline
