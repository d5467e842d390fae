#include "record/batch.h"

#include <limits>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/crc32c.h"

namespace leat::record {
namespace {

constexpr std::size_t min_length = batch_header_bytes - batch_prefix_bytes;

void check_is_batch(BytesView batch) {
  ASSERT(batch.size() >= batch_header_bytes);
  ASSERT(batch_size(batch) == batch.size());
}

}  // namespace

std::optional<std::size_t> batch_size(BytesView prefix) {
  if (prefix.size() < batch_prefix_bytes) return {};
  auto length = load_big_endian<std::int32_t>(prefix.data() + batch_field::length);
  if (length < static_cast<std::int32_t>(min_length)) return {};
  return batch_prefix_bytes + static_cast<std::size_t>(length);
}

Result<BatchView> BatchView::parse(BytesView bytes) {
  if (bytes.size() <= batch_field::magic) {
    return fail(Errc::corrupt_message, fmt::format("a batch of {} bytes", bytes.size()));
  }
  // The magic stands at the same place in every version, and comes first: an old message is shorter
  // than this header.
  auto magic = load_big_endian<std::int8_t>(bytes.data() + batch_field::magic);
  if (magic != batch_magic) {
    return fail(Errc::unsupported, fmt::format("record batch of magic {}, not 2", magic));
  }
  auto size = batch_size(bytes);
  if (!size) return fail(Errc::corrupt_message, "batch length below that of a header");
  if (*size > bytes.size()) {
    return fail(Errc::corrupt_message,
                fmt::format("a batch of {} bytes with {} there", *size, bytes.size()));
  }
  BatchView batch(bytes.first(*size));
  std::int64_t base = batch.base_offset().value();
  std::int64_t last_delta = batch.last_offset_delta();
  if (last_delta < 0 || batch.record_count() < 0) {
    return fail(Errc::corrupt_message, fmt::format("last offset delta {} and {} records in a batch",
                                                   last_delta, batch.record_count()));
  }
  if (base < 0 || base > std::numeric_limits<std::int64_t>::max() - last_delta - 1) {
    return fail(Errc::corrupt_message, fmt::format("a batch with base offset {}", base));
  }
  return batch;
}

bool BatchView::crc_matches() const {
  return crc32c(bytes_.subspan(batch_field::attributes)) == crc();
}

void set_crc(MutableBytes batch) {
  check_is_batch(batch);
  std::uint32_t crc = crc32c(batch.subspan(batch_field::attributes));
  store_big_endian(batch.data() + batch_field::crc, crc);
}

void set_base_offset(MutableBytes batch, Offset offset) {
  check_is_batch(batch);
  ASSERT(offset >= Offset{0});
  store_big_endian(batch.data() + batch_field::base_offset, offset.value());
}

void set_leader_epoch(MutableBytes batch, LeaderEpoch epoch) {
  check_is_batch(batch);
  store_big_endian(batch.data() + batch_field::leader_epoch, epoch.value());
}

void set_append_time(MutableBytes batch, std::int64_t now_ms) {
  check_is_batch(batch);
  std::byte* attributes = batch.data() + batch_field::attributes;
  auto bits = load_big_endian<std::int16_t>(attributes);
  store_big_endian(attributes, static_cast<std::int16_t>(bits | batch_attribute::log_append_time));
  store_big_endian(batch.data() + batch_field::max_timestamp, now_ms);
  set_crc(batch);
}

void set_max_timestamp(MutableBytes batch, std::int64_t max_timestamp_ms) {
  check_is_batch(batch);
  store_big_endian(batch.data() + batch_field::max_timestamp, max_timestamp_ms);
  set_crc(batch);
}

void set_transaction(MutableBytes batch, ProducerId producer, std::int16_t epoch,
                     std::int32_t base_sequence) {
  check_is_batch(batch);
  std::byte* attributes = batch.data() + batch_field::attributes;
  auto bits = load_big_endian<std::int16_t>(attributes);
  store_big_endian(attributes, static_cast<std::int16_t>(bits | batch_attribute::transactional));
  store_big_endian(batch.data() + batch_field::producer_id, producer.value());
  store_big_endian(batch.data() + batch_field::producer_epoch, epoch);
  store_big_endian(batch.data() + batch_field::base_sequence, base_sequence);
  set_crc(batch);
}

}  // namespace leat::record
