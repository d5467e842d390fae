// Rows from one partition of a source.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "operators/watermark.h"
#include "plan/bound_plan.h"
#include "stream/bad_record.h"
#include "stream/record_decoder.h"
#include "stream/record_feed.h"
#include "stream/row_block.h"

namespace leat::stream {

/// Reads a partition forward, decodes records into rows and stamps each with the partition's
/// watermark as it was just before: the largest event time so far minus the disorder. Of a table a
/// record without value is a row of kind `erase` with its key. At most one block of decoded rows
/// waits here. Not thread-safe; the plan outlives it and the rows.
class SourceReader {
 public:
  struct Options {
    /// Fewer than a chunk may have: with the texts that they point to they fit into the second
    /// level cache, where an operator finds them again.
    std::size_t block_rows = column::chunk_rows / 4;
    /// A column that is not looked at is NULL in every row; all are if there are none here. What is
    /// wrong with it in a record is not seen.
    std::vector<bool> used;
  };
  /// `node` is the plan's node of that number, a source.
  SourceReader(const plan::BoundNode& node, std::int32_t number, PartitionId partition,
               std::unique_ptr<RecordFeed> feed, const Options& options);

  /// Where reading begins: the next offset, and what the watermark has come to before it.
  void seek(Offset next, operators::Watermark watermark);
  /// From here on reads no record at or above `end`; if there is none, all.
  void set_end(std::optional<Offset> end) { feed_->set_end(end); }

  /// What the partition's watermark is raised to by the first row from an offset on.
  struct Floor {
    operators::Watermark watermark = operators::watermark_min;
    Offset from = Offset{0};
  };
  /// Reads the next block if none is waiting; false if there is nothing to read now, or it is on
  /// its way. `floor` counts for rows of this block. Errc::offset_out_of_range when what is to be
  /// read has been deleted.
  Result<bool> fill(std::optional<Floor> floor);

  /// fill() gave false, but there are records: they are on their way to this process.
  bool waits_for_records() const { return feed_->waits_for_records(); }

  /// The block at hand; rows from next_row() on are yet to be consumed.
  const std::shared_ptr<RowBlock>& block() const { return block_; }
  std::size_t next_row() const { return next_row_; }
  bool has_rows() const { return block_ && next_row_ < block_->rows; }
  /// REQUIRES: has_rows().
  std::int64_t next_event_time_ms() const { return block_->context.event_times_ms[next_row_]; }
  /// The stamp of the next row. REQUIRES: has_rows().
  operators::Watermark next_stamp() const { return block_->context.runs[next_run_].watermark_ms; }
  void consume(std::size_t rows);
  /// The next bad record that lies before the next row, or null.
  const BadRecord* next_bad();
  /// The last one that next_bad() gave is the next one again.
  void keep_bad() { --next_bad_; }
  /// How many of the block's rows lie before the next bad record.
  std::size_t rows_before_bad() const {
    return next_bad_ < bad_.size() ? bad_[next_bad_].before_row : block_->rows;
  }
  /// The watermark was raised to the floor at this offset; told once.
  std::optional<Offset> take_floored() { return std::exchange(floored_at_, {}); }
  /// Forgets what was decoded and is not consumed: it is read again.
  void rewind();
  /// What comes is read from `next` on, and is stamped with `watermark` at least. REQUIRES: all
  /// that was decoded is consumed.
  void go_on(Offset next, operators::Watermark watermark);

  /// The first offset that is not consumed, bad records included.
  Offset position() const;
  /// The partition's watermark behind all consumed rows.
  operators::Watermark watermark() const;
  /// Of keys and values of all records that were decoded.
  std::uint64_t bytes_read() const { return bytes_read_; }
  /// Nothing is left, and nothing will come.
  bool finished() const { return !has_rows() && feed_->finished(); }
  std::int32_t node() const { return number_; }
  PartitionId partition() const { return partition_; }

 private:
  Result<bool> read_names();
  Result<void> decode_rows(std::optional<Floor> floor);
  void decode(const record::Record& record, std::optional<Floor>& floor);
  std::optional<std::int64_t> event_time_of(const record::Record& record);
  void add_row(const record::Record& record, std::int64_t time_ms);
  void add_bad(const record::Record& record, std::string reason);

  const plan::BoundNode& node_;
  const plan::Source& source_;
  const std::int32_t number_;
  const PartitionId partition_;
  const std::size_t block_rows_;
  std::unique_ptr<RecordFeed> feed_;
  RecordDecoder decoder_;
  RowBlocks blocks_;
  bool names_read_;  // or there are none
  // What has been decoded.
  operators::Watermark decoded_watermark_ = operators::watermark_min;
  std::optional<Offset> floored_at_;
  std::uint64_t bytes_read_ = 0;
  std::shared_ptr<RowBlock> block_;
  std::size_t next_row_ = 0;
  std::size_t next_run_ = 0;  // the one that has next_row_
  std::vector<BadRecord> bad_;
  std::size_t next_bad_ = 0;
};

}  // namespace leat::stream
