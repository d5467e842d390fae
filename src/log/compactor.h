// Compacts the logs of a store in the background, one after the other.
#pragma once

#include <deque>
#include <memory>

#include "log/compaction.h"
#include "log/context.h"
#include "log/partition_log.h"

namespace leat::log {

/// Works through the logs that offer themselves, step by step where it may block, at the rate that
/// the options give. One compaction at a time, so one map of keys bounds its memory. Belongs to the
/// store's executor.
class Compactor {
 public:
  explicit Compactor(StoreContext& context) : context_(context) {}
  ~Compactor();

  /// `log` has segments that are worth it. It is told by compacted() when that is over.
  void offer(std::shared_ptr<PartitionLog> log, CompactionPlan plan);

 private:
  struct Job {
    std::weak_ptr<PartitionLog> log;
    CompactionPlan plan;
  };
  void next();
  void step();
  void stepped();
  void install(const std::shared_ptr<PartitionLog>& log, Replacement replacement);
  void end();

  StoreContext& context_;
  std::deque<Job> queue_;
  std::weak_ptr<PartitionLog> log_;  // of the one under way
  std::shared_ptr<Compaction> compaction_;
  Executor::TimerId timer_ = 0;
};

}  // namespace leat::log
