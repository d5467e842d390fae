#include "tools/merged_topic.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <utility>

namespace leat::tools {

namespace {

constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::min();

/// What is held of all partitions together before those that have something rest, and as much again
/// may be on its way; and the least of one partition, so that many of them do not make many small
/// requests.
constexpr std::size_t held_bytes_max = std::size_t{16} << 20;
constexpr std::size_t partition_bytes_min = std::size_t{64} << 10;

ConsumerOptions options_for(std::size_t partitions) {
  ConsumerOptions options;
  options.offset_reset = OffsetReset::none;
  options.prefetch_bytes = held_bytes_max;
  options.partition_fetch_bytes = std::clamp(held_bytes_max / std::max<std::size_t>(partitions, 1),
                                             partition_bytes_min, options.partition_fetch_bytes);
  return options;
}

}  // namespace

/// One partition: its next record, and what of it was fetched.
class MergedTopic::Stream {
 public:
  Stream(const std::string& topic, const TopicPart& part)
      : partition_{topic, part.partition},
        range_(part.range),
        end_(part.range.end.value_or(part.range.begin)),
        position_(range_.begin) {}

  void add(PartitionRecords fetched) {
    if (is_finished()) return;
    bytes_ += fetched.records.bytes();
    fetched_.push_back(std::move(fetched));
  }
  /// Goes on to the next record of what was fetched; false where there is none.
  bool advance() {
    while (!fetched_.empty()) {
      Records& records = fetched_.front().records;
      if (at_)
        ++*at_;
      else
        at_ = records.begin();
      if (*at_ == records.end()) {
        skip_to(fetched_.front().next_offset);
        drop_first();
        continue;
      }
      record_ = &**at_;
      skip_to(record_->offset + 1);
      if (record_->offset >= end_) return false;
      std::int64_t time_ms = record_->timestamp.time_since_epoch().count();
      if (!range_.holds_time(time_ms)) continue;
      if (time_ms >= 0) time_ms_ = std::max(time_ms_, time_ms);
      return true;
    }
    return false;
  }
  void drop_all() {
    while (!fetched_.empty()) drop_first();
  }
  /// There is nothing before that offset any more.
  void skip_to(std::int64_t offset) { position_ = std::clamp(offset, position_, end_); }
  bool is_finished() const { return position_ >= end_; }

  const Partition& partition() const { return partition_; }
  const InRecord* record() const { return record_; }
  std::int64_t time_ms() const { return time_ms_; }
  std::size_t bytes() const { return bytes_; }
  std::int64_t offsets_done() const { return position_ - range_.begin; }
  std::int64_t offsets_total() const { return std::max<std::int64_t>(end_ - range_.begin, 0); }

  bool is_resting = false;

 private:
  void drop_first() {
    bytes_ -= fetched_.front().records.bytes();
    at_.reset();
    fetched_.pop_front();
  }

  Partition partition_;
  PartitionRange range_;
  std::int64_t end_;
  std::int64_t position_;
  std::deque<PartitionRecords> fetched_;
  std::size_t bytes_ = 0;
  std::optional<Records::Iterator> at_;
  const InRecord* record_ = nullptr;
  std::int64_t time_ms_ = no_time;
};

MergedTopic::MergedTopic(ClientOptions connect, const std::string& topic,
                         const std::vector<TopicPart>& parts)
    : consumer_(std::move(connect), options_for(parts.size())) {
  std::vector<PartitionOffset> positions;
  for (const TopicPart& part : parts) {
    auto stream = std::make_unique<Stream>(topic, part);
    if (stream->offsets_total() == 0) continue;
    offsets_total_ += stream->offsets_total();
    positions.push_back({stream->partition(), part.range.begin});
    streams_.emplace(part.partition, std::move(stream));
  }
  consumer_.assign(std::move(positions));
}

MergedTopic::~MergedTopic() = default;

bool MergedTopic::is_later(const Stream* a, const Stream* b) {
  return std::pair(a->time_ms(), a->partition().number) >
         std::pair(b->time_ms(), b->partition().number);
}

void MergedTopic::advance(Stream& stream) {
  while (!stream.advance()) {
    if (!stream.is_finished()) {
      fetch(stream);
      continue;
    }
    stream.drop_all();
    return consumer_.pause(stream.partition());
  }
  heap_.push_back(&stream);
  std::push_heap(heap_.begin(), heap_.end(), is_later);
}

void MergedTopic::fetch(Stream& stream) {
  if (std::exchange(stream.is_resting, false)) consumer_.resume(stream.partition());
  rest_others(stream);
  Records records = consumer_.poll(std::chrono::milliseconds(100));
  for (PartitionRecords& fetched : records.split())
    streams_.at(fetched.partition.number)->add(std::move(fetched));
  if (stream.bytes() > 0) return;
  // What is left of it may be nothing that is shown to readers.
  if (auto position = consumer_.position(stream.partition())) stream.skip_to(*position);
}

/// So that one that is far behind does not make what is held of the others grow.
void MergedTopic::rest_others(const Stream& stream) {
  std::size_t held = 0;
  for (const auto& [partition, other] : streams_) held += other->bytes();
  if (held < held_bytes_max) return;
  for (const auto& [partition, other] : streams_) {
    if (other.get() == &stream || other->bytes() == 0 || other->is_resting) continue;
    other->is_resting = true;
    consumer_.pause(other->partition());
  }
}

std::optional<MergedTopic::Next> MergedTopic::next() {
  if (!is_started_) {
    is_started_ = true;
    for (const auto& [partition, stream] : streams_) advance(*stream);
  } else if (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), is_later);
    Stream* last = heap_.back();
    heap_.pop_back();
    advance(*last);
  }
  if (heap_.empty()) return std::nullopt;
  const Stream& first = *heap_.front();
  Next next{std::nullopt, first.record()};
  if (first.time_ms() != no_time) next.time_ms = first.time_ms();
  return next;
}

std::int64_t MergedTopic::offsets_done() const {
  std::int64_t done = 0;
  for (const auto& [partition, stream] : streams_) done += stream->offsets_done();
  return done;
}

}  // namespace leat::tools
