#include "client/produce_queue.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "record/partitioner.h"
#include "record/batch.h"
#include "record/record.h"

namespace leat::client {

struct ProduceQueue::Partition {
  Topic* topic = nullptr;
  std::int32_t index = 0;
  /// Being filled.
  std::optional<Batch> open;
  Time opened_at{};
  bool flush = false;
  /// Full, or sent before in vain; in order.
  std::deque<Batch> closed;
  bool in_flight = false;
  Time retry_at{};
  bool active = false;

  bool empty() const { return !open && closed.empty(); }
};

struct ProduceQueue::Topic {
  std::string name;
  std::vector<std::unique_ptr<Partition>> partitions;
  /// Where records without a key go until its batch is sent: many small batches in all partitions
  /// would cost more than one large one in each by turns.
  Partition* sticky = nullptr;
};

void ProduceQueue::Batch::seal(record::Compression compression) {
  if (bytes) return;
  bytes = std::make_shared<const Bytes>(builder.build({.compression = compression}));
  // The records are in `bytes` now; the memory they were collected in is not needed any more.
  builder = record::BatchBuilder();
}

ProduceQueue::ProduceQueue(const ProducerOptions& options, std::chrono::milliseconds retry_backoff,
                           std::chrono::milliseconds retry_backoff_max, Random random)
    : options_(options),
      retry_backoff_(retry_backoff),
      retry_backoff_max_(retry_backoff_max),
      random_(random) {}

ProduceQueue::~ProduceQueue() = default;
ProduceQueue::ProduceQueue(ProduceQueue&&) noexcept = default;

void ProduceQueue::set_topic(std::string_view name, std::int32_t partition_count) {
  auto found = topics_.find(name);
  if (found == topics_.end())
    found = topics_.emplace(std::string(name), std::make_unique<Topic>()).first;
  Topic& topic = *found->second;
  topic.name = found->first;
  while (std::ssize(topic.partitions) < partition_count) {
    auto partition = std::make_unique<Partition>();
    partition->topic = &topic;
    partition->index = static_cast<std::int32_t>(topic.partitions.size());
    topic.partitions.push_back(std::move(partition));
  }
}

bool ProduceQueue::has_topic(std::string_view name) const {
  return topics_.find(name) != topics_.end();
}

bool ProduceQueue::has_room(std::size_t bytes) const {
  return buffered_bytes_ == 0 || buffered_bytes_ + bytes <= options_.buffer_bytes;
}

Result<bool> ProduceQueue::append(std::string_view topic_name, const OutRecord& record, Time now) {
  auto found = topics_.find(topic_name);
  ASSERT(found != topics_.end());
  Topic& topic = *found->second;
  std::size_t bytes =
      record::BatchBuilder::record_bytes_max(record.key, record.value, record.headers);
  Partition* partition = choose_partition(topic, record, bytes);
  if (!partition)
    return fail(Errc::invalid_argument,
                fmt::format("topic {} has {} partitions and none of number {}", topic.name,
                            topic.partitions.size(), record.partition.value_or(-1)));
  bool wake = false;
  if (would_overflow(*partition, bytes)) {
    close_open(*partition);
    wake = true;
  }
  if (!partition->open) {
    partition->open.emplace();
    partition->open->partition = partition;
    partition->open->deadline = now + options_.delivery_timeout;
    partition->opened_at = now;
    wake = true;
  }
  if (!partition->active) active_.push_back(partition);
  partition->active = true;
  Batch& batch = *partition->open;
  batch.builder.append(record.timestamp_ms, record.key, record.value, record.headers);
  batch.buffered_bytes += bytes;
  ++batch.record_count;
  buffered_bytes_ += bytes;
  ++pending_records_;
  return wake;
}

bool ProduceQueue::would_overflow(const Partition& partition, std::size_t bytes) const {
  return partition.open && partition.open->builder.size_bytes() + bytes > options_.batch_bytes;
}

ProduceQueue::Partition* ProduceQueue::choose_partition(Topic& topic, const OutRecord& record,
                                                        std::size_t bytes) {
  auto count = static_cast<std::int32_t>(topic.partitions.size());
  if (record.partition) {
    bool exists = *record.partition >= 0 && *record.partition < count;
    return exists ? topic.partitions[*record.partition].get() : nullptr;
  }
  if (count == 0) return nullptr;
  if (record.key) {
    std::int32_t partition = record::partition_of_key(*record.key, count).value();
    return topic.partitions[static_cast<std::size_t>(partition)].get();
  }
  if (!topic.sticky || would_overflow(*topic.sticky, bytes))
    topic.sticky = topic.partitions[random_.below(static_cast<std::uint64_t>(count))].get();
  return topic.sticky;
}

void ProduceQueue::close_open(Partition& partition) {
  partition.closed.push_back(std::move(*partition.open));
  partition.open.reset();
  partition.flush = false;
  if (partition.topic->sticky == &partition) partition.topic->sticky = nullptr;
}

void ProduceQueue::flush() {
  for (Partition* partition : active_) partition->flush = partition->open.has_value();
}

ProduceQueue::Ready ProduceQueue::take(Time now, const LeaderOf& leader_of) {
  Ready ready;
  for (Partition* partition : active_) {
    expire(*partition, now, ready);
    if (!make_ready(*partition, now, ready)) continue;
    auto leader = leader_of(partition->topic->name, partition->index);
    if (!leader) {
      ready.needs_leader = true;
      continue;
    }
    partition->in_flight = true;
    add_to_request(std::move(partition->closed.front()), *leader, ready);
    partition->closed.pop_front();
  }
  std::erase_if(active_, [](Partition* partition) {
    partition->active = !partition->empty();
    return !partition->active;
  });
  return ready;
}

bool ProduceQueue::make_ready(Partition& partition, Time now, Ready& ready) {
  auto not_before = [&](Time time) {
    ready.next = std::min(ready.next.value_or(time), time);
    return false;
  };
  if (partition.empty() || partition.in_flight) return false;
  not_before(partition.closed.empty() ? partition.open->deadline
                                      : partition.closed.front().deadline);
  if (now < partition.retry_at) return not_before(partition.retry_at);
  if (!partition.closed.empty()) return true;
  Time due = partition.opened_at + options_.linger;
  if (!partition.flush && now < due) return not_before(due);
  close_open(partition);
  return true;
}

void ProduceQueue::expire(Partition& partition, Time now, Ready& ready) {
  auto give_up = [&](Batch& batch) {
    Delivery delivery = finish(batch);
    delivery.possibly_persisted = batch.possibly_persisted;
    delivery.error = Error{Errc::request_timed_out,
                           fmt::format("{}/{}: {} records were not acknowledged within {} s",
                                       delivery.topic, delivery.partition, delivery.record_count,
                                       options_.delivery_timeout.count() / 1000)};
    ready.expired.push_back(std::move(delivery));
  };
  while (!partition.closed.empty() && partition.closed.front().deadline <= now) {
    give_up(partition.closed.front());
    partition.closed.pop_front();
  }
  if (partition.closed.empty() && partition.open && partition.open->deadline <= now) {
    close_open(partition);
    give_up(partition.closed.front());
    partition.closed.pop_front();
  }
}

void ProduceQueue::add_to_request(Batch batch, std::int32_t broker, Ready& ready) const {
  std::size_t bytes = batch.buffered_bytes;
  auto fits = [&](const Request& request) {
    return request.broker == broker && request.bytes + bytes <= options_.request_bytes;
  };
  auto found = std::find_if(ready.requests.begin(), ready.requests.end(), fits);
  if (found == ready.requests.end()) {
    ready.requests.push_back({.broker = broker, .batches = {}, .bytes = 0});
    found = std::prev(ready.requests.end());
  }
  found->bytes += bytes;
  found->batches.push_back(std::move(batch));
}

Delivery ProduceQueue::finish(const Batch& batch) {
  buffered_bytes_ -= batch.buffered_bytes;
  pending_records_ -= batch.record_count;
  return {.topic = batch.partition->topic->name,
          .partition = batch.partition->index,
          .record_count = batch.record_count,
          .base_offset = {},
          .error = {},
          .possibly_persisted = false};
}

Delivery ProduceQueue::acknowledged(Batch batch, std::int64_t base_offset) {
  batch.partition->in_flight = false;
  Delivery delivery = finish(batch);
  delivery.base_offset = base_offset;
  return delivery;
}

std::optional<Delivery> ProduceQueue::failed(Batch batch, Error error, bool possibly_persisted,
                                             Time now) {
  Partition& partition = *batch.partition;
  batch.possibly_persisted |= possibly_persisted;
  ++batch.attempts;
  Time retry_at = now + backoff(batch.attempts);
  if (retry_at >= batch.deadline) {
    bool persisted = batch.possibly_persisted;
    error.what += fmt::format(" (after {} attempts)", batch.attempts);
    Delivery delivery = refused(std::move(batch), std::move(error));
    delivery.possibly_persisted = persisted;
    return delivery;
  }
  partition.in_flight = false;
  partition.retry_at = retry_at;
  partition.closed.push_front(std::move(batch));
  if (!partition.active) active_.push_back(&partition);
  partition.active = true;
  return std::nullopt;
}

Delivery ProduceQueue::refused(Batch batch, Error error) {
  batch.partition->in_flight = false;
  Delivery delivery = finish(batch);
  delivery.error = std::move(error);
  delivery.possibly_persisted = batch.possibly_persisted;
  return delivery;
}

std::optional<Delivery> ProduceQueue::too_large(Batch batch, Error error) {
  if (batch.record_count == 1) return refused(std::move(batch), std::move(error));
  Partition& partition = *batch.partition;
  auto view = record::BatchView::parse(*batch.bytes);
  ASSERT(view);  // we built it
  Batch halves[2];
  std::int32_t count = 0;
  record::RecordIterator records(*view);
  while (const record::Record* record = records.next()) {
    Batch& half = halves[count++ < batch.record_count / 2 ? 0 : 1];
    std::vector<record::Header> headers;
    for (const record::Header& header : record->headers) headers.push_back(header);
    half.builder.append(record->timestamp_ms, record->key, record->value, headers);
    half.buffered_bytes +=
        record::BatchBuilder::record_bytes_max(record->key, record->value, headers);
    ++half.record_count;
  }
  ASSERT(!records.error());
  buffered_bytes_ += halves[0].buffered_bytes + halves[1].buffered_bytes - batch.buffered_bytes;
  partition.in_flight = false;
  for (Batch* half : {&halves[1], &halves[0]}) {
    half->partition = &partition;
    half->deadline = batch.deadline;
    partition.closed.push_front(std::move(*half));
  }
  if (!partition.active) active_.push_back(&partition);
  partition.active = true;
  return std::nullopt;
}

ProduceQueue::Time ProduceQueue::backoff(int attempts) {
  Time delay = retry_backoff_;
  for (int i = 1; i < attempts && delay < retry_backoff_max_; ++i) delay *= 2;
  delay = std::min(delay, retry_backoff_max_);
  // A fifth up or down, so that clients that failed together do not come back together.
  return delay * random_.between(80, 120) / 100;
}

std::string_view ProduceQueue::topic_of(const Batch& batch) {
  return batch.partition->topic->name;
}

std::int32_t ProduceQueue::partition_of(const Batch& batch) {
  return batch.partition->index;
}

}  // namespace leat::client
