#include "client/record_reader.h"

#include <fmt/core.h>

namespace leat::client {

namespace {

/// What a control record's key says: version:i16 type:i16.
constexpr std::size_t control_key_bytes = 4;
constexpr std::int16_t abort_marker = 0;

}  // namespace

const record::Record* RecordReader::next() {
  while (!error_) {
    if (!records_ && !open_batch()) return nullptr;
    while (const record::Record* record = records_->next()) {
      if (record->offset.value() >= fetched_.begin) return record;
    }
    if (const leat::Error* error = records_->error()) fail_with(*error, batch_->base_offset());
    records_.reset();
  }
  return nullptr;
}

bool RecordReader::open_batch() {
  while (!rest_.empty()) {
    auto batch = record::BatchView::parse(rest_);
    if (!batch) {
      fail_with(batch.error(), Offset{fetched_.begin});
      return false;
    }
    rest_ = rest_.subspan(batch->size_bytes());
    // Markers before `begin` still say which transactions are over by then.
    bool is_before = batch->next_offset().value() <= fetched_.begin;
    if (is_before && !batch->is_control()) continue;
    if (!batch->crc_matches()) {
      fail_with({Errc::corrupt_message, "the batch does not match its checksum"},
                batch->base_offset());
      return false;
    }
    begin_aborted(*batch);
    if (batch->is_control()) {
      end_transaction(*batch);
      continue;
    }
    if (is_aborted(*batch)) continue;
    batch_ = *batch;
    records_.emplace(*batch_, scratch_);
    return true;
  }
  return false;
}

/// Everything that a producer wrote between the first offset of an aborted transaction and its
/// abort marker is of that transaction. Of one that began before what was asked for there may be
/// nothing but the marker.
void RecordReader::begin_aborted(const record::BatchView& batch) {
  while (next_aborted_ < fetched_.aborted.size() &&
         fetched_.aborted[next_aborted_].first_offset <= batch.last_offset().value())
    aborted_producers_.insert(fetched_.aborted[next_aborted_++].producer_id);
}

bool RecordReader::is_aborted(const record::BatchView& batch) const {
  return batch.is_transactional() && aborted_producers_.contains(batch.producer_id().value());
}

void RecordReader::end_transaction(const record::BatchView& control_batch) {
  record::RecordIterator records(control_batch, scratch_);
  const record::Record* marker = records.next();
  if (!marker || !marker->key || marker->key->size() < control_key_bytes) return;
  if (load_big_endian<std::int16_t>(marker->key->data() + 2) == abort_marker)
    aborted_producers_.erase(control_batch.producer_id().value());
}

void RecordReader::fail_with(const Error& error, Offset offset) {
  error_ = Error{error.code, fmt::format("{}/{}: batch at offset {}: {}", fetched_.topic,
                                         fetched_.partition, offset.value(), error.what)};
}

}  // namespace leat::client
