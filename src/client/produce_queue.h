// A producer without its sockets: collects records into batches, says which may be sent when, and
// decides what becomes of a batch that failed.
//
// In which order the batches of a partition go, and under which sequences, is in partition_queue.h.
// Partitions do not wait for each other. While as many batches are under way as may be the next one
// fills, so that a slow broker gets large batches whatever `linger` is.
#pragma once

#include <chrono>
#include <cstdint>
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
#include "client/backoff.h"
#include "leat/options.h"
#include "client/partition_queue.h"
#include "client/produce_batch.h"
#include "record/builder.h"
#include "wire/error_code.h"

namespace leat::client {

struct ProduceTopic;

/// A record to be sent. Borrowed: its bytes are copied into a batch at once.
struct OutRecord {
  std::optional<BytesView> key;
  std::optional<BytesView> value;
  std::span<const record::Header> headers;
  std::int64_t timestamp_ms = record::no_timestamp_ms;
  /// By key where this is not given, and without a key where there is room.
  std::optional<std::int32_t> partition;
};

/// Who is told what became of a record, beside its batch.
struct Hook {
  /// Given back with the batch, in the order of the records.
  std::optional<std::uint64_t> tag;
  UniqueFunction<void(const Delivery& delivery, std::int32_t record)> done;
};

/// What became of the records of one batch.
struct Delivery {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int32_t record_count = 0;
  /// Of the first record, if they were acknowledged. A broker that had them already may have
  /// forgotten where.
  std::optional<std::int64_t> base_offset;
  /// The broker's time, where the topic is set to have it.
  std::optional<std::int64_t> append_time_ms;
  std::optional<Error> error;
  /// With an error: the broker may have kept the records all the same.
  bool possibly_persisted = false;
  /// Its sequence, if it had one, was used.
  bool was_sent = false;
  std::vector<std::uint64_t> tags;
  std::vector<Waiter> waiters;
};

/// What a broker said of one batch.
struct ProduceAnswer {
  wire::ErrorCode code = wire::ErrorCode::none;
  std::int64_t base_offset = -1;
  std::int64_t append_time_ms = -1;
  /// For people; names topic, partition and broker. Of no meaning without an error code.
  Error error{Errc::broker_error, ""};
};

/// A time, or a clock that is read only where it matters: that takes as long as to add a record.
class LazyTime {
 public:
  template <class Rep, class Period>
  LazyTime(std::chrono::duration<Rep, Period> time) : time_(time) {}
  LazyTime(ProduceBatch::Time (*clock)()) : clock_(clock) {}

  ProduceBatch::Time get() const { return clock_ ? clock_() : time_; }

 private:
  ProduceBatch::Time time_{};
  ProduceBatch::Time (*clock_)() = nullptr;
};

/// Not thread-safe. Times are those of a monotonic clock. Holds at most options.buffer_bytes of
/// records, or a single larger one.
class ProduceQueue {
 public:
  using Time = ProduceBatch::Time;
  using Batch = ProduceBatch;

  ProduceQueue(const ProducerOptions& options, Backoff backoff, Random random);
  ~ProduceQueue();
  ProduceQueue(ProduceQueue&&) noexcept;

  /// Makes a topic known, or tells that it has more partitions by now.
  void set_topic(std::string_view name, std::int32_t partition_count);
  bool has_topic(std::string_view name) const { return topics_.contains(name); }
  /// Under what an idempotent producer numbers what it sends first in a partition.
  void set_producer(ProducerEpoch producer) { producer_ = producer; }

  /// True when `bytes` more may be appended; always when nothing is buffered.
  bool has_room(std::size_t bytes) const;
  /// Adds a record. Errc::invalid_argument for a partition that the topic does not have. True when
  /// this opened a batch, or filled one: take() should be called, at once or after `linger`.
  /// REQUIRES: set_topic() of its topic.
  Result<bool> append(std::string_view topic, const OutRecord& record, LazyTime now,
                      Hook hook = {});
  /// Adds a batch that is built already, without a producer, behind all records of its partition,
  /// whether or not there is room; it is not compressed any more. `done` is told of it once, also
  /// when it is split: then whether any of it failed. REQUIRES: set_topic() of its topic, and that
  /// it has the partition.
  void append_batch(std::string_view topic, std::int32_t partition, SharedBytes batch, Time now,
                    UniqueFunction<void(const Delivery& delivery, std::int32_t record)> done);
  /// What is queued is to be sent without lingering. is_flushed() of what this returns says whether
  /// all of it was delivered, one way or the other.
  std::uint64_t flush();
  /// The same if nothing else will make room, and this has not been said before. Where batches are
  /// sent already the others may go on filling: a program that waits for room time and again would
  /// send ever smaller ones.
  bool flush_for_room();
  bool is_flushed(std::uint64_t flush) const {
    return unfinished_.empty() || unfinished_.begin()->first > flush;
  }
  /// Records neither acknowledged nor given up.
  std::int64_t pending_records() const { return pending_records_; }
  std::size_t buffered_bytes() const { return buffered_bytes_; }

