#include "stream/record_finder.h"

#include "record/batch.h"

namespace leat::stream {

Result<void> find_records(BytesView batches, std::span<const Offset> offsets,
                          const TakeRecord& take) {
  record::Scratch scratch;
  std::size_t next = 0;
  while (!batches.empty() && next < offsets.size()) {
    auto batch = record::BatchView::parse(batches);
    if (!batch) return fail(batch);
    batches = batches.subspan(batch->size_bytes());
    while (next < offsets.size() && offsets[next] < batch->base_offset()) ++next;
    bool has_any = next < offsets.size() && offsets[next] < batch->next_offset();
    if (!has_any || batch->is_control()) continue;
    record::RecordIterator records(*batch, scratch);
    while (next < offsets.size() && offsets[next] < batch->next_offset()) {
      const record::Record* record = records.next();
      if (record == nullptr) break;
      while (next < offsets.size() && offsets[next] < record->offset) ++next;
      while (next < offsets.size() && offsets[next] == record->offset) take(next++, *record);
    }
    if (const Error* error = records.error()) return fail(error->code, error->what);
  }
  return {};
}

}  // namespace leat::stream
