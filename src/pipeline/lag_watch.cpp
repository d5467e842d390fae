#include "pipeline/lag_watch.h"

#include <algorithm>

#include "record/batch.h"

namespace leat::pipeline {

namespace {

std::optional<std::int64_t> age_of_unread(stream::TopicReader& reader, PartitionId partition,
                                          Offset position, std::int64_t now_ms) {
  auto end = reader.known_end(partition);
  if (!end) return {};
  // Markers of transactions, and batches of aborted ones, are nobody's lag.
  constexpr int batches_looked_at = 64;
  for (int i = 0; i < batches_looked_at && position < *end; ++i) {
    auto batches = reader.read(partition, position, 1);
    if (!batches || batches->bytes.empty()) return {};
    auto batch = record::BatchView::parse(batches->bytes);
    if (!batch) return {};
    if (!batch->is_control()) {
      std::int64_t timestamp_ms =
          batch->has_delete_horizon() ? batch->max_timestamp_ms() : batch->base_timestamp_ms();
      if (timestamp_ms < 0) return {};
      return std::max<std::int64_t>(now_ms - timestamp_ms, 0);
    }
    position = batch->next_offset();
  }
  return position < *end ? std::optional<std::int64_t>() : 0;
}

}  // namespace

std::vector<std::optional<std::int64_t>> ages_of_unread(RunInputs& inputs,
                                                        const std::vector<Offset>& positions,
                                                        std::int64_t now_ms) {
  std::vector<std::optional<std::int64_t>> ages;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ages.push_back(
        inputs.is_topic(i)
            ? age_of_unread(inputs.reader(i), inputs.inputs()[i].partition, positions[i], now_ms)
            : 0);
  }
  return ages;
}

}  // namespace leat::pipeline
