#include "remote/fetched_partition.h"

#include <algorithm>

#include <fmt/core.h>

#include "client/frame_padding.h"
#include "column/json_index.h"
#include "record/batch.h"
#include "stream/hidden_batch.h"

namespace leat::remote {

// Answers have what records need behind them to be decoded where they lie.
static_assert(client::frame_padding_bytes >= column::json_padding_bytes);

namespace {

/// An answer's memory is ours alone.
MutableBytes mutable_bytes(BytesView bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

}  // namespace

void FetchedPartition::begin_at(Offset from) {
  next_ = from;
  part_ = Part();
  std::lock_guard lock(mutex_);
  waiting_.clear();
  bytes_ = 0;
  fetched_to_ = from;
  error_.reset();
}

Result<stream::Batches> FetchedPartition::read(Offset from, std::size_t max_bytes, Told& told) {
  if (seeks(from)) {
    begin_at(from);
    told.seek = from;
  }
  if (part_.left.empty()) {
    std::lock_guard lock(mutex_);
    part_ = Part();
    if (waiting_.empty()) {
      if (error_) return leat::fail(error_->code, error_->what);
      stream::Batches none;
      none.on_their_way = from < end_;
      return none;
    }
    client::Fetched& fetched = waiting_.front();
    bytes_ -= fetched.batches.size();
    part_ = {client::AbortedBatches(std::move(fetched.aborted)), fetched.batches,
             std::move(fetched.owner)};
    waiting_.pop_front();
    told.has_taken = true;
  }
  auto given = give(part_, max_bytes);
  if (!given) return leat::fail(given);
  return stream::Batches{part_.owner, *given};
}

Result<BytesView> FetchedPartition::give(Part& part, std::size_t max_bytes) {
  std::size_t size = 0;
  while (size < part.left.size()) {
    auto batch = record::BatchView::parse(part.left.subspan(size));
    if (size > 0 && (!batch || size + batch->size_bytes() > max_bytes)) break;
    if (!batch) return tl::unexpected(corrupt(*next_, batch.error().what));
    if (!batch->crc_matches()) {
      if (size > 0) break;  // what comes before it is given first
      return tl::unexpected(corrupt(batch->base_offset(), "the batch does not match its checksum"));
    }
    if (part.aborted.contain(*batch)) stream::hide_batch(mutable_bytes(part.left.subspan(size)));
    next_ = batch->next_offset();
    size += batch->size_bytes();
  }
  BytesView given = part.left.first(size);
  part.left = part.left.subspan(size);
  return given;
}

Error FetchedPartition::corrupt(Offset offset, const std::string& what) const {
  return {Errc::corrupt_message,
          fmt::format("{}/{}: batch at offset {}: {}", topic_, number_, offset.value(), what)};
}

void FetchedPartition::when_readable(Offset offset, Work wake, Told& told) {
  if (seeks(offset)) {
    begin_at(offset);
    told.seek = offset;
  }
  {
    std::lock_guard lock(mutex_);
    bool is_there = !part_.left.empty() || !waiting_.empty() || error_;
    if (!is_there) {
      wakes_.emplace_back(offset, std::move(wake));
      return;
    }
  }
  wake();
}

void FetchedPartition::add(client::Fetched fetched) {
  Wakes ready;
  {
    std::lock_guard lock(mutex_);
    if (fetched.begin != fetched_to_.value()) return;
    fetched_to_ = Offset{fetched.end};
    end_ = std::max(end_, fetched_to_);
    bytes_ += fetched.batches.size();
    waiting_.push_back(std::move(fetched));
    for (auto& [offset, wake] : wakes_)
      if (offset < fetched_to_) ready.push_back(std::exchange(wake, nullptr));
    std::erase_if(wakes_, [](const auto& waiting) { return !waiting.second; });
  }
  for (auto& wake : ready) wake();
}

void FetchedPartition::fail_with(Error error) {
  std::vector<std::pair<Offset, Work>> ready;
  {
    std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    ready.swap(wakes_);
  }
  for (auto& [offset, wake] : ready) wake();
}

void FetchedPartition::reaches(Offset end) {
  std::lock_guard lock(mutex_);
  end_ = std::max(end_, end);
}

Offset FetchedPartition::end() const {
  std::lock_guard lock(mutex_);
  return end_;
}

std::size_t FetchedPartition::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace leat::remote
