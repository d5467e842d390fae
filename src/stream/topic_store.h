// Topics as the runtime reaches them: the one interface between pipelines and what keeps records.
// The log in this process is one implementation, Kafka's protocol is to be another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "base/uuid.h"

namespace leat::stream {

/// A topic made again under its old name has another id.
struct Topic {
  Uuid id;
  std::string name;
  std::int32_t partitions = 0;
};

/// What of a partition can be read: offsets `[start, high_watermark)`. What is not committed yet is
/// behind them.
struct Readable {
  Offset start;
  Offset high_watermark;
};

/// Whole record batches, one after the other. Those of aborted transactions are control batches, as
/// markers are, and their CRCs do not count. At least column::json_padding_bytes behind them are
/// readable, so that records can be decoded where they lie.
struct Batches {
  std::shared_ptr<const void> owner;
  BytesView bytes;
};

/// Thread-safe. Calls block for the disk or the network, never for records to arrive.
class TopicStore {
 public:
  virtual ~TopicStore() = default;

  /// Errc::unknown_topic_or_partition if there is none.
  virtual Result<Topic> find_topic(const std::string& name) = 0;
  /// Makes a topic; one of that name is returned as it is.
  virtual Result<Topic> create_topic(const std::string& name, std::int32_t partitions) = 0;

  /// Errc::unknown_topic_or_partition, here and below, once the topic was deleted, also if there is
  /// another of its name.
  virtual Result<Readable> readable(const TopicPartition& partition) = 0;
  /// Batches from the one that contains `from`, some `max_bytes` of them but at least one; none if
  /// `from` is the high watermark. The first may begin before `from`, none reaches beyond
  /// the high watermark. Errc::offset_out_of_range below the start and above the high watermark.
  virtual Result<Batches> read(const TopicPartition& partition, Offset from,
                               std::size_t max_bytes) = 0;
  /// Calls `wake` once, on any thread, as soon as there is a record at `offset` or the partition
  /// has gone: at once if that is so already.
  virtual void when_readable(const TopicPartition& partition, Offset offset, Work wake) = 0;

  /// Appends one record batch and calls `done` once, on any thread, when it is as durable as the
  /// store makes records. Appends to a partition keep their order.
  using AppendDone = UniqueFunction<void(Result<Offset>)>;
  virtual void append(const TopicPartition& partition, Bytes batch, AppendDone done) = 0;
};

}  // namespace leat::stream
