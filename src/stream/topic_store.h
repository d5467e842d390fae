// Topics as the runtime reaches them: the one interface between pipelines and what keeps records.
// The log in this process is one implementation, Kafka's protocol (remote/) is another.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  /// There are none although there are records: those are still on their way to this process.
  bool on_their_way = false;
};

/// A topic as one source reads it: what a store fetches ahead it fetches for one reader. Partitions
/// may be read by different threads, each by one at a time; all else is thread-safe.
class TopicReader {
 public:
  virtual ~TopicReader() = default;
  virtual const Topic& topic() const = 0;

  /// Of each partition, by number, as it is now. Errc::unknown_topic_or_partition, here and below,
  /// once the topic was deleted, also if there is another of its name.
  virtual Result<std::vector<Readable>> readable() = 0;
  /// Where the partition ends as far as is known without asking. Nothing if it has gone.
  virtual std::optional<Offset> known_end(PartitionId partition) const = 0;
  /// Batches from the one that contains `from`, some `max_bytes` of them but at least one; none if
  /// `from` is the high watermark, or what is there is on its way. The first may begin before
  /// `from`, none reaches beyond the high watermark. Errc::offset_out_of_range below the start and
  /// above the high watermark. Never waits for the network.
  virtual Result<Batches> read(PartitionId partition, Offset from, std::size_t max_bytes) = 0;
  /// Calls `wake` once, on any thread, as soon as read() has a record at `offset`, or an error, to
  /// give: at once if that is so already. It may outlive the reader.
  virtual void when_readable(PartitionId partition, Offset offset, Work wake) = 0;
};

/// Thread-safe. Calls block for the disk or the network, never for records to arrive.
class TopicStore {
 public:
  virtual ~TopicStore() = default;

  /// Errc::unknown_topic_or_partition if there is none.
  virtual Result<Topic> find_topic(const std::string& name) = 0;
  /// Makes a topic; one of that name is returned as it is.
  virtual Result<Topic> create_topic(const std::string& name, std::int32_t partitions) = 0;
  /// REQUIRES: this store gave the topic. It outlives the reader.
  virtual Result<std::unique_ptr<TopicReader>> open(const Topic& topic) = 0;

  /// Appends one record batch and calls `done` once, on any thread, when it is as durable as the
  /// store makes records. Appends to a partition keep their order.
  using AppendDone = UniqueFunction<void(Result<Offset>)>;
  virtual void append(const TopicPartition& partition, Bytes batch, AppendDone done) = 0;
};

}  // namespace leat::stream
