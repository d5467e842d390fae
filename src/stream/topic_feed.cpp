#include "stream/topic_feed.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "column/json_index.h"

namespace leat::stream {

void TopicFeed::seek(Offset next) {
  next_offset_ = next;
  held_back_ = nullptr;
  records_.reset();
  batches_ = {};
  batches_position_ = 0;
  error_.reset();
}

void TopicFeed::hold_in(std::vector<column::Buffer>* buffers) {
  held_ = buffers;
  if (records_) hold();
}

// Keeps alive what is being read, if it is not held yet.
void TopicFeed::hold() {
  if (held_ == nullptr) return;
  auto held = [&](const std::shared_ptr<const void>& owner) {
    return std::any_of(held_->rbegin(), held_->rend(),
                       [&](const column::Buffer& buffer) { return buffer.owner == owner; });
  };
  if (!held(batches_.owner)) {
    held_->push_back({batches_.owner, partition_.value(), batches_.bytes, node_});
  }
  if (scratch_->capacity() > 0 && !held(scratch_)) held_->push_back({scratch_});
}

Result<bool> TopicFeed::fill() {
  if (finished()) return false;
  while (!records_) {
    if (finished()) return false;
    if (batches_position_ == batches_.bytes.size()) {
      auto more = read_more();
      if (!more || !*more) return more;
    }
    auto opened = open_batch();
    if (!opened) return opened;
  }
  return true;
}

// Opens the next batch of those at hand; false if it has nothing to give.
Result<bool> TopicFeed::open_batch() {
  auto batch = record::BatchView::parse(batches_.bytes.subspan(batches_position_));
  if (!batch) return fail(batch);
  batches_position_ += batch->size_bytes();
  batch_next_offset_ = batch->next_offset();
  if (batch_next_offset_ <= next_offset_) return false;
  if (batch->is_control()) {
    next_offset_ = batch_next_offset_;
    return false;
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
  hold();
  return true;
}

Result<bool> TopicFeed::read_more() {
  batches_ = {};
  batches_position_ = 0;
  auto batches = reader_.read(partition_, next_offset_, read_bytes_);
  if (batches) {
    batches_ = std::move(*batches);
    return !batches_.bytes.empty();
  }
  const std::string& topic = reader_.topic().name;
  auto cannot_read = [&](const Error& error) {
    return fail(error.code,
                fmt::format("cannot read partition {} of {} from offset {} on: {}",
                            partition_.value(), topic, next_offset_.value(), error.what));
  };
  if (batches.error().code != Errc::offset_out_of_range) return cannot_read(batches.error());
  auto all = reader_.readable();
  if (!all) return cannot_read(all.error());
  const Readable& readable = all->at(static_cast<std::size_t>(partition_.value()));
  return fail(Errc::offset_out_of_range,
              fmt::format("the next record to read, offset {} of partition {} of {}, is not there: "
                          "its records are {} to {} now; start again from the beginning or from a "
                          "position that is there",
                          next_offset_.value(), partition_.value(), topic, readable.start.value(),
                          readable.high_watermark.value()));
}

const record::Record* TopicFeed::next() {
  while (records_) {
    const record::Record* record =
        held_back_ != nullptr ? std::exchange(held_back_, nullptr) : records_->next();
    if (record == nullptr) {
      if (const Error* error = records_->error()) {
        error_ = *error;
        return nullptr;
      }
      records_.reset();
      next_offset_ = batch_next_offset_;
      // What one read gave goes on with its next batch.
      while (!records_ && batches_position_ < batches_.bytes.size() && !finished()) {
        auto opened = open_batch();
        if (!opened) error_ = opened.error();
        if (!opened) return nullptr;
      }
      continue;
    }
    if (record->offset < next_offset_) continue;
    if (end_ && record->offset >= *end_) {
      // Whoever moves the end goes on with it.
      held_back_ = record;
      next_offset_ = *end_;
      return nullptr;
    }
    next_offset_ = record->offset + 1;
    return record;
  }
  return nullptr;
}

}  // namespace leat::stream
