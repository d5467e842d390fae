// Records, and the names of where they are.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace leat {

/// Milliseconds since 1970-01-01 00:00 UTC, as Kafka has them.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// The codecs of record batches.
enum class Compression : std::uint8_t { none, gzip, snappy, lz4, zstd };

/// A partition of a topic. Partitions are numbered from 0.
struct Partition {
  std::string topic;
  std::int32_t number = 0;
  friend auto operator<=>(const Partition&, const Partition&) = default;
};

/// A place in a partition: of the record there, or of the one that will be.
struct PartitionOffset {
  Partition partition;
  std::int64_t offset = 0;
  friend auto operator<=>(const PartitionOffset&, const PartitionOffset&) = default;
};

/// One header of a record. Names may repeat. Borrowed, see OutRecord and InRecord.
struct Header {
  std::string_view name;
  std::optional<std::string_view> value;
};

/// A record to be sent. Key and value are bytes; not given they are null, which is not the same as
/// empty: a null value deletes its key where a topic is compacted.
///
/// Everything in it is borrowed. The call that takes it copies it before it returns; an operation
/// that is begun later, as by co_await, copies it when it begins.
struct OutRecord {
  std::string_view topic;
  std::optional<std::string_view> key = {};
  std::optional<std::string_view> value = {};
  std::span<const Header> headers = {};
  /// Not given, the key decides, as with Kafka's own producers (murmur2); without a key, records
  /// go to one partition until a batch of it is full, then to another one.
  std::optional<std::int32_t> partition = {};
  /// Not given, the time of the call.
  std::optional<Timestamp> timestamp = {};
};

/// Where an acknowledged record is.
struct Delivery {
  std::int32_t partition = 0;
  /// -1 where the broker had the record already, from an attempt before, and does not say where.
  std::int64_t offset = -1;
  /// What stands in the log: the broker's time, where the topic is set to have it.
  Timestamp timestamp;
};

/// What became of the records of one batch: they are acknowledged together, or fail together.
/// Borrowed for the call that it is given to.
struct BatchDelivery {
  std::string_view topic;
  std::int32_t partition = 0;
  std::int32_t record_count = 0;
  /// Of the first record; the others have the offsets behind it. -1 after an error.
  std::int64_t base_offset = -1;
  /// Empty when the records were acknowledged.
  std::error_code error;
  std::string_view text;
  /// What was given beside each record, in the order of the records; none for those at the end that
  /// were sent by Producer::async_send().
  std::span<const std::uint64_t> tags;
};

}  // namespace leat