  /// The broker that leads a partition, if that is known, or `not_yet` while nothing may be sent to
  /// it for another reason.
  using LeaderOf =
      std::function<std::optional<std::int32_t>(std::string_view topic, std::int32_t partition)>;
  static constexpr std::int32_t not_yet = -1;
  struct Request {
    std::int32_t broker = 0;
    std::vector<Batch> batches;
    std::size_t bytes = 0;
  };
  struct Ready {
    /// Those for one broker must reach it in this order, behind all that were taken before.
    std::vector<Request> requests;
    /// Given up because their time is over.
    std::vector<Delivery> expired;
    /// Batches wait whose partition has no known leader.
    bool needs_leader = false;
    /// Batches wait for a producer id.
    bool needs_producer = false;
    /// Nothing more will be ready before then.
    std::optional<Time> next;
  };
  /// The batches that may be sent now. Their owner must give each one back by one of the members
  /// below.
  Ready take(Time now, const LeaderOf& leader_of);

  /// The broker has answered. What this returns is final; otherwise the batch, or its halves where
  /// it was too large, is queued again.
  std::optional<Delivery> answered(Batch batch, ProduceAnswer answer, Time now);
  /// There is no answer. If it `was_sent`, the broker may have kept the batch. It is sent again if
  /// the error is one that passes.
  std::optional<Delivery> unanswered(Batch batch, Error error, bool was_sent, Time now);

  /// Gives up everything that is not under way.
  std::vector<Delivery> fail_waiting(const Error& error);
  /// The same, and of what is under way, what comes back unacknowledged: until recover().
  std::vector<Delivery> fail_all(const Error& error);
  void recover() { failing_.reset(); }

  static std::string_view topic_of(const Batch& batch);
  static std::int32_t partition_of(const Batch& batch);

 private:
  using Partition = ProducePartition;
  using Topic = ProduceTopic;

  Topic& topic_named(std::string_view name);
  Partition* choose_partition(Topic& topic, const OutRecord& record, std::size_t bytes);
  bool would_overflow(const Partition& partition, std::size_t bytes) const;
  void open_batch(Partition& partition, Time now);
  void close_open(Partition& partition);
  void activate(Partition& partition);
  void expire(Partition& partition, Time now, Ready& ready);
  void take_from(Partition& partition, Time now, const LeaderOf& leader_of, Ready& ready);
  /// Whether a batch of `partition` has waited long enough.
  bool is_due(const Partition& partition, Time now, Ready& ready) const;
  /// Adds to the first request behind `after` that has room; which one that was.
  std::size_t add_to_request(Batch batch, std::int32_t broker, std::size_t after,
                             Ready& ready) const;
  std::optional<Delivery> refused_sequence(Batch batch, ProduceAnswer answer, Time now);
  void split(Batch batch);
  std::optional<Delivery> retry(Batch batch, Error error, Time now);
  Delivery give_up(Batch batch, Error error);
  /// Forgets the batch and says of what records it was.
  Delivery finish(Batch& batch);

  ProducerOptions options_;
  /// Of the batches.
  std::shared_ptr<RecycledMemory> memory_;
  Backoff backoff_;
  Random random_;
  ProducerEpoch producer_;
  std::optional<Error> failing_;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
  /// That of the last record: programs mostly write to one.
  Topic* last_topic_ = nullptr;
  /// Partitions with anything queued.
  std::vector<Partition*> active_;
  std::size_t buffered_bytes_ = 0;
  std::int64_t pending_records_ = 0;
  std::uint64_t generation_ = 0;
  /// Batches neither acknowledged nor given up, by generation.
  std::map<std::uint64_t, std::int64_t> unfinished_;
};

}  // namespace leat::client
