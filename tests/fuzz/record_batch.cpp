// A record batch off the wire or off the disk: parsed, walked over, built again, and produced.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "record/builder.h"
#include "record/record.h"
#include "record/validate.h"
#include "fuzz/targets.h"

namespace leat::fuzz {
namespace {

constexpr std::size_t max_decompressed_bytes = 1u << 20;

bool same(const record::Record& a, const record::Record& b) {
  auto equal = [](const auto& x, const auto& y) {
    return x.has_value() == y.has_value() && (!x || as_text(*x) == as_text(*y));
  };
  return a.offset == b.offset && a.timestamp_ms == b.timestamp_ms && equal(a.key, b.key) &&
         equal(a.value, b.value) && a.headers.size() == b.headers.size();
}

/// Puts the records of a good batch into a new one, which must hold the same records.
void build_again(const record::BatchView& batch) {
  std::int64_t base_timestamp_ms = batch.base_timestamp_ms();
  record::BatchBuilder builder(base_timestamp_ms);
  record::RecordIterator records(batch, max_decompressed_bytes);
  while (const record::Record* record = records.next()) {
    auto delta = static_cast<std::int32_t>(record->offset - batch.base_offset());
    builder.append(delta, *record);
  }
  Bytes rebuilt = builder.build(
      {.base_offset = batch.base_offset(), .last_offset_delta = batch.last_offset_delta()});
  auto view = record::BatchView::parse(rebuilt);
  ASSERT(view.has_value());
  ASSERT(view->crc_matches());
  record::RecordIterator before(batch, max_decompressed_bytes);
  record::RecordIterator after(*view, max_decompressed_bytes);
  while (const record::Record* record = before.next()) {
    const record::Record* copy = after.next();
    ASSERT(copy != nullptr);
    ASSERT(same(*record, *copy));
  }
  ASSERT(after.next() == nullptr);
  ASSERT(after.error() == nullptr);
}

/// What a broker accepts every reader must be able to read. The CRC is made right first, or nothing
/// would get past it.
void produce(const record::BatchView& batch) {
  Bytes bytes(batch.bytes().begin(), batch.bytes().end());
  record::set_crc(bytes);
  record::Scratch scratch;
  auto produced =
      record::validate_produce(bytes, {.max_decompressed_bytes = max_decompressed_bytes}, scratch);
  if (!produced) return;
  record::RecordIterator records(produced->batch, max_decompressed_bytes);
  std::int64_t max_timestamp_ms = record::no_timestamp_ms;
  for (std::int32_t i = 0; i < produced->batch.record_count(); ++i) {
    const record::Record* record = records.next();
    ASSERT(record != nullptr);
    ASSERT(record->offset == Offset{i});
    max_timestamp_ms = std::max(max_timestamp_ms, record->timestamp_ms);
  }
  ASSERT(records.next() == nullptr);
  ASSERT(records.error() == nullptr);
  ASSERT(max_timestamp_ms == produced->max_timestamp_ms);
}

}  // namespace

void record_batch(BytesView input) {
  auto batch = record::BatchView::parse(input);
  if (!batch) return;
  ASSERT(batch->size_bytes() <= input.size());
  static_cast<void>(batch->crc_matches());
  produce(*batch);
  record::RecordIterator records(*batch, max_decompressed_bytes);
  std::int64_t count = 0;
  while (const record::Record* record = records.next()) {
    ++count;
    ASSERT(record->offset >= batch->base_offset());
    ASSERT(record->offset <= batch->last_offset());
    std::int32_t headers = 0;
    for (record::Header header : record->headers) headers += header.key.data() != nullptr;
    ASSERT(headers == record->headers.size());
  }
  if (records.error() != nullptr) return;
  ASSERT(count == batch->record_count());
  record::Scratch scratch;
  auto found =
      record::find_timestamp(*batch, batch->max_timestamp_ms(), scratch, max_decompressed_bytes);
  ASSERT(found.has_value());
  if (count > 0) build_again(*batch);
}

}  // namespace leat::fuzz
