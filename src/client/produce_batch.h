// Records that are on their way to one partition together.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/recycled_memory.h"
#include "base/unique_function.h"
#include "record/batch.h"
#include "record/builder.h"

namespace leat::client {

struct ProducePartition;
struct Delivery;

/// Under which id and epoch a producer numbers its records.
struct ProducerEpoch {
  ProducerId id = record::no_producer_id;
  std::int16_t epoch = record::no_producer_epoch;

  bool is_known() const { return id != record::no_producer_id; }
  friend bool operator==(const ProducerEpoch&, const ProducerEpoch&) = default;
};

/// By what a broker tells a batch that was sent again from a new one.
struct Numbering {
  ProducerEpoch producer;
  /// Of the first record.
  std::int32_t sequence = record::no_sequence;
  friend bool operator==(const Numbering&, const Numbering&) = default;
};

/// Somebody who waits for a single record, or for all of them.
struct Waiter {
  static constexpr std::int32_t all = -1;
  /// Which of its batch, or `all`.
  std::int32_t record = 0;
  UniqueFunction<void(const Delivery& delivery, std::int32_t record)> done;
};

/// Not thread-safe.
struct ProduceBatch {
  using Time = std::chrono::nanoseconds;

  ProducePartition* partition = nullptr;
  record::BatchBuilder builder;
  /// What is sent, once sealed. Shared with the connection that sends it.
  SharedBytes bytes;
  std::int32_t record_count = 0;
  std::size_t buffered_bytes = 0;
  Time deadline{};
  int attempts = 0;
  /// An attempt may have succeeded without our knowing.
  bool possibly_persisted = false;
  bool is_transactional = false;
  /// Of the first record among all of its partition: rises from batch to batch.
  std::uint64_t number = 0;
  /// Which flush() waits for it.
  std::uint64_t generation = 0;
  /// From its first sending on, if the producer is idempotent.
  std::optional<Numbering> numbering;
  /// Which of the partition's batches it is that were numbered.
  std::uint64_t ordinal = 0;
  /// None, or one for each record up to the last that had one.
  std::vector<std::uint64_t> tags;
  std::vector<Waiter> waiters;

  /// Compresses the records, and writes the numbering. Needs nothing of the queue, so it may run on
  /// another thread.
  void seal(record::Compression compression, std::optional<int> level = {});
  /// Its records in two batches, the waiters with them. The sequences are those that the records
  /// had. REQUIRES: it is sealed and has more than one record.
  std::pair<ProduceBatch, ProduceBatch> split();

 private:
  /// What stands in `bytes`.
  std::optional<Numbering> sealed_numbering_;
};

/// The sequence that is `records` behind: after 2^31-1 comes 0.
constexpr std::int32_t sequence_after(std::int32_t sequence, std::int32_t records) {
  auto sum = static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(records);
  return static_cast<std::int32_t>(sum & 0x7fff'ffff);
}

}  // namespace leat::client
