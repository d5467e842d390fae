#include "record/record.h"

#include <fmt/format.h>

namespace leat::record {
namespace {

/// Decodes in place. Inlined whole, since reading varints is most of what reading a record costs. A
/// failure leaves the cursor at its end, where all else fails too.
class Cursor {
 public:
  Cursor(const std::byte* at, const std::byte* end) : at_(at), end_(end) {}

  std::int32_t varint() {
    auto bits = unsigned_varint<std::uint32_t>();
    return static_cast<std::int32_t>(bits >> 1) ^ -static_cast<std::int32_t>(bits & 1);
  }

  std::int64_t varlong() {
    auto bits = unsigned_varint<std::uint64_t>();
    return static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
  }

  std::int8_t byte() {
    if (at_ == end_) {
      failed_ = true;
      return 0;
    }
    return static_cast<std::int8_t>(*at_++);
  }

  BytesView bytes(std::int32_t size) {
    if (size < 0 || size > end_ - at_) {
      fail();
      return {};
    }
    BytesView view(at_, static_cast<std::size_t>(size));
    at_ += size;
    return view;
  }

  /// Null for a length of -1; any other negative length is no length.
  void nullable_bytes(std::optional<BytesView>& out) {
    std::int32_t size = varint();
    if (size == -1) {
      out.reset();
    } else {
      out = bytes(size);
    }
  }

  bool ok() const { return !failed_; }
  const std::byte* at() const { return at_; }
  std::ptrdiff_t left() const { return end_ - at_; }

 private:
  template <class T>
  T unsigned_varint() {
    // Most numbers take one byte or two.
    if (end_ - at_ >= 2) {
      auto first = static_cast<std::uint8_t>(at_[0]);
      auto second = static_cast<std::uint8_t>(at_[1]);
      if (first < 0x80) {
        ++at_;
        return first;
      }
      if (second < 0x80) {
        at_ += 2;
        return static_cast<T>((first & 0x7f) | second << 7);
      }
    }
    return long_varint<T>();
  }

  /// As many bytes as the type can need; the last one may hold only the bits that are left for it.
  template <class T>
  [[gnu::noinline]] T long_varint() {
    constexpr int bits = sizeof(T) * 8;
    constexpr int last_shift = (bits - 1) / 7 * 7;
    T value = 0;
    for (int shift = 0; at_ != end_; shift += 7) {
      auto byte = static_cast<std::uint8_t>(*at_++);
      if (shift == last_shift && byte >> (bits - last_shift) != 0) break;
      value |= static_cast<T>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  void fail() {
    failed_ = true;
    at_ = end_;
  }

  const std::byte* at_;
  const std::byte* end_;
  bool failed_ = false;
};

/// Modulo 2^64, as the writer's subtraction was: any pair of timestamps comes back.
std::int64_t add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace

Headers::Iterator::Iterator(BytesView encoded, std::int32_t count)
    : at_(encoded.data()), end_(encoded.data() + encoded.size()), left_(count) {
  if (left_ > 0) decode();
}

void Headers::Iterator::decode() {
  Cursor cursor(at_, end_);
  header_.key = as_text(cursor.bytes(cursor.varint()));
  cursor.nullable_bytes(header_.value);
  at_ = cursor.at();
}

Headers::Iterator& Headers::Iterator::operator++() {
  if (--left_ > 0) decode();
  return *this;
}

Headers::Iterator Headers::Iterator::operator++(int) {
  Iterator before = *this;
  ++*this;
  return before;
}

std::optional<Header> Headers::find(std::string_view key) const {
  for (const Header& header : *this) {
    if (header.key == key) return header;
  }
  return {};
}

RecordIterator::RecordIterator(const BatchView& batch, Scratch& scratch, std::size_t max_bytes)
    : count_(batch.record_count()),
      last_offset_delta_(batch.last_offset_delta()),
      base_offset_(batch.base_offset()),
      base_timestamp_ms_(batch.base_timestamp_ms()) {
  open(batch, scratch, max_bytes);
}

RecordIterator::RecordIterator(const BatchView& batch, std::size_t max_bytes)
    : RecordIterator(batch, own_scratch_, max_bytes) {}

void RecordIterator::open(const BatchView& batch, Scratch& scratch, std::size_t max_bytes) {
  if (batch.timestamp_type() == TimestampType::log_append_time) {
    append_time_ms_ = batch.max_timestamp_ms();
  }
  Result<BytesView> payload = batch.payload();
  if (batch.compression() != Compression::none) {
    payload = decompress(batch.compression(), batch.payload(), scratch, max_bytes);
  }
  if (!payload) {
    error_ = payload.error();
    error_->what = fmt::format("batch at offset {}: {}", base_offset_.value(), error_->what);
    return;
  }
  begin_ = at_ = payload->data();
  end_ = begin_ + payload->size();
}

const Record* RecordIterator::fail_at(const char* reason) {
  error_ = Error{Errc::corrupt_message, fmt::format("record {} of the batch at offset {}: {}",
                                                    index_, base_offset_.value(), reason)};
  return nullptr;
}

const Record* RecordIterator::next() {
  if (error_) return nullptr;
  if (index_ == count_) {
    if (at_ != end_) return fail_at("bytes are left behind the last one");
    return nullptr;
  }
  Cursor outer(at_, end_);
  std::int32_t length = outer.varint();
  const std::byte* body_begin = outer.at();
  BytesView body = outer.bytes(length);
  if (!outer.ok()) return fail_at("its length does not fit");

  Cursor cursor(body_begin, body_begin + body.size());
  cursor.byte();
  std::int64_t timestamp_delta = cursor.varlong();
  std::int32_t offset_delta = cursor.varint();
  cursor.nullable_bytes(record_.key);
  cursor.nullable_bytes(record_.value);
  std::int32_t header_count = cursor.varint();
  if (!cursor.ok()) return fail_at("a field runs past its end");
  if (header_count < 0) return fail_at("a negative number of headers");
  if (offset_delta < least_offset_delta_ || offset_delta > last_offset_delta_) {
    return fail_at("its offset is outside the batch or not above the one before");
  }

  const std::byte* headers_begin = cursor.at();
  for (std::int32_t i = 0; i < header_count && cursor.ok(); ++i) {
    std::optional<BytesView> value;
    cursor.bytes(cursor.varint());
    cursor.nullable_bytes(value);
  }
  if (!cursor.ok()) return fail_at("a header runs past its end");
  if (cursor.left() != 0) return fail_at("bytes are left behind its fields");

  record_.timestamp_ms =
      append_time_ms_ ? *append_time_ms_ : add(base_timestamp_ms_, timestamp_delta);
  record_.offset = base_offset_ + offset_delta;
  record_.headers.encoded_ = {headers_begin, cursor.at()};
  record_.headers.count_ = header_count;
  record_.encoded_bytes = static_cast<std::size_t>(cursor.at() - at_);
  at_ = cursor.at();
  least_offset_delta_ = std::int64_t{offset_delta} + 1;
  ++index_;
  return &record_;
}

Result<std::optional<TimedOffset>> find_timestamp(const BatchView& batch, std::int64_t timestamp_ms,
                                                  Scratch& scratch, std::size_t max_bytes) {
  RecordIterator records(batch, scratch, max_bytes);
  while (const Record* record = records.next()) {
    if (record->timestamp_ms >= timestamp_ms) {
      return TimedOffset{record->offset, record->timestamp_ms};
    }
  }
  if (const Error* error = records.error()) return tl::unexpected<Error>(*error);
  return std::nullopt;
}

}  // namespace leat::record
