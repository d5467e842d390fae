#include "client/record_reader.h"

#include <fmt/core.h>

namespace leat::client {

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
    if (aborted_.contain(*batch) || batch->is_control()) continue;
    batch_ = *batch;
    records_.emplace(*batch_, scratch_);
    return true;
  }
  return false;
}

void RecordReader::fail_with(const Error& error, Offset offset) {
  error_ = Error{error.code, fmt::format("{}/{}: batch at offset {}: {}", fetched_.topic,
                                         fetched_.partition, offset.value(), error.what)};
}

}  // namespace leat::client
