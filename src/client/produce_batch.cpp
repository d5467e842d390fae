#include "client/produce_batch.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "client/produce_queue.h"
#include "record/record.h"

namespace leat::client {

namespace {

namespace field = record::batch_field;

/// A copy with another numbering. The old one may still be on its way to a broker.
SharedBytes renumbered(const SharedBytes& from, const Numbering& numbering) {
  auto memory = std::make_shared_for_overwrite<std::byte[]>(from.size);
  std::memcpy(memory.get(), from.memory.get(), from.size);
  MutableBytes batch(memory.get(), from.size);
  store_big_endian(batch.data() + field::producer_id, numbering.producer.id.value());
  store_big_endian(batch.data() + field::producer_epoch, numbering.producer.epoch);
  store_big_endian(batch.data() + field::base_sequence, numbering.sequence);
  record::set_crc(batch);
  return {std::move(memory), from.size};
}

/// Who waits for all of a batch that became two: told when both are settled.
class Both {
 public:
  explicit Both(Waiter waiter) : waiter_(std::move(waiter)) {}
  void came(const Delivery& half) {
    if (half.base_offset) {
      all_.base_offset = std::min(all_.base_offset.value_or(*half.base_offset), *half.base_offset);
    }
    if (half.error && !all_.error) all_.error = half.error;
    all_.possibly_persisted |= half.possibly_persisted;
    all_.record_count += half.record_count;
    if (--left_ > 0) return;
    all_.topic = half.topic;
    all_.partition = half.partition;
    waiter_.done(all_, Waiter::all);
  }

 private:
  Waiter waiter_;
  Delivery all_;
  int left_ = 2;
};

}  // namespace

void ProduceBatch::seal(record::Compression compression, std::optional<int> level) {
  if (bytes.memory) {
    if (numbering && numbering != sealed_numbering_) bytes = renumbered(bytes, *numbering);
    sealed_numbering_ = numbering;
    return;
  }
  record::BatchOptions options;
  options.compression = compression;
  options.level = level;
  options.is_transactional = is_transactional;
  if (numbering) {
    options.producer_id = numbering->producer.id;
    options.producer_epoch = numbering->producer.epoch;
    options.base_sequence = numbering->sequence;
  }
  bytes = builder.seal(options);
  sealed_numbering_ = numbering;
  // Where they are compressed, the memory they were collected in is not needed any more.
  builder = record::BatchBuilder();
}

std::pair<ProduceBatch, ProduceBatch> ProduceBatch::split() {
  auto view = record::BatchView::parse(bytes.view());
  ASSERT(view);  // we built it
  std::int32_t first_count = record_count / 2;
  std::pair<ProduceBatch, ProduceBatch> halves;
  std::int32_t count = 0;
  record::RecordIterator records(*view);
  while (const record::Record* record = records.next()) {
    ProduceBatch& half = count++ < first_count ? halves.first : halves.second;
    std::vector<record::Header> headers;
    for (const record::Header& header : record->headers) headers.push_back(header);
    half.builder.append(record->timestamp_ms, record->key, record->value, headers);
    half.buffered_bytes +=
        record::BatchBuilder::record_bytes_max(record->key, record->value, headers);
    ++half.record_count;
  }
  ASSERT(!records.error());
  for (ProduceBatch* half : {&halves.first, &halves.second}) {
    std::int32_t before = half == &halves.first ? 0 : first_count;
    half->partition = partition;
    half->deadline = deadline;
    half->attempts = attempts;
    half->is_transactional = is_transactional;
    half->number = number + static_cast<std::uint64_t>(before);
    half->generation = generation;
    half->numbering = numbering;
    half->ordinal = ordinal;
    if (numbering) half->numbering->sequence = sequence_after(numbering->sequence, before);
  }
  if (!tags.empty()) {
    tags.resize(static_cast<std::size_t>(record_count));
    halves.first.tags.assign(tags.begin(), tags.begin() + first_count);
    halves.second.tags.assign(tags.begin() + first_count, tags.end());
  }
  for (Waiter& waiter : waiters) {
    if (waiter.record == Waiter::all) {
      auto both = std::make_shared<Both>(std::move(waiter));
      auto came = [both](const Delivery& half, std::int32_t) { both->came(half); };
      halves.first.waiters.push_back({Waiter::all, came});
      halves.second.waiters.push_back({Waiter::all, came});
      continue;
    }
    bool is_first = waiter.record < first_count;
    if (!is_first) waiter.record -= first_count;
    (is_first ? halves.first : halves.second).waiters.push_back(std::move(waiter));
  }
  return halves;
}

}  // namespace leat::client
