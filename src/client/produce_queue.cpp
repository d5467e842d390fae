#include "client/produce_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "client/wire_error.h"
#include "record/batch.h"
#include "record/partitioner.h"

namespace leat::client {

using wire::ErrorCode;

struct ProducePartition {
  explicit ProducePartition(PartitionQueue::Mode mode) : queue(mode) {}

  ProduceTopic* topic = nullptr;
  std::int32_t index = 0;
  /// Being filled.
  std::optional<ProduceBatch> open;
  ProduceBatch::Time opened_at{};
  bool flush = false;
  /// Of the batch that was closed last.
  std::size_t last_bytes = 0;
  /// Full, or sent before in vain.
  PartitionQueue queue;
  std::uint64_t next_number = 0;
  ProduceBatch::Time retry_at{};
  bool is_active = false;

  bool is_empty() const { return !open && queue.empty(); }
};

struct ProduceTopic {
  std::string name;
  std::vector<std::unique_ptr<ProducePartition>> partitions;
  /// Where records without a key go until its batch is sent: many small batches in all partitions
  /// would cost more than one large one in each by turns.
  ProducePartition* sticky = nullptr;
};

ProduceQueue::ProduceQueue(const ProducerOptions& options, Backoff backoff, Random random)
    : options_(options),
      memory_(std::make_shared<RecycledMemory>(options.buffer_bytes)),
      backoff_(backoff),
      random_(random) {}

ProduceQueue::~ProduceQueue() = default;
ProduceQueue::ProduceQueue(ProduceQueue&&) noexcept = default;

void ProduceQueue::set_topic(std::string_view name, std::int32_t partition_count) {
  auto found = topics_.find(name);
  if (found == topics_.end())
    found = topics_.emplace(std::string(name), std::make_unique<Topic>()).first;
  Topic& topic = *found->second;
  topic.name = found->first;
  using Mode = PartitionQueue::Mode;
  Mode mode = !options_.transactional_id.empty() ? Mode::transactional
              : options_.idempotence             ? Mode::idempotent
                                                 : Mode::plain;
  while (std::ssize(topic.partitions) < partition_count) {
    auto partition = std::make_unique<Partition>(mode);
    partition->topic = &topic;
    partition->index = static_cast<std::int32_t>(topic.partitions.size());
    topic.partitions.push_back(std::move(partition));
  }
}

bool ProduceQueue::has_room(std::size_t bytes) const {
  return buffered_bytes_ == 0 || buffered_bytes_ + bytes <= options_.buffer_bytes;
}

ProduceTopic& ProduceQueue::topic_named(std::string_view name) {
  if (last_topic_ && last_topic_->name == name) return *last_topic_;
  auto found = topics_.find(name);
  ASSERT(found != topics_.end());
  last_topic_ = found->second.get();
  return *last_topic_;
}

Result<bool> ProduceQueue::append(std::string_view topic_name, const OutRecord& record,
                                  LazyTime now, Hook hook) {
  Topic& topic = topic_named(topic_name);
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
    open_batch(*partition, now.get());
    wake = true;
  }
  Batch& batch = *partition->open;
  batch.builder.append(record.timestamp_ms, record.key, record.value, record.headers);
  if (hook.tag) {
    batch.tags.resize(static_cast<std::size_t>(batch.record_count));
    batch.tags.push_back(*hook.tag);
  }
  if (hook.done) batch.waiters.push_back({batch.record_count, std::move(hook.done)});
  batch.buffered_bytes += bytes;
  ++batch.record_count;
  buffered_bytes_ += bytes;
  ++pending_records_;
  return wake;
}

