// Rows from one partition of a topic.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "column/json_decoder.h"
#include "record/record.h"
#include "stream/bad_record.h"
#include "stream/plan.h"
#include "stream/row_block.h"
#include "stream/topic_store.h"
#include "operators/watermark.h"

namespace leat::stream {

using operators::Watermark;
using operators::watermark_max;
using operators::watermark_min;

/// Reads a partition forward, decodes records into rows and stamps each with the partition's
/// watermark as it was just before: the largest event time so far minus the disorder. At most one
/// block of decoded rows waits here. Not thread-safe; plan and store outlive it.
class PartitionSource {
 public:
  struct Options {
    std::size_t read_bytes = 1 << 20;
    /// Fewer than a chunk may have: with the texts that they point to they fit into the second
    /// level cache, where an operator finds them again.
    std::size_t chunk_rows = column::chunk_rows / 4;
  };
  PartitionSource(const SourcePlan& plan, TopicStore& store, const TopicPartition& partition,
                  const Options& options);

  /// Where reading begins: the next offset, and what the watermark has come to before it.
  void seek(Offset next, Watermark watermark);
  /// Reads no record at or above `end`.
  void set_end(Offset end) { end_ = end; }

  /// Reads the next block if none is waiting; false if there is nothing to read now. The first row
  /// after an idle time raises the partition's watermark to `floor`. Errc::offset_out_of_range
  /// when what is to be read has been deleted.
  Result<bool> fill(std::optional<Watermark> floor);

  /// The block at hand; rows from next_row() on are yet to be consumed.
  const std::shared_ptr<RowBlock>& block() const { return block_; }
  std::size_t next_row() const { return next_row_; }
  bool has_rows() const { return block_ && next_row_ < block_->rows; }
  /// REQUIRES: has_rows().
  std::int64_t next_event_time_ms() const { return block_->context.event_times_ms[next_row_]; }
  /// The stamp of the next row. REQUIRES: has_rows().
  Watermark next_stamp() const { return block_->context.runs[next_run_].watermark_ms; }
  void consume(std::size_t rows);
  /// The next bad record that lies before the next row, or null.
  const BadRecord* next_bad();
  /// The watermark was raised to the floor at this offset; told once.
  std::optional<Offset> take_floored() { return std::exchange(floored_at_, {}); }

  /// The first offset that is not consumed, bad records included.
  Offset position() const;
  /// The partition's watermark behind all consumed rows.
  Watermark watermark() const;
  /// Nothing below `end` is left.
  bool finished() const { return end_ && !has_rows() && next_offset_ >= *end_; }
  const TopicPartition& partition() const { return partition_; }

 private:
  Result<bool> next_batch();
  Result<bool> read_more();
  Result<void> decode_rows(std::optional<Watermark> floor);
  void hold_buffers();
  void decode(const record::Record& record, std::optional<Watermark>& floor);
  void add_bad(const record::Record& record, std::string reason);

  const SourcePlan& plan_;
  TopicStore& store_;
  TopicPartition partition_;
  Options options_;
  std::optional<std::size_t> event_time_;  // a field, or the record's timestamp
  column::JsonDecoder decoder_;
  RowBlocks blocks_;

  std::optional<Offset> end_;
  // What is being decoded.
  Offset next_offset_;
  Watermark decoded_watermark_ = watermark_min;
  Batches batches_;
  std::size_t batches_position_ = 0;
  Offset batch_next_offset_;
  std::shared_ptr<record::Scratch> scratch_ = std::make_shared<record::Scratch>();
  std::optional<record::RecordIterator> records_;
  std::optional<Offset> floored_at_;
  // What has been decoded.
  std::shared_ptr<RowBlock> block_;
  std::size_t next_row_ = 0;
  std::size_t next_run_ = 0;  // the one that has next_row_
  std::vector<BadRecord> bad_;
  std::size_t next_bad_ = 0;
};

}  // namespace leat::stream
