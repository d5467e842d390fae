// The topics of a cluster that speaks Kafka's protocol.
#pragma once

#include <memory>
#include <string>

#include "leat/options.h"
#include "remote/read_ahead.h"
#include "stream/topic_store.h"

namespace leat::remote {

/// Reads what is committed, and appends as an idempotent producer: in order, and once, whatever
/// answers get lost. Connects when first asked something. Has a thread, on which callbacks run:
/// they must be short.
///
/// Memory: what ReadAhead says of each reader; of appends what is not acknowledged, which whoever
/// appends bounds (RunOptions::in_flight_bytes_max).
///
/// What the cluster says may pass is tried again, within `options.operation_timeout` where a caller
/// waits, 60 s where brokers are out of reach of a reader, and 120 s of an append.
class RemoteTopics final : public stream::TopicStore {
 public:
  /// `options.stop` ends the waiting of callers, not what is being read and appended.
  explicit RemoteTopics(ClientOptions options, const ReadAhead& ahead = {});
  /// Readers are gone before.
  ~RemoteTopics() override;
  RemoteTopics(const RemoteTopics&) = delete;
  RemoteTopics& operator=(const RemoteTopics&) = delete;

  Result<stream::Topic> find_topic(const std::string& name) override;
  Result<stream::Topic> create_topic(const std::string& name, std::int32_t partitions) override;
  Result<std::unique_ptr<stream::TopicReader>> open(const stream::Topic& topic) override;
  void append(const TopicPartition& partition, Bytes batch, AppendDone done) override;

 private:
  class Inside;
  class Reader;
  std::unique_ptr<Inside> inside_;
};

}  // namespace leat::remote
