// Follows what Apache Kafka's broker refuses (LogValidator, UnifiedLog, ProduceRequest), so that
// what works there works here. Decided with it in view:
//
// - A base offset other than 0 is refused, as Kafka does; librdkafka, the Java client, sarama,
//   kafka-python and kafka-go all send 0.
// - Compressed records are decompressed and walked, as in Kafka. It costs what a consumer would pay
//   once, and buys that no poisoned batch is stored, over which every consumer, compaction and
//   stream would stumble for ever. The largest timestamp cannot be known otherwise: sarama does not
//   send it.
// - Offset deltas must count 0, 1, 2, … Kafka rewrites compressed batches that do not, for clients
//   of older formats; no known writer of version 2 needs it.
// - What Kafka reports as an unknown error or lets pass (a payload that does not decompress, a
//   timestamp below -1, a delete horizon or a transaction without a producer) is refused by name.
#include "record/validate.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/crc32c.h"
#include "record/record.h"

namespace leat::record {
namespace {

constexpr std::int16_t first_version_with_zstd = 7;

/// Finds the batch in the bytes. Nothing in it is believed before its CRC is found right.
Result<BatchView> single_batch(BytesView bytes, std::size_t max_message_bytes) {
  if (bytes.empty()) return fail(Errc::invalid_record, "no record batch");
  if (bytes.size() > batch_field::magic) {
    auto magic = load_big_endian<std::int8_t>(bytes.data() + batch_field::magic);
    if (magic != batch_magic) {
      return fail(Errc::invalid_record, fmt::format("record batch of magic {}, not 2", magic));
    }
  }
  auto size = batch_size(bytes);
  if (!size || *size > bytes.size()) {
    return fail(Errc::corrupt_message, "the length of the batch does not fit its bytes");
  }
  if (*size > max_message_bytes) {
    return fail(Errc::message_too_large,
                fmt::format("a batch of {} bytes where {} are allowed", *size, max_message_bytes));
  }
  std::uint32_t expected = load_big_endian<std::uint32_t>(bytes.data() + batch_field::crc);
  if (crc32c(bytes.first(*size).subspan(batch_field::attributes)) != expected) {
    return fail(Errc::corrupt_message, "the batch does not match its CRC");
  }
  if (*size < bytes.size()) return fail(Errc::invalid_record, "more than one record batch");
  auto batch = BatchView::parse(bytes);
  if (!batch) return fail(Errc::invalid_record, batch.error().what);
  return batch;
}

Result<void> check_header(const BatchView& batch, std::int16_t produce_version) {
  if (batch.base_offset() != Offset{0}) {
    return fail(Errc::invalid_record,
                fmt::format("base offset {}, not 0", batch.base_offset().value()));
  }
  if (batch.record_count() == 0 || batch.last_offset_delta() != batch.record_count() - 1) {
    return fail(Errc::invalid_record, fmt::format("{} records, last offset delta {}",
                                                  batch.record_count(), batch.last_offset_delta()));
  }
  if (batch.is_control()) return fail(Errc::invalid_record, "control batches are the broker's");
  if (batch.has_delete_horizon()) {
    return fail(Errc::invalid_record, "delete horizons are the broker's");
  }
  if (batch.has_producer_id() && (batch.producer_epoch() < 0 || batch.base_sequence() < 0)) {
    return fail(Errc::invalid_record, fmt::format("producer id {} with epoch {} and sequence {}",
                                                  batch.producer_id().value(),
                                                  batch.producer_epoch(), batch.base_sequence()));
  }
  if (batch.is_transactional() && !batch.has_producer_id()) {
    return fail(Errc::invalid_record, "a transaction without a producer id");
  }
  if (batch.compression() == Compression::zstd && produce_version < first_version_with_zstd) {
    return fail(Errc::unsupported_compression,
                fmt::format("zstd in version {} of Produce", produce_version));
  }
  if (batch.timestamp_type() == TimestampType::log_append_time) {
    return fail(Errc::invalid_timestamp, "LogAppendTime is the broker's");
  }
  return {};
}

Result<void> check_record(const Record& record, std::int32_t index, const ProduceRules& rules) {
  if (record.offset != Offset{index}) {
    return fail(Errc::invalid_record,
                fmt::format("record {} has offset delta {}", index, record.offset.value()));
  }
  if (rules.requires_keys && !record.key) {
    return fail(Errc::invalid_record,
                fmt::format("record {} has no key, which a compacted topic needs", index));
  }
  std::int64_t time = record.timestamp_ms;
  if (time == no_timestamp_ms || rules.timestamp_type == TimestampType::log_append_time) return {};
  if (time < no_timestamp_ms || time < rules.earliest_timestamp_ms ||
      time > rules.latest_timestamp_ms) {
    return fail(Errc::invalid_timestamp, fmt::format("record {} has timestamp {}", index, time));
  }
  return {};
}

/// What the records that were refused have in common.
struct BadRecords {
  std::int32_t count = 0;
  Error first{};

  void add(std::int32_t index, Error error, std::vector<RecordError>* rejected) {
    if (rejected != nullptr && rejected->size() < record_errors_max) {
      rejected->push_back({index, error.what});
    }
    // Kafka names a wrong time before all else.
    bool is_worse = error.code == Errc::invalid_timestamp && first.code != error.code;
    if (++count == 1 || is_worse) first = std::move(error);
  }
  Error summary() const {
    if (count == 1) return first;
    return {first.code, fmt::format("{}, and {} more records are bad", first.what, count - 1)};
  }
};

}  // namespace

Result<ProducedBatch> validate_produce(BytesView bytes, const ProduceRules& rules, Scratch& scratch,
                                       std::vector<RecordError>* rejected) {
  auto batch = single_batch(bytes, rules.max_message_bytes);
  if (!batch) return fail(batch);
  Result<void> header = check_header(*batch, rules.produce_version);
  if (!header) return fail(header);

  RecordIterator records(*batch, scratch, rules.max_decompressed_bytes);
  std::int64_t max_timestamp_ms = no_timestamp_ms;
  std::int32_t index = 0;
  BadRecords bad;
  while (const Record* record = records.next()) {
    if (Result<void> good = check_record(*record, index, rules); !good) {
      bad.add(index, std::move(good.error()), rejected);
    }
    max_timestamp_ms = std::max(max_timestamp_ms, record->timestamp_ms);
    ++index;
  }
  if (const Error* error = records.error()) {
    // The CRC was right: the producer made it so, and would send the same again.
    bool bad_records = error->code == Errc::corrupt_message;
    return fail(bad_records ? Errc::invalid_record : error->code, error->what);
  }
  if (bad.count > 0) return tl::unexpected(bad.summary());
  return ProducedBatch{*batch, max_timestamp_ms, records.payload_bytes()};
}

}  // namespace leat::record
