#include "client/aborted_batches.h"

#include "record/record.h"

namespace leat::client {

namespace {

/// What a control record's key says: version:i16 type:i16.
constexpr std::size_t control_key_bytes = 4;
constexpr std::int16_t abort_marker = 0;

}  // namespace

bool AbortedBatches::contain(const record::BatchView& batch) {
  while (next_ < aborted_.size() && aborted_[next_].first_offset <= batch.last_offset().value())
    producers_.insert(aborted_[next_++].producer_id);
  if (batch.is_control()) {
    end_transaction(batch);
    return false;
  }
  return batch.is_transactional() && producers_.contains(batch.producer_id().value());
}

void AbortedBatches::end_transaction(const record::BatchView& control_batch) {
  if (producers_.empty()) return;
  record::Scratch scratch;
  record::RecordIterator records(control_batch, scratch);
  const record::Record* marker = records.next();
  if (!marker || !marker->key || marker->key->size() < control_key_bytes) return;
  if (load_big_endian<std::int16_t>(marker->key->data() + 2) == abort_marker)
    producers_.erase(control_batch.producer_id().value());
}

}  // namespace leat::client
