// The records of a partition of a topic.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stream/record_feed.h"
#include "stream/topic_store.h"

namespace leat::stream {

/// Knows no end unless set_end() says one.
class TopicFeed final : public RecordFeed {
 public:
  static constexpr std::size_t default_read_bytes = 1 << 20;
  /// `node` is that of the plan's source. The reader outlives it.
  TopicFeed(TopicReader& reader, PartitionId partition, std::int32_t node,
            std::size_t read_bytes = default_read_bytes)
      : reader_(reader), partition_(partition), node_(node), read_bytes_(read_bytes) {}

  void seek(Offset next) override;
  void set_end(std::optional<Offset> end) override { end_ = end; }
  Result<bool> fill() override;
  bool waits_for_records() const override { return batches_.on_their_way && !finished(); }
  const record::Record* next() override;
  const Error* error() const override { return error_ ? &*error_ : nullptr; }
  void hold_in(std::vector<column::Buffer>* buffers) override;
  Offset position() const override { return next_offset_; }
  bool finished() const override { return end_ && next_offset_ >= *end_; }

 private:
  Result<bool> open_batch();
  Result<bool> read_more();
  void hold();

  TopicReader& reader_;
  const PartitionId partition_;
  const std::int32_t node_;
  const std::size_t read_bytes_;
  std::optional<Offset> end_;
  Offset next_offset_;
  Batches batches_;
  std::size_t batches_position_ = 0;
  Offset batch_next_offset_;
  std::shared_ptr<record::Scratch> scratch_ = std::make_shared<record::Scratch>();
  std::optional<record::RecordIterator> records_;
  const record::Record* held_back_ = nullptr;  // of records_: the next one, at or above the end
  std::optional<Error> error_;
  std::vector<column::Buffer>* held_ = nullptr;
};

}  // namespace leat::stream
