#include "tools/merged_topic.h"

#include <algorithm>
#include <limits>

#include "client/blocking_consumer.h"
#include "client/record_reader.h"
#include "record/scratch.h"

namespace leat::tools {

namespace {

constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::min();

/// What is fetched ahead, all partitions together; and the least for one of them, so that many of
/// them do not make many small requests.
constexpr std::size_t prefetch_bytes = std::size_t{32} << 20;
constexpr std::size_t prefetch_bytes_min = std::size_t{64} << 10;

}  // namespace

/// One partition: its next record, and what of it was fetched.
class MergedTopic::Stream {
 public:
  Stream(const client::BlockingClient& client, const std::string& topic, const TopicPart& part,
         const ConsumerOptions& options)
      : part_(part),
        position_(part.range.begin),
        consumer_(client, {{topic, part.partition, part.range.begin, part.range.end}}, options) {}

  /// Goes on to the next record; false at the end.
  Result<bool> advance() {
    while (true) {
      while (const record::Record* record = reader_ ? reader_->next() : nullptr) {
        position_ = record->offset.value() + 1;
        if (!part_.range.holds_time(record->timestamp_ms)) continue;
        record_ = record;
        if (record->timestamp_ms >= 0) time_ms_ = std::max(time_ms_, record->timestamp_ms);
        return true;
      }
      if (reader_ && reader_->error()) return tl::unexpected(*reader_->error());
      Result<bool> more = fetch();
      if (!more || !*more) return more;
    }
  }
  const record::Record* record() const { return record_; }
  std::int64_t time_ms() const { return time_ms_; }
  std::int32_t partition() const { return part_.partition; }
  std::int64_t offsets_done() const { return position_ - part_.range.begin; }
  std::int64_t offsets_total() const {
    return std::max<std::int64_t>(part_.range.end.value_or(part_.range.begin) - part_.range.begin,
                                  0);
  }

 private:
  Result<bool> fetch() {
    reader_.reset();
    fetched_.reset();
    while (!fetched_) {
      auto fetched = consumer_.poll(std::chrono::milliseconds(100));
      if (!fetched) return fail(fetched);
      fetched_ = std::move(*fetched);
      if (!fetched_ && consumer_.finished()) {
        position_ = part_.range.begin + offsets_total();
        return false;
      }
    }
    reader_.emplace(*fetched_, scratch_);
    return true;
  }

  TopicPart part_;
  std::int64_t position_;
  client::BlockingConsumer consumer_;
  record::Scratch scratch_;
  std::optional<client::Fetched> fetched_;
  std::optional<client::RecordReader> reader_;
  const record::Record* record_ = nullptr;
  std::int64_t time_ms_ = no_time;
};

MergedTopic::MergedTopic(const client::BlockingClient& client, const std::string& topic,
                         const std::vector<TopicPart>& parts) {
  ConsumerOptions options;
  options.prefetch_bytes =
      std::max(prefetch_bytes / std::max<std::size_t>(parts.size(), 1), prefetch_bytes_min);
  options.fetch_bytes = std::min(options.fetch_bytes, options.prefetch_bytes);
  options.partition_fetch_bytes = std::min(options.partition_fetch_bytes, options.prefetch_bytes);
  for (const TopicPart& part : parts) {
    auto stream = std::make_unique<Stream>(client, topic, part, options);
    offsets_total_ += stream->offsets_total();
    if (stream->offsets_total() > 0) streams_.push_back(std::move(stream));
  }
}

MergedTopic::~MergedTopic() = default;

bool MergedTopic::is_later(const Stream* a, const Stream* b) {
  return std::pair(a->time_ms(), a->partition()) > std::pair(b->time_ms(), b->partition());
}

Result<void> MergedTopic::advance(Stream& stream) {
  Result<bool> has_record = stream.advance();
  if (!has_record) return fail(has_record);
  if (!*has_record) return {};
  heap_.push_back(&stream);
  std::push_heap(heap_.begin(), heap_.end(), is_later);
  return {};
}

Result<std::optional<MergedTopic::Next>> MergedTopic::next() {
  Result<void> advanced;
  if (!is_started_) {
    is_started_ = true;
    for (const auto& stream : streams_)
      if (advanced) advanced = advance(*stream);
  } else if (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), is_later);
    Stream* last = heap_.back();
    heap_.pop_back();
    advanced = advance(*last);
  }
  if (!advanced) return fail(advanced);
  if (heap_.empty()) return std::optional<Next>();
  const Stream& first = *heap_.front();
  Next next{first.partition(), std::nullopt, first.record()};
  if (first.time_ms() != no_time) next.time_ms = first.time_ms();
  return next;
}

std::int64_t MergedTopic::offsets_done() const {
  std::int64_t done = 0;
  for (const auto& stream : streams_) done += stream->offsets_done();
  return done;
}

}  // namespace leat::tools
