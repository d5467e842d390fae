// What a run is to append, as record batches.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "record/builder.h"
#include "stream/topic_store.h"

namespace leat::stream {

/// One batch for one partition.
struct OutputBatch {
  TopicPartition partition;
  Bytes bytes;
};

/// Collects records by partition. Not thread-safe.
class OutputBatches {
 public:
  /// A time before 1970 is left out: records have none, and their values tell it.
  void append(const TopicPartition& partition, std::int64_t timestamp_ms,
              std::optional<BytesView> key, std::optional<BytesView> value,
              std::span<const record::Header> headers = {});
  /// Puts batches behind what their partitions have.
  void add(std::vector<OutputBatch> batches);
  /// All batches so far, those of a partition in order.
  std::vector<OutputBatch> take();

 private:
  // A batch of this size is closed: half of what a topic takes by default.
  static constexpr std::size_t batch_bytes = 512 * 1024;
  std::map<TopicPartition, record::BatchBuilder> open_;
  std::vector<OutputBatch> closed_;
};

}  // namespace leat::stream
