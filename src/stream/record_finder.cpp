#include "stream/record_finder.h"

namespace leat::stream {

void RecordFinder::reset() {
  record_ = nullptr;
  records_.reset();
  batch_.reset();
  bytes_ = {};
  owner_ = nullptr;
}

// At the batch whose range has the offset.
bool RecordFinder::open(BytesView batches, std::int64_t offset) {
  record_ = nullptr;
  records_.reset();
  batch_.reset();
  while (!batches.empty()) {
    auto batch = record::BatchView::parse(batches);
    if (!batch || batch->base_offset().value() > offset) return false;
    batches = batches.subspan(batch->size_bytes());
    if (batch->next_offset().value() <= offset) continue;
    if (batch->is_control()) return false;
    batch_.emplace(*batch);
    records_.emplace(*batch_, scratch_);
    return true;
  }
  return false;
}

const record::Record* RecordFinder::find(const column::Buffer& buffer, std::int64_t offset) {
  bool same_bytes = batch_ && owner_ == buffer.owner && bytes_.data() == buffer.bytes.data();
  bool ahead = same_bytes && offset >= batch_->base_offset().value() &&
               offset < batch_->next_offset().value() &&
               (record_ == nullptr || record_->offset.value() <= offset);
  if (!ahead) {
    owner_ = buffer.owner;
    bytes_ = buffer.bytes;
    if (!open(bytes_, offset)) return nullptr;
  }
  while (record_ == nullptr || record_->offset.value() < offset) {
    record_ = records_->next();
    if (record_ == nullptr) {
      reset();
      return nullptr;
    }
  }
  return record_->offset.value() == offset ? record_ : nullptr;
}

}  // namespace leat::stream
