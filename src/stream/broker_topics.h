// The topics of a broker in this process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/once.h"
#include "broker/broker.h"
#include "stream/answer.h"
#include "stream/read_buffers.h"
#include "stream/topic_store.h"

namespace leat::stream {

/// Reads on the caller's thread from the views that logs publish; appends go to the executor of the
/// partition, and callbacks run there and must be short. find_topic() and
/// create_topic() wait for the broker's executors, so they must not be called on one. The broker
/// outlives this and every call in progress.
class BrokerTopics final : public TopicStore {
 public:
  /// Does some of the broker's work, where nobody else does it while a call waits: false if there
  /// is none. Null where the broker has threads.
  using Pump = std::function<bool()>;

  explicit BrokerTopics(broker::Broker& broker, Pump pump = {})
      : broker_(broker), pump_(std::move(pump)) {}

  Result<Topic> find_topic(const std::string& name) override;
  Result<Topic> create_topic(const std::string& name, std::int32_t partitions) override;
  Result<std::unique_ptr<TopicReader>> open(const Topic& topic) override;
  void append(const TopicPartition& partition, Bytes batch, AppendDone done) override;

  /// Has `ask` called on the broker's executor, and waits for what it passes to its argument. Not
  /// to be called on an executor of the broker.
  template <class T>
  Result<T> ask(UniqueFunction<void(Once<T>)> ask) {
    Answer<T> answer;
    Once<T> done([answer](Result<T> result) mutable { answer.give(std::move(result)); }, gone);
    broker_.executor().post(
        [ask = std::move(ask), done = std::move(done)]() mutable { ask(std::move(done)); });
    return answer.wait(pump_);
  }

 private:
  class Feed;
  class Reader;
  static constexpr const char* gone = "the broker has gone";

  /// Makes feeds for the topic's partitions.
  Topic follow(const broker::Topic& topic);

  broker::Broker& broker_;
  const Pump pump_;
  ReadBuffers buffers_;
  std::mutex mutex_;
  std::map<TopicPartition, std::shared_ptr<Feed>> feeds_;  // guarded by mutex_
};

}  // namespace leat::stream
