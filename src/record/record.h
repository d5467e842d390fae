// The records of a batch, read one after the other. Numbers are zigzag varints:
//
//   record  := length body                  `length` counts the bytes of body
//   body    := attributes:i8 timestamp_delta offset_delta bytes bytes header_count header*
//                                           the two `bytes` are key and value
//   header  := length key_text bytes        the key cannot be null
//   bytes   := length byte*                 -1 is null
//
// Deltas are from the batch's base timestamp and base offset; those of offsets rise from record to
// record. Attributes have no meaning yet.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/batch.h"
#include "record/scratch.h"

namespace leat::record {

/// A key beside the record's own, for whoever passes it on. Borrowed.
struct Header {
  std::string_view key;
  std::optional<BytesView> value;
};

/// The headers of one record, decoded only when walked over. Borrowed; well-formed, since only a
/// RecordIterator makes one that is not empty, after checking.
class Headers {
 public:
  class Iterator {
   public:
    using value_type = Header;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Header operator*() const { return header_; }
    const Header* operator->() const { return &header_; }
    Iterator& operator++();
    Iterator operator++(int);
    bool operator==(std::default_sentinel_t) const { return left_ == 0; }

   private:
    friend class Headers;
    Iterator(BytesView encoded, std::int32_t count);
    void decode();
    const std::byte* at_ = nullptr;
    const std::byte* end_ = nullptr;
    std::int32_t left_ = 0;
    Header header_;
  };

  Headers() = default;
  std::int32_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  Iterator begin() const { return {encoded_, count_}; }
  std::default_sentinel_t end() const { return {}; }
  /// The first header of that key.
  std::optional<Header> find(std::string_view key) const;
  /// As they stand in the record behind their count.
  BytesView encoded() const { return encoded_; }

 private:
  friend class RecordIterator;
  BytesView encoded_;
  std::int32_t count_ = 0;
};

/// One record, in borrowed bytes: those of the batch or of the scratch it was decompressed into.
struct Record {
  Offset offset{};
  /// In a batch of LogAppendTime the time of the append, else the producer's; -1 for none.
  std::int64_t timestamp_ms = no_timestamp_ms;
  std::optional<BytesView> key;
  std::optional<BytesView> value;
  Headers headers;
  /// Bytes it takes in the batch, uncompressed, its length included.
  std::size_t encoded_bytes = 0;
};

/// Walks over the records of a batch and checks their grammar on the way, allocating nothing per
/// record:
///
///   RecordIterator records(batch, scratch);
///   while (const Record* record = records.next()) use(*record);
///   if (const Error* error = records.error()) return fail(*error);
///
/// Not thread-safe. The batch's bytes, and the scratch, must outlive it and its records.
class RecordIterator {
 public:
  /// Decompresses the payload into `scratch`, which is not touched for an uncompressed batch.
  RecordIterator(const BatchView& batch, Scratch& scratch,
                 std::size_t max_bytes = default_max_decompressed_bytes);
  /// The same with a scratch of its own.
  explicit RecordIterator(const BatchView& batch,
                          std::size_t max_bytes = default_max_decompressed_bytes);
  RecordIterator(const RecordIterator&) = delete;
  RecordIterator& operator=(const RecordIterator&) = delete;

  /// The next record, valid until the next call (its views: as long as the bytes they look at), or
  /// null at the end and, from then on, after an error.
  const Record* next();
  /// What is wrong with the batch: corrupt_message, message_too_large or unsupported_compression.
  /// Null while all is well. The records before it were good.
  const Error* error() const { return error_ ? &*error_ : nullptr; }
  /// Size of all records, uncompressed.
  std::size_t payload_bytes() const { return static_cast<std::size_t>(end_ - begin_); }

 private:
  void open(const BatchView& batch, Scratch& scratch, std::size_t max_bytes);
  const Record* fail_at(const char* reason);

  Scratch own_scratch_;
  const std::byte* begin_ = nullptr;
  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  std::int32_t index_ = 0;
  std::int32_t count_;
  std::int64_t least_offset_delta_ = 0;  // of the next record
  std::int32_t last_offset_delta_;
  Offset base_offset_;
  std::int64_t base_timestamp_ms_;
  std::optional<std::int64_t> append_time_ms_;
  Record record_;
  std::optional<Error> error_;
};

/// Where a lookup by time ends.
struct TimedOffset {
  Offset offset;
  std::int64_t timestamp_ms;
  friend bool operator==(const TimedOffset&, const TimedOffset&) = default;
};

/// The batch's first record at or after `timestamp_ms`, if there is one.
Result<std::optional<TimedOffset>> find_timestamp(
    const BatchView& batch, std::int64_t timestamp_ms, Scratch& scratch,
    std::size_t max_bytes = default_max_decompressed_bytes);

}  // namespace leat::record