void ProduceQueue::append_batch(
    std::string_view topic_name, std::int32_t index, SharedBytes bytes, Time now,
    UniqueFunction<void(const Delivery& delivery, std::int32_t record)> done) {
  Topic& topic = topic_named(topic_name);
  ASSERT(index >= 0 && index < std::ssize(topic.partitions));
  Partition& partition = *topic.partitions[static_cast<std::size_t>(index)];
  if (partition.open) close_open(partition);
  auto view = record::BatchView::parse(bytes.view());
  ASSERT(view);
  Batch batch;
  batch.partition = &partition;
  batch.record_count = view->record_count();
  batch.buffered_bytes = bytes.size;
  batch.bytes = std::move(bytes);
  batch.deadline = now + options_.delivery_timeout;
  batch.number = partition.next_number;
  batch.generation = generation_;
  batch.waiters.push_back({Waiter::all, std::move(done)});
  partition.next_number += static_cast<std::uint64_t>(batch.record_count);
  ++unfinished_[generation_];
  buffered_bytes_ += batch.buffered_bytes;
  pending_records_ += batch.record_count;
  partition.queue.push(std::move(batch));
  activate(partition);
}

bool ProduceQueue::would_overflow(const Partition& partition, std::size_t bytes) const {
  return partition.open && partition.open->builder.size_bytes() + bytes > options_.batch_bytes;
}

