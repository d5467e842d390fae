#include "record/builder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace leat::record {
namespace {

constexpr std::size_t varint_bytes_max = 5;
constexpr std::size_t varlong_bytes_max = 10;
constexpr std::size_t min_room = 1024;

/// Writes into room that was measured before.
class Pen {
 public:
  explicit Pen(std::byte* at) : at_(at) {}

  void byte(std::uint8_t value) { *at_++ = static_cast<std::byte>(value); }
  void varlong(std::int64_t value) {
    auto bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
    while (bits >= 0x80) {
      byte(static_cast<std::uint8_t>(bits | 0x80));
      bits >>= 7;
    }
    byte(static_cast<std::uint8_t>(bits));
  }
  void raw(BytesView bytes) {
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void bytes(std::optional<BytesView> bytes) {
    varlong(bytes ? static_cast<std::int64_t>(bytes->size()) : -1);
    if (bytes) raw(*bytes);
  }
  std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

/// Bytes of a varint, as leat::varlong_size() says, which is too far away to be inlined here.
std::size_t varint_size(std::int64_t value) {
  auto bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  return (static_cast<std::size_t>(std::bit_width(bits | 1)) + 6) / 7;
}

std::size_t sized(std::size_t bytes) {
  return varint_size(static_cast<std::int64_t>(bytes)) + bytes;
}
std::size_t sized(std::optional<BytesView> bytes) {
  return bytes ? sized(bytes->size()) : varint_size(-1);
}

std::size_t headers_size(std::span<const Header> headers) {
  std::size_t size = varint_size(static_cast<std::int64_t>(headers.size()));
  for (const Header& header : headers) size += sized(header.key.size()) + sized(header.value);
  return size;
}

}  // namespace

void BatchBuilder::clear() {
  if (!memory_) capacity_ = 0;
  size_ = batch_header_bytes;
  max_timestamp_ms_ = no_timestamp_ms;
  last_offset_delta_ = -1;
  count_ = 0;
}

std::size_t BatchBuilder::record_bytes_max(std::optional<BytesView> key,
                                           std::optional<BytesView> value,
                                           std::span<const Header> headers) {
  return varint_bytes_max + 1 + varlong_bytes_max + varint_bytes_max + sized(key) + sized(value) +
         headers_size(headers);
}

std::byte* BatchBuilder::grow(std::size_t body_bytes) {
  std::size_t at = size_;
  size_ += sized(body_bytes);
  if (size_ > capacity_) make_room(at);
  Pen pen(memory_.get() + at);
  pen.varlong(static_cast<std::int64_t>(body_bytes));
  return pen.at();
}

/// For size_ bytes, of which the first `keep` are there. Doubles, up to what batches mostly have.
void BatchBuilder::make_room(std::size_t keep) {
  std::size_t wanted = std::max({2 * keep, room_.usual_bytes, min_room});
  if (room_.bytes_max > 0) wanted = std::min(wanted, room_.bytes_max);
  capacity_ = std::max(wanted, size_);
  std::shared_ptr<std::byte[]> larger = take_memory(capacity_);
  if (memory_) std::memcpy(larger.get(), memory_.get(), keep);
  memory_ = std::move(larger);
}

std::shared_ptr<std::byte[]> BatchBuilder::take_memory(std::size_t size) const {
  if (room_.memory) return room_.memory->take(size);
  return std::make_shared_for_overwrite<std::byte[]>(size);
}

std::int64_t BatchBuilder::timestamp_delta(std::int64_t timestamp_ms) {
  if (count_ == 0) base_timestamp_ms_ = given_base_timestamp_ms_.value_or(timestamp_ms);
  // Modulo 2^64, which a reader undoes.
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp_ms) -
                                   static_cast<std::uint64_t>(base_timestamp_ms_));
}

void BatchBuilder::count(std::int32_t offset_delta, std::int64_t timestamp_ms) {
  last_offset_delta_ = offset_delta;
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  ++count_;
}

void BatchBuilder::append(std::int64_t timestamp_ms, std::optional<BytesView> key,
                          std::optional<BytesView> value, std::span<const Header> headers) {
  std::int32_t offset_delta = last_offset_delta_ + 1;
  std::int64_t delta = timestamp_delta(timestamp_ms);
  std::size_t body_bytes = 1 + varint_size(delta) + varint_size(offset_delta) + sized(key) +
                           sized(value) + headers_size(headers);
  std::byte* body = grow(body_bytes);
  Pen pen(body);
  pen.byte(0);
  pen.varlong(delta);
  pen.varlong(offset_delta);
  pen.bytes(key);
  pen.bytes(value);
  pen.varlong(static_cast<std::int64_t>(headers.size()));
  for (const Header& header : headers) {
    pen.bytes(as_bytes(header.key));
    pen.bytes(header.value);
  }
  ASSERT(pen.at() == body + body_bytes);
  count(offset_delta, timestamp_ms);
}

