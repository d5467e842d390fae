// The topics of a broker in this process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "broker/broker.h"
#include "stream/read_buffers.h"
#include "stream/topic_store.h"

namespace leat::stream {

/// Reads on the caller's thread from the views that logs publish; appends go to the executor of the
/// partition, and callbacks run there and must be short. find_topic() and
/// create_topic() wait for the broker's executors, so they must not be called on one. The broker
/// outlives this and every call in progress.
class BrokerTopics final : public TopicStore {
 public:
  explicit BrokerTopics(broker::Broker& broker) : broker_(broker) {}

  Result<Topic> find_topic(const std::string& name) override;
  Result<Topic> create_topic(const std::string& name, std::int32_t partitions) override;
  Result<std::unique_ptr<TopicReader>> open(const Topic& topic) override;
  void append(const TopicPartition& partition, Bytes batch, AppendDone done) override;

 private:
  class Feed;
  class Reader;
  using FoundTopic = UniqueFunction<void(Result<broker::TopicInfo>)>;

  /// Runs `ask` on the broker's executor and waits for what it passes to its argument.
  Result<Topic> ask(UniqueFunction<void(FoundTopic)> ask);
  /// Makes feeds for the topic's partitions.
  Topic follow(const broker::Topic& topic);

  broker::Broker& broker_;
  ReadBuffers buffers_;
  std::mutex mutex_;
  std::map<TopicPartition, std::shared_ptr<Feed>> feeds_;  // guarded by mutex_
};

}  // namespace leat::stream
