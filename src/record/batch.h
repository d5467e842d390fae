// The header of a record batch of version 2, Kafka's unit of storage and of transport. Numbers are
// big-endian:
//
//   batch   := base_offset:i64 length:i32 leader_epoch:i32 magic:i8=2 crc:u32 attributes:i16
//              last_offset_delta:i32 base_timestamp:i64 max_timestamp:i64 producer_id:i64
//              producer_epoch:i16 base_sequence:i32 record_count:i32 payload
//   payload := record*          as in record/record.h, compressed if the attributes say so
//
// `length` counts what follows it. `crc` is the CRC-32C of everything from the attributes on, so a
// broker may set base offset and leader epoch without touching it. Attributes: bits 0-2 the codec,
// 3 timestamp type, 4 transactional, 5 control, 6 base_timestamp is a delete horizon.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/compression.h"

namespace leat::record {

/// Where each field of the header starts, and how large the header is.
namespace batch_field {
inline constexpr std::size_t base_offset = 0;
inline constexpr std::size_t length = 8;
inline constexpr std::size_t leader_epoch = 12;
inline constexpr std::size_t magic = 16;
inline constexpr std::size_t crc = 17;
inline constexpr std::size_t attributes = 21;
inline constexpr std::size_t last_offset_delta = 23;
inline constexpr std::size_t base_timestamp = 27;
inline constexpr std::size_t max_timestamp = 35;
inline constexpr std::size_t producer_id = 43;
inline constexpr std::size_t producer_epoch = 51;
inline constexpr std::size_t base_sequence = 53;
inline constexpr std::size_t record_count = 57;
inline constexpr std::size_t payload = 61;
}  // namespace batch_field

inline constexpr std::size_t batch_header_bytes = batch_field::payload;
/// Enough of a batch to know its size: base offset and length.
inline constexpr std::size_t batch_prefix_bytes = batch_field::leader_epoch;
inline constexpr std::int8_t batch_magic = 2;
/// The length field is a signed 32-bit number that counts what follows it.
inline constexpr std::size_t max_batch_bytes = batch_prefix_bytes + 0x7fff'ffff;

namespace batch_attribute {
inline constexpr std::int16_t compression_mask = 0x07;
inline constexpr std::int16_t log_append_time = 0x08;
inline constexpr std::int16_t transactional = 0x10;
inline constexpr std::int16_t control = 0x20;
inline constexpr std::int16_t delete_horizon = 0x40;
}  // namespace batch_attribute

enum class TimestampType : std::uint8_t { create_time, log_append_time };

/// What stands in the header where there is no producer id, epoch, sequence or timestamp.
inline constexpr ProducerId no_producer_id{-1};
inline constexpr std::int16_t no_producer_epoch = -1;
inline constexpr std::int32_t no_sequence = -1;
inline constexpr std::int64_t no_timestamp_ms = -1;

/// One whole batch in borrowed bytes, which must outlive it. A cheap value, like a string_view.
class BatchView {
 public:
  /// The batch that `bytes` begins with; more may follow. Checks what all the accessors need: the
  /// header is whole, the magic is 2, the length fits in `bytes`, offsets and counts are not
  /// negative and do not overflow. Checks neither CRC nor records. Fails with corrupt_message, or
  /// with unsupported for another magic.
  static Result<BatchView> parse(BytesView bytes);

  Offset base_offset() const { return Offset{field<std::int64_t>(batch_field::base_offset)}; }
  Offset last_offset() const { return base_offset() + last_offset_delta(); }
  /// One past the last offset: that of whatever follows.
  Offset next_offset() const { return last_offset() + 1; }
  std::int32_t last_offset_delta() const {
    return field<std::int32_t>(batch_field::last_offset_delta);
  }
  /// Less than last_offset_delta() + 1 where compaction took records out, down to none.
  std::int32_t record_count() const { return field<std::int32_t>(batch_field::record_count); }
  std::size_t size_bytes() const { return bytes_.size(); }
  LeaderEpoch leader_epoch() const {
    return LeaderEpoch{field<std::int32_t>(batch_field::leader_epoch)};
  }

  std::uint32_t crc() const { return field<std::uint32_t>(batch_field::crc); }
  /// Reads the whole batch.
  bool crc_matches() const;

  std::int16_t attributes() const { return field<std::int16_t>(batch_field::attributes); }
  /// May be a value that no codec has; decompress() then says so.
  Compression compression() const {
    return static_cast<Compression>(attributes() & batch_attribute::compression_mask);
  }
  TimestampType timestamp_type() const {
    return has(batch_attribute::log_append_time) ? TimestampType::log_append_time
                                                 : TimestampType::create_time;
  }
  bool is_transactional() const { return has(batch_attribute::transactional); }
  bool is_control() const { return has(batch_attribute::control); }
  /// Compaction has set a time after which this batch's tombstones may go.
  bool has_delete_horizon() const { return has(batch_attribute::delete_horizon); }

  /// What the records' timestamps are relative to; with has_delete_horizon(), that horizon.
  std::int64_t base_timestamp_ms() const {
    return field<std::int64_t>(batch_field::base_timestamp);
  }
  std::int64_t max_timestamp_ms() const { return field<std::int64_t>(batch_field::max_timestamp); }

  /// Any negative id is none, as for Kafka.
  bool has_producer_id() const { return producer_id() > no_producer_id; }
  ProducerId producer_id() const {
    return ProducerId{field<std::int64_t>(batch_field::producer_id)};
  }
  std::int16_t producer_epoch() const { return field<std::int16_t>(batch_field::producer_epoch); }
  std::int32_t base_sequence() const { return field<std::int32_t>(batch_field::base_sequence); }
  /// Sequences count on from 2^31-1 with 0. REQUIRES: base_sequence() >= 0.
  std::int32_t last_sequence() const {
    auto sum = static_cast<std::uint32_t>(base_sequence()) +
               static_cast<std::uint32_t>(last_offset_delta());
    return static_cast<std::int32_t>(sum & 0x7fff'ffff);
  }

  /// The records, compressed if compression() says so.
  BytesView payload() const { return bytes_.subspan(batch_header_bytes); }
  BytesView bytes() const { return bytes_; }

 private:
  explicit BatchView(BytesView bytes) : bytes_(bytes) {}
  template <class T>
  T field(std::size_t at) const {
    return load_big_endian<T>(bytes_.data() + at);
  }
  bool has(std::int16_t attribute) const { return (attributes() & attribute) != 0; }

  BytesView bytes_;
};

/// The size of the batch that begins with `prefix`; nothing when fewer than batch_prefix_bytes are
/// there or the length is impossible. It is only a claim until the whole batch is checked.
std::optional<std::size_t> batch_size(BytesView prefix);

/// Writes the CRC of what is there now. REQUIRES, as all below: `batch` is one parsed batch.
void set_crc(MutableBytes batch);
/// The two fields that every append sets; neither is under the CRC.
void set_base_offset(MutableBytes batch, Offset offset);
void set_leader_epoch(MutableBytes batch, LeaderEpoch epoch);
/// Gives all its records the time `now_ms` of their append (LogAppendTime), and the batch a new
/// CRC.
void set_append_time(MutableBytes batch, std::int64_t now_ms);
/// Corrects what the header says of the largest timestamp, and the CRC.
void set_max_timestamp(MutableBytes batch, std::int64_t max_timestamp_ms);
/// Makes it a batch of a transaction of this producer.
void set_transaction(MutableBytes batch, ProducerId producer, std::int16_t epoch,
                     std::int32_t base_sequence);

}  // namespace leat::record
