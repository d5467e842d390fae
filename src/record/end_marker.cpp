#include "record/end_marker.h"

#include "record/builder.h"
#include "record/record.h"

namespace leat::record {
namespace {

constexpr std::int16_t marker_version = 0;
constexpr std::int16_t type_abort = 0;
constexpr std::int16_t type_commit = 1;

}  // namespace

Bytes build_end_marker(ProducerId producer, std::int16_t epoch, const EndMarker& marker,
                       std::int64_t timestamp_ms) {
  Bytes key;
  ByteWriter key_writer(key);
  key_writer.write(marker_version);
  key_writer.write(marker.is_commit ? type_commit : type_abort);
  Bytes value;
  ByteWriter value_writer(value);
  value_writer.write(marker_version);
  value_writer.write(marker.coordinator_epoch);
  BatchBuilder builder;
  builder.append(timestamp_ms, BytesView(key), BytesView(value));
  BatchOptions options;
  options.producer_id = producer;
  options.producer_epoch = epoch;
  options.is_transactional = true;
  options.is_control = true;
  return builder.build(options);
}

std::optional<EndMarker> parse_end_marker(const BatchView& batch) {
  if (!batch.is_control()) return std::nullopt;
  RecordIterator records(batch);
  const Record* record = records.next();
  if (record == nullptr || !record->key) return std::nullopt;
  ByteReader key(*record->key);
  auto version = key.read<std::int16_t>();
  auto type = key.read<std::int16_t>();
  if (!key.ok() || version < 0 || (type != type_abort && type != type_commit)) return std::nullopt;
  EndMarker marker;
  marker.is_commit = type == type_commit;
  if (record->value) {
    ByteReader value(*record->value);
    value.read<std::int16_t>();
    auto coordinator_epoch = value.read<std::int32_t>();
    if (value.ok()) marker.coordinator_epoch = coordinator_epoch;
  }
  return marker;
}

}  // namespace leat::record
