// Puts a record batch together, record by record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/recycled_memory.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/record.h"
#include "record/scratch.h"

namespace leat::record {

/// What a batch's header says besides what follows from its records.
struct BatchOptions {
  Compression compression = Compression::none;
  std::optional<int> level = {};
  Offset base_offset{0};
  LeaderEpoch leader_epoch{-1};
  ProducerId producer_id = no_producer_id;
  std::int16_t producer_epoch = no_producer_epoch;
  std::int32_t base_sequence = no_sequence;
  bool is_transactional = false;
  bool is_control = false;
  /// The base timestamp given to the builder is a delete horizon.
  bool has_delete_horizon = false;
  /// Set for LogAppendTime: the time of all records, whatever they were appended with.
  std::optional<std::int64_t> append_time_ms = {};
  /// For compaction: the batch keeps its offset range (and so its last sequence) though records at
  /// its end are gone. Otherwise that of the last record.
  std::optional<std::int32_t> last_offset_delta = {};
};

/// Where a builder has its memory from.
struct BatchRoom {
  std::shared_ptr<RecycledMemory> memory = {};
  /// How large a batch is thought to get, header included, and how large most of them at most.
  std::size_t usual_bytes = 0;
  std::size_t bytes_max = 0;
};

/// Collects records, then gives the batch. Not thread-safe. Use it again after build(): it keeps
/// its memory. A batch must stay below 2^31 bytes: watch size_bytes().
class BatchBuilder {
 public:
  /// Timestamps are stored relative to the first record's, unless to `base_timestamp_ms`.
  explicit BatchBuilder(std::optional<std::int64_t> base_timestamp_ms = {})
      : given_base_timestamp_ms_(base_timestamp_ms) {}
  explicit BatchBuilder(BatchRoom room) : room_(std::move(room)) {}

  /// Adds a record behind the last one.
  void append(std::int64_t timestamp_ms, std::optional<BytesView> key,
              std::optional<BytesView> value, std::span<const Header> headers = {});
  /// Adds a record of another batch, `offset_delta` behind the base offset. REQUIRES: more than the
  /// last one's.
  void append(std::int32_t offset_delta, const Record& record);

  bool empty() const { return count_ == 0; }
  std::int32_t record_count() const { return count_; }
  /// Of the batch, header included, if it were built now without compression.
  std::size_t size_bytes() const { return size_; }
  /// What a record would add to that, at most.
  static std::size_t record_bytes_max(std::optional<BytesView> key, std::optional<BytesView> value,
                                      std::span<const Header> headers = {});
  std::int64_t max_timestamp_ms() const { return max_timestamp_ms_; }

  /// The whole batch, with its CRC; the builder is empty afterwards. A payload that compression
  /// does not make smaller is left uncompressed.
  Bytes build(const BatchOptions& options = {});
  /// The same without copying the records, unless they are compressed: the memory goes with them.
  SharedBytes seal(const BatchOptions& options = {});
  /// Forgets all records.
  void clear();

 private:
  struct Packed;

  std::byte* grow(std::size_t body_bytes);
  void make_room(std::size_t keep);
  std::shared_ptr<std::byte[]> take_memory(std::size_t size) const;
  Packed pack(const BatchOptions& options);
  void write_header(MutableBytes batch, const BatchOptions& options, Compression compression) const;
  void count(std::int32_t offset_delta, std::int64_t timestamp_ms);
  std::int64_t timestamp_delta(std::int64_t timestamp_ms);

  BatchRoom room_;
  /// Room for the header, and the records: size_ bytes.
  std::shared_ptr<std::byte[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t size_ = batch_header_bytes;
  Scratch compressed_;
  std::optional<std::int64_t> given_base_timestamp_ms_;
  std::int64_t base_timestamp_ms_ = no_timestamp_ms;
  std::int64_t max_timestamp_ms_ = no_timestamp_ms;
  std::int32_t last_offset_delta_ = -1;
  std::int32_t count_ = 0;
};

}  // namespace leat::record
