// A pipeline's sources, as they are where it is given its dead letters again.
//
// In place of each topic that is read stands the topic of dead letters, of which a reader finds
// those records that the pipeline has rejected from the topic: with their keys, values, timestamps
// and headers, the notes of where they came from behind them, and "leat.again" (an empty value),
// by which whoever rejects one again counts the attempts (stream/side_output.h). Offsets are those
// of the topic of dead letters, so positions are too.
//
// A row that was rejected is not a record: what is given again is the record that it was read from,
// found where it came from. Where that is gone, the row is passed by.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "plan/plan.h"
#include "stream/topic_store.h"

namespace leat::pipeline {

/// Thread-safe, as every store.
class DeadLetterTopics final : public stream::TopicStore {
 public:
  /// `topics` outlives it. `letters` is one of dead_letter_topics(plan).
  DeadLetterTopics(stream::TopicStore& topics, const plan::Plan& plan, std::string letters);

  Result<stream::Topic> find_topic(const std::string& name) override;
  Result<stream::Topic> create_topic(const std::string& name, std::int32_t partitions) override {
    return topics_.create_topic(name, partitions);
  }
  Result<std::unique_ptr<stream::TopicReader>> open(const stream::Topic& topic) override;
  void append(const TopicPartition& partition, Bytes batch, AppendDone done) override {
    topics_.append(partition, std::move(batch), std::move(done));
  }

 private:
  class Reader;

  stream::TopicStore& topics_;
  const std::string pipeline_;
  const std::string letters_;
  const std::set<std::string> sources_;
  const bool takes_rows_;
};

}  // namespace leat::pipeline