ProducePartition* ProduceQueue::choose_partition(Topic& topic, const OutRecord& record,
                                                 std::size_t bytes) {
  auto count = static_cast<std::int32_t>(topic.partitions.size());
  if (record.partition) {
    bool exists = *record.partition >= 0 && *record.partition < count;
    return exists ? topic.partitions[static_cast<std::size_t>(*record.partition)].get() : nullptr;
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

void ProduceQueue::open_batch(Partition& partition, Time now) {
  Batch& batch = partition.open.emplace();
  // Of about the size of the one before, so that it need not grow, nor take more than it needs.
  std::size_t usual_bytes = partition.last_bytes + partition.last_bytes / 4;
  batch.builder = record::BatchBuilder({memory_, usual_bytes, options_.batch_bytes});
  batch.partition = &partition;
  batch.deadline = now + options_.delivery_timeout;
  batch.is_transactional = !options_.transactional_id.empty();
  batch.generation = generation_;
  ++unfinished_[generation_];
  partition.opened_at = now;
  activate(partition);
}

void ProduceQueue::close_open(Partition& partition) {
  partition.open->number = partition.next_number;
  partition.last_bytes = partition.open->builder.size_bytes();
  partition.next_number += static_cast<std::uint64_t>(partition.open->record_count);
  partition.queue.push(std::move(*partition.open));
  partition.open.reset();
  partition.flush = false;
  if (partition.topic->sticky == &partition) partition.topic->sticky = nullptr;
}

void ProduceQueue::activate(Partition& partition) {
  if (!partition.is_active) active_.push_back(&partition);
  partition.is_active = true;
}

std::uint64_t ProduceQueue::flush() {
  for (Partition* partition : active_) partition->flush = partition->open.has_value();
  return generation_++;
}

bool ProduceQueue::flush_for_room() {
  std::int64_t filling = 0;
  bool is_new = false;
  for (const Partition* partition : active_) {
    if (!partition->open) continue;
    filling += partition->open->record_count;
    is_new |= !partition->flush;
  }
  if (!is_new || filling < pending_records_) return false;
  flush();
  return true;
}

ProduceQueue::Ready ProduceQueue::take(Time now, const LeaderOf& leader_of) {
  Ready ready;
  for (Partition* partition : active_) {
    expire(*partition, now, ready);
    take_from(*partition, now, leader_of, ready);
  }
  std::erase_if(active_, [](Partition* partition) {
    partition->is_active = !partition->is_empty();
    return !partition->is_active;
  });
  return ready;
}

void ProduceQueue::take_from(Partition& partition, Time now, const LeaderOf& leader_of,
                             Ready& ready) {
  if (auto spent = partition.queue.renumber_if_due(); spent && producer_.id == *spent)
    producer_ = {};
  // Of one partition a request can have one batch.
  std::size_t next_request = 0;
  while (is_due(partition, now, ready)) {
    auto leader = leader_of(partition.topic->name, partition.index);
    if (!leader) {
      ready.needs_leader = true;
      return;
    }
    if (*leader == not_yet || !partition.queue.can_send(*leader, now)) return;
    if (partition.queue.needs_producer(producer_)) {
      ready.needs_producer = true;
      return;
    }
    if (partition.queue.empty()) close_open(partition);
    Batch batch = partition.queue.take(*leader, producer_);
    next_request = add_to_request(std::move(batch), *leader, next_request, ready) + 1;
  }
}

bool ProduceQueue::is_due(const Partition& partition, Time now, Ready& ready) const {
  auto not_before = [&](Time time) {
    ready.next = std::min(ready.next.value_or(time), time);
    return false;
  };
  if (partition.is_empty()) return false;
  not_before(partition.queue.empty() ? partition.open->deadline : partition.queue.front().deadline);
  if (now < partition.retry_at) return not_before(partition.retry_at);
  if (!partition.queue.empty()) return true;
  Time due = partition.opened_at + options_.linger;
  return partition.flush || now >= due || not_before(due);
}

void ProduceQueue::expire(Partition& partition, Time now, Ready& ready) {
  auto give_up = [&](Batch batch) {
    Delivery delivery = finish(batch);
    delivery.error = Error{Errc::request_timed_out,
                           fmt::format("{}/{}: {} records were not acknowledged within {} s",
                                       delivery.topic, delivery.partition, delivery.record_count,
                                       options_.delivery_timeout.count() / 1000)};
    delivery.error->possibly_persisted = delivery.possibly_persisted;
    ready.expired.push_back(std::move(delivery));
  };
  partition.queue.expire(now, give_up);
  if (!partition.queue.empty() || !partition.open || partition.open->deadline > now) return;
  close_open(partition);
  partition.queue.expire(now, give_up);
}

std::size_t ProduceQueue::add_to_request(Batch batch, std::int32_t broker, std::size_t after,
                                         Ready& ready) const {
  std::size_t bytes = batch.buffered_bytes;
  std::size_t at = after;
  auto fits = [&](const Request& request) {
    return request.broker == broker && request.bytes + bytes <= options_.request_bytes;
  };
  while (at < ready.requests.size() && !fits(ready.requests[at])) ++at;
  if (at == ready.requests.size())
    ready.requests.push_back({.broker = broker, .batches = {}, .bytes = 0});
  ready.requests[at].bytes += bytes;
  ready.requests[at].batches.push_back(std::move(batch));
  return at;
}

Delivery ProduceQueue::finish(Batch& batch) {
  buffered_bytes_ -= batch.buffered_bytes;
  pending_records_ -= batch.record_count;
  auto unfinished = unfinished_.find(batch.generation);
  if (--unfinished->second == 0) unfinished_.erase(unfinished);
  Delivery delivery;
  delivery.topic = batch.partition->topic->name;
  delivery.partition = batch.partition->index;
  delivery.record_count = batch.record_count;
  delivery.possibly_persisted = batch.possibly_persisted;
  delivery.was_sent = batch.numbering.has_value();
  delivery.tags = std::move(batch.tags);
  delivery.tags.resize(delivery.tags.empty() ? 0 : static_cast<std::size_t>(batch.record_count));
  delivery.waiters = std::move(batch.waiters);
  return delivery;
}

std::optional<Delivery> ProduceQueue::answered(Batch batch, ProduceAnswer answer, Time now) {
  PartitionQueue& queue = batch.partition->queue;
  queue.came_back(batch);
  switch (answer.code) {
    case ErrorCode::none:
    case ErrorCode::duplicate_sequence_number: {
      queue.acknowledged(batch, now);
      Delivery delivery = finish(batch);
      delivery.possibly_persisted = false;
      if (answer.base_offset >= 0) delivery.base_offset = answer.base_offset;
      if (answer.append_time_ms >= 0) delivery.append_time_ms = answer.append_time_ms;
      return delivery;
    }
    case ErrorCode::out_of_order_sequence_number:
    case ErrorCode::unknown_producer_id:
      if (batch.numbering) return refused_sequence(std::move(batch), std::move(answer), now);
      break;
    case ErrorCode::message_too_large:
      // One that may be there cannot be told from its halves any more.
      if (batch.record_count == 1 || batch.possibly_persisted) break;
      split(std::move(batch));
      return std::nullopt;
    default: break;
  }
  if (may_have_appended(answer.code)) queue.doubt(batch);
  if (!wire::retriable(answer.code)) return give_up(std::move(batch), std::move(answer.error));
  return retry(std::move(batch), std::move(answer.error), now);
}

std::optional<Delivery> ProduceQueue::unanswered(Batch batch, Error error, bool was_sent,
                                                 Time now) {
  PartitionQueue& queue = batch.partition->queue;
  queue.came_back(batch);
  if (was_sent) queue.doubt(batch);
  // What the broker cannot do at all will not change, nor will a program that is ending.
  if (!is_transient(error)) return give_up(std::move(batch), std::move(error));
  return retry(std::move(batch), std::move(error), now);
}

std::optional<Delivery> ProduceQueue::refused_sequence(Batch batch, ProduceAnswer answer,
                                                       Time now) {
  bool is_unknown = answer.code == ErrorCode::unknown_producer_id;
  auto refusal = batch.partition->queue.refused_sequence(batch, is_unknown);
  if (refusal == PartitionQueue::Refusal::give_up)
    return give_up(std::move(batch), std::move(answer.error));
  return retry(std::move(batch), std::move(answer.error), now);
}

std::optional<Delivery> ProduceQueue::retry(Batch batch, Error error, Time now) {
  Partition& partition = *batch.partition;
  if (failing_) return give_up(std::move(batch), *failing_);
  ++batch.attempts;
  Time retry_at = now + backoff_.after(batch.attempts, random_);
  if (retry_at >= batch.deadline) {
    error.what += fmt::format(" (after {} attempts)", batch.attempts);
    return give_up(std::move(batch), std::move(error));
  }
  partition.retry_at = std::max(partition.retry_at, retry_at);
  partition.queue.retry(std::move(batch));
  activate(partition);
  return std::nullopt;
}

Delivery ProduceQueue::give_up(Batch batch, Error error) {
  batch.partition->queue.gave_up(batch);
  Delivery delivery = finish(batch);
  delivery.error = std::move(error);
  delivery.error->possibly_persisted = delivery.possibly_persisted;
  return delivery;
}

void ProduceQueue::split(Batch batch) {
  Partition& partition = *batch.partition;
  auto halves = batch.split();
  buffered_bytes_ +=
      halves.first.buffered_bytes + halves.second.buffered_bytes - batch.buffered_bytes;
  ++unfinished_[batch.generation];
  partition.queue.split(std::move(halves));
  activate(partition);
}

std::vector<Delivery> ProduceQueue::fail_all(const Error& error) {
  failing_ = error;
  return fail_waiting(error);
}

std::vector<Delivery> ProduceQueue::fail_waiting(const Error& error) {
  std::vector<Delivery> failed;
  auto give_up = [&](Batch batch) {
    Delivery& delivery = failed.emplace_back(finish(batch));
    delivery.error = error;
    delivery.error->possibly_persisted = delivery.possibly_persisted;
  };
  for (Partition* partition : active_) {
    if (partition->open) close_open(*partition);
    partition->queue.expire(Time::max(), give_up);
  }
  return failed;
}

std::string_view ProduceQueue::topic_of(const Batch& batch) {
  return batch.partition->topic->name;
}

std::int32_t ProduceQueue::partition_of(const Batch& batch) {
  return batch.partition->index;
}

}  // namespace leat::client
