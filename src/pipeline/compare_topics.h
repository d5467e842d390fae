// Compares what two versions wrote, by reading it.
#pragma once

#include <atomic>

#include "base/executor.h"
#include "pipeline/compare.h"
#include "stream/topic_store.h"

namespace leat::pipeline {

/// Reads both, partition by partition. Keeps some bytes for each key and time of a partition, and
/// reads more than once where there are very many. REQUIRES: a topic has as many partitions as that
/// with which it is compared, or keys that are spread alike have no meaning.
Result<Difference> compare_topics(stream::TopicStore& topics, const Comparison& comparison,
                                  const std::atomic<bool>& stop);

/// The same, as a job of an executor that may be held up for long.
class CompareTopics final : public Compare {
 public:
  /// Both outlive what is under way.
  CompareTopics(stream::TopicStore& topics, Executor& executor)
      : topics_(topics), executor_(executor) {}

  void begin(Comparison comparison, Done done) override;
  /// What is under way ends soon, with an error.
  void stop() { stop_ = true; }

 private:
  stream::TopicStore& topics_;
  Executor& executor_;
  std::atomic<bool> stop_{false};
};

}  // namespace leat::pipeline