void BatchBuilder::append(std::int32_t offset_delta, const Record& record) {
  ASSERT(offset_delta > last_offset_delta_);
  std::int64_t delta = timestamp_delta(record.timestamp_ms);
  BytesView headers = record.headers.encoded();
  std::size_t body_bytes = 1 + varint_size(delta) + varint_size(offset_delta) + sized(record.key) +
                           sized(record.value) + varint_size(record.headers.size()) +
                           headers.size();
  std::byte* body = grow(body_bytes);
  Pen pen(body);
  pen.byte(0);
  pen.varlong(delta);
  pen.varlong(offset_delta);
  pen.bytes(record.key);
  pen.bytes(record.value);
  pen.varlong(record.headers.size());
  pen.raw(headers);
  ASSERT(pen.at() == body + body_bytes);
  count(offset_delta, record.timestamp_ms);
}

/// The records as they are to stand in the batch.
struct BatchBuilder::Packed {
  Compression compression = Compression::none;
  BytesView payload;

  std::size_t batch_bytes() const { return batch_header_bytes + payload.size(); }
};

BatchBuilder::Packed BatchBuilder::pack(const BatchOptions& options) {
  if (!memory_) make_room(0);
  Packed packed;
  packed.payload = {memory_.get() + batch_header_bytes, size_ - batch_header_bytes};
  if (options.compression != Compression::none) {
    BytesView smaller = compress(options.compression, packed.payload, compressed_, options.level);
    if (smaller.size() < packed.payload.size()) packed = {options.compression, smaller};
  }
  ASSERT(packed.batch_bytes() <= max_batch_bytes);
  return packed;
}

Bytes BatchBuilder::build(const BatchOptions& options) {
  Packed packed = pack(options);
  Bytes batch;
  batch.reserve(packed.batch_bytes());
  batch.resize(batch_header_bytes);
  batch.insert(batch.end(), packed.payload.begin(), packed.payload.end());
  write_header(batch, options, packed.compression);
  clear();
  return batch;
}

SharedBytes BatchBuilder::seal(const BatchOptions& options) {
  Packed packed = pack(options);
  std::size_t size = packed.batch_bytes();
  std::shared_ptr<std::byte[]> memory;
  if (packed.compression == Compression::none) {
    memory = std::move(memory_);
    capacity_ = 0;
  } else {
    memory = take_memory(size);
    std::memcpy(memory.get() + batch_header_bytes, packed.payload.data(), packed.payload.size());
  }
  write_header({memory.get(), size}, options, packed.compression);
  clear();
  return {std::move(memory), size};
}

void BatchBuilder::write_header(MutableBytes batch, const BatchOptions& options,
                                Compression compression) const {
  int attributes = static_cast<int>(compression);
  if (options.append_time_ms) attributes |= batch_attribute::log_append_time;
  if (options.is_transactional) attributes |= batch_attribute::transactional;
  if (options.is_control) attributes |= batch_attribute::control;
  if (options.has_delete_horizon) attributes |= batch_attribute::delete_horizon;
  std::int32_t last_delta = options.last_offset_delta.value_or(std::max(last_offset_delta_, 0));
  ASSERT(last_delta >= last_offset_delta_);

  std::byte* header = batch.data();
  store_big_endian(header + batch_field::base_offset, options.base_offset.value());
  store_big_endian(header + batch_field::length,
                   static_cast<std::int32_t>(batch.size() - batch_prefix_bytes));
  store_big_endian(header + batch_field::leader_epoch, options.leader_epoch.value());
  store_big_endian(header + batch_field::magic, batch_magic);
  store_big_endian(header + batch_field::attributes, static_cast<std::int16_t>(attributes));
  store_big_endian(header + batch_field::last_offset_delta, last_delta);
  store_big_endian(
      header + batch_field::base_timestamp,
      count_ > 0 ? base_timestamp_ms_ : given_base_timestamp_ms_.value_or(no_timestamp_ms));
  store_big_endian(header + batch_field::max_timestamp,
                   options.append_time_ms.value_or(max_timestamp_ms_));
  store_big_endian(header + batch_field::producer_id, options.producer_id.value());
  store_big_endian(header + batch_field::producer_epoch, options.producer_epoch);
  store_big_endian(header + batch_field::base_sequence, options.base_sequence);
  store_big_endian(header + batch_field::record_count, count_);
  set_crc(batch);
}

}  // namespace leat::record
