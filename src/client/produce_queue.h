// A producer without its sockets: collects records into batches, says which may be sent when, and
// decides what becomes of a batch that failed.
//
// Order: of a partition one batch is under way at a time, so a retry cannot overtake. Partitions
// do not wait for each other. While a batch is under way the next one fills, so that a slow broker
// gets large batches whatever `linger` is.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "client/error.h"
#include "leat/options.h"
#include "record/builder.h"

namespace leat::client {

/// A record to be sent. Borrowed: its bytes are copied into a batch at once.
struct OutRecord {
  std::optional<BytesView> key;
  std::optional<BytesView> value;
  std::span<const record::Header> headers;
  std::int64_t timestamp_ms = record::no_timestamp_ms;
  /// By key where this is not given, and without a key where there is room.
  std::optional<std::int32_t> partition;
};

/// What became of the records of one batch.
struct Delivery {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int32_t record_count = 0;
  /// Of the first record, if they were acknowledged.
  std::optional<std::int64_t> base_offset;
  std::optional<Error> error;
  /// With an error: the broker may have kept the records all the same.
  bool possibly_persisted = false;
};

/// Not thread-safe. Times are those of a monotonic clock.
class ProduceQueue {
 public:
  using Time = std::chrono::nanoseconds;
  struct Partition;

  /// A batch that was taken to be sent. Its owner must give it back by one of the three members
  /// below.
  struct Batch {
    Partition* partition = nullptr;
    record::BatchBuilder builder;
    /// What is sent, once sealed. Shared with the connection that sends it.
    std::shared_ptr<const Bytes> bytes;
    std::int32_t record_count = 0;
    std::size_t buffered_bytes = 0;
    Time deadline{};
    int attempts = 0;
    bool possibly_persisted = false;

    /// Compresses the records. Needs nothing of the queue, so it may run on another thread.
    void seal(record::Compression compression);
  };

  ProduceQueue(const ProducerOptions& options, std::chrono::milliseconds retry_backoff,
               std::chrono::milliseconds retry_backoff_max, Random random);
  ~ProduceQueue();
  ProduceQueue(ProduceQueue&&) noexcept;

  /// Makes a topic known, or tells that it has more partitions by now.
  void set_topic(std::string_view name, std::int32_t partition_count);
  bool has_topic(std::string_view name) const;

  /// True when `bytes` more may be appended; always when nothing is buffered.
  bool has_room(std::size_t bytes) const;
  /// Adds a record. Errc::invalid_argument for a partition that the topic does not have. True when
  /// this opened a batch, or filled one: take() should be called, at once or after `linger`.
  /// REQUIRES: set_topic() of its topic.
  Result<bool> append(std::string_view topic, const OutRecord& record, Time now);
  /// What is queued is to be sent without lingering.
  void flush();
  /// Records neither acknowledged nor given up.
  std::int64_t pending_records() const { return pending_records_; }
  std::size_t buffered_bytes() const { return buffered_bytes_; }

  /// The broker that leads a partition, if that is known.
  using LeaderOf =
      std::function<std::optional<std::int32_t>(std::string_view topic, std::int32_t partition)>;
  struct Request {
    std::int32_t broker = 0;
    std::vector<Batch> batches;
    std::size_t bytes = 0;
  };
  struct Ready {
    std::vector<Request> requests;
    /// Given up because their time is over.
    std::vector<Delivery> expired;
    /// Batches wait whose partition has no known leader.
    bool needs_leader = false;
    /// Nothing more will be ready before then.
    std::optional<Time> next;
  };
  Ready take(Time now, const LeaderOf& leader_of);

  /// The broker has kept the batch.
  Delivery acknowledged(Batch batch, std::int64_t base_offset);
  /// It has not, or nobody knows (`possibly_persisted`), and another attempt may succeed: the batch
  /// is queued again, at the front, unless its time is over.
  std::optional<Delivery> failed(Batch batch, Error error, bool possibly_persisted, Time now);
  /// No attempt can succeed.
  Delivery refused(Batch batch, Error error);
  /// The broker takes no batch this large: its halves are queued instead. A single record is
  /// refused.
  std::optional<Delivery> too_large(Batch batch, Error error);

  static std::string_view topic_of(const Batch& batch);
  static std::int32_t partition_of(const Batch& batch);

 private:
  struct Topic;

  Partition* choose_partition(Topic& topic, const OutRecord& record, std::size_t bytes);
  bool would_overflow(const Partition& partition, std::size_t bytes) const;
  void close_open(Partition& partition);
  void expire(Partition& partition, Time now, Ready& ready);
  /// Whether a batch of `partition` may go now, which then is the first of its closed ones.
  bool make_ready(Partition& partition, Time now, Ready& ready);
  void add_to_request(Batch batch, std::int32_t broker, Ready& ready) const;
  Time backoff(int attempts);
  /// Forgets the batch and says of what records it was.
  Delivery finish(const Batch& batch);

  ProducerOptions options_;
  Time retry_backoff_;
  Time retry_backoff_max_;
  Random random_;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
  /// Partitions with anything queued.
  std::vector<Partition*> active_;
  std::size_t buffered_bytes_ = 0;
  std::int64_t pending_records_ = 0;
};

}  // namespace leat::client
