#include "stream/output_batches.h"

#include <algorithm>
#include <utility>

namespace leat::stream {

void OutputBatches::append(const TopicPartition& partition, std::int64_t timestamp_ms,
                           std::optional<BytesView> key, std::optional<BytesView> value,
                           std::span<const record::Header> headers) {
  record::BatchBuilder& builder = open_[partition];
  std::size_t size = record::BatchBuilder::record_bytes_max(key, value, headers);
  if (!builder.empty() && builder.size_bytes() + size > batch_bytes) {
    closed_.push_back({partition, builder.build()});
  }
  builder.append(std::max(timestamp_ms, record::no_timestamp_ms), key, value, headers);
}

void OutputBatches::add(std::vector<OutputBatch> batches) {
  for (auto& batch : batches) {
    auto open = open_.find(batch.partition);
    if (open != open_.end() && !open->second.empty()) {
      closed_.push_back({batch.partition, open->second.build()});
    }
    closed_.push_back(std::move(batch));
  }
}

std::vector<OutputBatch> OutputBatches::take() {
  for (auto& [partition, builder] : open_) {
    if (!builder.empty()) closed_.push_back({partition, builder.build()});
  }
  return std::exchange(closed_, {});
}

}  // namespace leat::stream
