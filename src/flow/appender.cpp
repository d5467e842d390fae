#include "flow/appender.h"

#include <future>
#include <utility>
#include <vector>

#include "record/partitioner.h"

namespace leat::flow {

namespace {

// A batch that is small costs more than its records, one that is large waits for long.
constexpr std::size_t collected_max = 256 << 10;
constexpr std::size_t in_flight_max = 16 << 20;

std::optional<BytesView> bytes_of(const std::optional<std::string_view>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

std::size_t size_of(const OutRecord& record) {
  return (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
}

}  // namespace

Result<TopicPartition> Appender::place_of(const OutRecord& record) {
  if (!topic_ || topic_->name != record.topic) {
    auto found = store_.find_topic(std::string(record.topic));
    if (!found) return fail(found);
    topic_ = std::move(*found);
  }
  std::int32_t partition = 0;
  if (record.partition) {
    partition = *record.partition;
  } else if (record.key) {
    partition = record::partition_of_key(as_bytes(*record.key), topic_->partitions).value();
  }
  if (partition < 0 || partition >= topic_->partitions) {
    return fail(Errc::invalid_argument,
                "the topic '" + topic_->name + "' has no partition " + std::to_string(partition));
  }
  return TopicPartition{topic_->id, PartitionId{partition}};
}

void Appender::add(stream::OutputBatches& batches, const TopicPartition& to,
                   const OutRecord& record) const {
  std::vector<record::Header> headers;
  for (const Header& header : record.headers) {
    headers.push_back({header.name, bytes_of(header.value)});
  }
  std::int64_t time =
      record.timestamp ? record.timestamp->time_since_epoch().count() : clock_.wall_ms();
  batches.append(to, time, bytes_of(record.key), bytes_of(record.value), headers);
}

// Gives what is collected to the store. REQUIRES: mutex_ is held, so that batches keep their order.
void Appender::hand_over() {
  collected_bytes_ = 0;
  for (auto& batch : batches_.take()) {
    std::size_t size = batch.bytes.size();
    {
      std::lock_guard lock(shared_->mutex);
      shared_->in_flight_bytes += size;
    }
    store_.append(batch.partition, std::move(batch.bytes),
                  [shared = shared_, size](Result<Offset> appended) {
                    std::lock_guard lock(shared->mutex);
                    shared->in_flight_bytes -= size;
                    if (!appended && !shared->error) shared->error = appended.error();
                    shared->changed.notify_all();
                  });
  }
}

Result<void> Appender::wait(std::size_t bytes_at_most) {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [&] { return shared_->in_flight_bytes <= bytes_at_most; });
  if (!shared_->error) return {};
  return tl::unexpected(*std::exchange(shared_->error, {}));
}

Result<void> Appender::send(const OutRecord& record) {
  std::lock_guard lock(mutex_);
  auto to = place_of(record);
  if (!to) return fail(to);
  add(batches_, *to, record);
  collected_bytes_ += size_of(record);
  if (collected_bytes_ < collected_max) return {};
  hand_over();
  return wait(in_flight_max);
}

Result<void> Appender::flush() {
  std::lock_guard lock(mutex_);
  hand_over();
  return wait(0);
}

Result<Offset> Appender::append(const OutRecord& record) {
  std::promise<Result<Offset>> appended;
  {
    std::lock_guard lock(mutex_);
    auto to = place_of(record);
    if (!to) return fail(to);
    hand_over();  // what was sent before it comes before it
    stream::OutputBatches one;
    add(one, *to, record);
    for (auto& batch : one.take()) {
      store_.append(batch.partition, std::move(batch.bytes),
                    [&](Result<Offset> offset) { appended.set_value(std::move(offset)); });
    }
  }
  return appended.get_future().get();
}

}  // namespace leat::flow
