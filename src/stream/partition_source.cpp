#include "stream/partition_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"

namespace leat::stream {

namespace {

// A row of a plan that takes the record's timestamp, or the field's cell.
std::optional<std::int64_t> event_time_of(const RowBlock& block, std::optional<std::size_t> field,
                                          const record::Record& record) {
  if (!field) {
    if (record.timestamp_ms == record::no_timestamp_ms) return {};
    return record.timestamp_ms;
  }
  const auto& column = block.columns[*field];
  if (column.is_null(block.rows)) return {};
  return column.integer(block.rows);
}

}  // namespace

PartitionSource::PartitionSource(const SourcePlan& plan, TopicStore& store,
                                 const TopicPartition& partition, const Options& options)
    : plan_(plan),
      store_(store),
      partition_(partition),
      options_(options),
      decoder_(plan.fields),
      blocks_(plan.fields, options.chunk_rows) {
  if (!plan.event_time.empty()) event_time_ = *find_column(plan.fields, plan.event_time);
}

void PartitionSource::seek(Offset next, Watermark watermark) {
  ASSERT(!block_);
  next_offset_ = next;
  decoded_watermark_ = watermark;
}

Offset PartitionSource::position() const {
  if (next_bad_ < bad_.size()) {
    bool bad_first = !has_rows() || bad_[next_bad_].before_row <= next_row_;
    if (bad_first) return bad_[next_bad_].record.offset;
  }
  return has_rows() ? Offset{block_->context.places[next_row_]} : next_offset_;
}

Watermark PartitionSource::watermark() const {
  return has_rows() ? next_stamp() : decoded_watermark_;
}

void PartitionSource::consume(std::size_t rows) {
  next_row_ += rows;
  ASSERT(next_row_ <= block_->rows);
  const auto& runs = block_->context.runs;
  while (next_run_ < runs.size() && runs[next_run_].end <= next_row_) ++next_run_;
}

const BadRecord* PartitionSource::next_bad() {
  if (next_bad_ == bad_.size() || bad_[next_bad_].before_row > next_row_) return nullptr;
  return &bad_[next_bad_++];
}

Result<bool> PartitionSource::fill(std::optional<Watermark> floor) {
  if (has_rows() || next_bad_ < bad_.size()) return true;
  // Lets go of the last block first, so that its memory can be taken again.
  block_.reset();
  block_ = blocks_.take();
  next_row_ = next_run_ = next_bad_ = 0;
  bad_.clear();
  auto ready = next_batch();
  if (!ready || !*ready) return ready;
  if (auto ok = decode_rows(floor); !ok) return fail(ok);
  if (auto texts = decoder_.take_texts()) block_->context.buffers.push_back({std::move(texts)});
  return true;
}

// Makes sure that records_ is there; false if there is nothing to read.
Result<bool> PartitionSource::next_batch() {
  while (!records_) {
    if (end_ && next_offset_ >= *end_) return false;
    if (batches_position_ == batches_.bytes.size()) {
      auto more = read_more();
      if (!more || !*more) return more;
    }
    auto batch = record::BatchView::parse(batches_.bytes.subspan(batches_position_));
    if (!batch) return fail(batch);
    batches_position_ += batch->size_bytes();
    batch_next_offset_ = batch->next_offset();
    if (batch_next_offset_ <= next_offset_) continue;
    if (batch->is_control()) {
      next_offset_ = batch_next_offset_;
      continue;
    }
    bool compressed = batch->compression() != record::Compression::none;
    if (compressed && scratch_.use_count() > 1) scratch_ = std::make_shared<record::Scratch>();
    records_.emplace(*batch, *scratch_);
    if (compressed) {
      std::size_t needed = records_->payload_bytes() + column::json_padding_bytes;
      if (scratch_->capacity() < needed) {
        // Rare, since a scratch is used for many batches: the padding did not fit behind this one.
        scratch_->room(needed);
        records_.emplace(*batch, *scratch_);
      }
    }
  }
  return true;
}

Result<bool> PartitionSource::read_more() {
  batches_ = {};
  batches_position_ = 0;
  auto batches = store_.read(partition_, next_offset_, options_.read_bytes);
  if (!batches) {
    if (batches.error().code == Errc::unknown_topic_or_partition) {
      return fail(batches.error().code,
                  fmt::format("cannot read partition {} of {} from offset {} on: {}",
                              partition_.partition.value(), plan_.topic, next_offset_.value(),
                              batches.error().what));
    }
    if (batches.error().code != Errc::offset_out_of_range) return fail(batches);
    auto readable = store_.readable(partition_);
    if (!readable) return fail(readable);
    return fail(
        Errc::offset_out_of_range,
        fmt::format("the next record to read, offset {} of partition {} of {}, is not there: "
                    "its records are {} to {} now; start again from the beginning or from a "
                    "position that is there",
                    next_offset_.value(), partition_.partition.value(), plan_.topic,
                    readable->start.value(), readable->high_watermark.value()));
  }
  batches_ = std::move(*batches);
  return !batches_.bytes.empty();
}

Result<void> PartitionSource::decode_rows(std::optional<Watermark> floor) {
  hold_buffers();
  std::size_t read = 0;
  while (read < options_.chunk_rows) {
    const record::Record* record = records_->next();
    if (record == nullptr) {
      if (const Error* error = records_->error()) return fail(error->code, error->what);
      records_.reset();
      next_offset_ = batch_next_offset_;
      // What one read gave is enough for a chunk.
      if (batches_position_ == batches_.bytes.size()) return {};
      auto ready = next_batch();
      if (!ready) return fail(ready);
      if (!*ready) return {};
      hold_buffers();
      continue;
    }
    if (record->offset < next_offset_) continue;
    if (end_ && record->offset >= *end_) {
      next_offset_ = *end_;
      records_.reset();
      return {};
    }
    decode(*record, floor);
    next_offset_ = record->offset + 1;
    ++read;
  }
  return {};
}

// Keeps alive for the block's rows what is being decoded.
void PartitionSource::hold_buffers() {
  auto& buffers = block_->context.buffers;
  auto held = [&](const std::shared_ptr<const void>& owner) {
    return std::any_of(buffers.rbegin(), buffers.rend(),
                       [&](const column::Buffer& buffer) { return buffer.owner == owner; });
  };
  if (!held(batches_.owner)) {
    buffers.push_back({batches_.owner, partition_.partition.value(), batches_.bytes});
  }
  if (scratch_->capacity() > 0 && !held(scratch_)) buffers.push_back({scratch_});
}

void PartitionSource::decode(const record::Record& record, std::optional<Watermark>& floor) {
  RowBlock& block = *block_;
  if (!record.value) return add_bad(record, "the record has no value");
  if (!decoder_.decode(as_text(*record.value), block.columns, block.rows)) {
    return add_bad(record, decoder_.reason());
  }
  auto time_ms = event_time_of(block, event_time_, record);
  if (!time_ms) return add_bad(record, "the record has no event time");
  if (*time_ms < event_time_ms_min || *time_ms > event_time_ms_max) {
    return add_bad(record, "the event time is out of range");
  }
  if (plan_.ahead_ms_max && record.timestamp_ms != record::no_timestamp_ms &&
      *time_ms - *plan_.ahead_ms_max > record.timestamp_ms) {
    return add_bad(record, "the event time is too far ahead of the record's timestamp");
  }
  if (floor) {
    if (*floor > decoded_watermark_) {
      decoded_watermark_ = *floor;
      floored_at_ = record.offset;
    }
    floor.reset();
  }
  auto& context = block.context;
  auto row = static_cast<std::uint32_t>(block.rows++);
  if (context.runs.empty() || context.runs.back().watermark_ms != decoded_watermark_) {
    context.runs.push_back({row, partition_.partition.value(), decoded_watermark_});
  }
  context.runs.back().end = row + 1;
  context.event_times_ms.push_back(*time_ms);
  context.places.push_back(record.offset.value());
  decoded_watermark_ = std::max(decoded_watermark_, *time_ms - plan_.disorder_ms);
}

void PartitionSource::add_bad(const record::Record& record, std::string reason) {
  bad_.push_back({block_->rows, record, std::move(reason)});
}

}  // namespace leat::stream
