#include "record/compact.h"

#include <limits>
#include <optional>
#include <vector>

#include "base/assert.h"
#include "record/builder.h"

namespace leat::record {
namespace {

/// What stays, by the place of the record in its batch.
struct Choice {
  std::vector<bool> stays;
  std::int32_t kept = 0;
  std::int32_t removed = 0;
  bool has_tombstone = false;
};

Result<Choice> choose(const BatchView& batch, const IsSuperseded& is_superseded,
                      const TombstoneRules& tombstones, Scratch& scratch) {
  Choice choice;
  choice.stays.reserve(static_cast<std::size_t>(batch.record_count()));
  bool horizon_passed =
      batch.has_delete_horizon() && batch.base_timestamp_ms() <= tombstones.now_ms;
  RecordIterator records(batch, scratch);
  while (const Record* record = records.next()) {
    bool is_tombstone = !record->value.has_value();
    bool stays = record->key && !(is_tombstone && horizon_passed) && !is_superseded(*record);
    choice.stays.push_back(stays);
    ++(stays ? choice.kept : choice.removed);
    choice.has_tombstone = choice.has_tombstone || (stays && is_tombstone);
  }
  if (const Error* error = records.error()) return tl::unexpected(*error);
  return choice;
}

BatchOptions options_of(const BatchView& batch) {
  BatchOptions options;
  options.base_offset = batch.base_offset();
  options.leader_epoch = batch.leader_epoch();
  options.producer_id = batch.producer_id();
  options.producer_epoch = batch.producer_epoch();
  options.base_sequence = batch.base_sequence();
  options.is_transactional = batch.is_transactional();
  options.is_control = batch.is_control();
  options.last_offset_delta = batch.last_offset_delta();
  if (batch.timestamp_type() == TimestampType::log_append_time) {
    options.append_time_ms = batch.max_timestamp_ms();
  }
  return options;
}

}  // namespace

Result<Compacted> compact(const BatchView& batch, const IsSuperseded& is_superseded,
                          const TombstoneRules& tombstones, Scratch& scratch) {
  Compacted result;
  result.kept = batch.record_count();
  if (batch.is_control() || batch.record_count() == 0) return result;
  Result<Choice> choice = choose(batch, is_superseded, tombstones, scratch);
  if (!choice) return fail(choice);
  result.kept = choice->kept;
  result.removed = choice->removed;
  bool needs_horizon = choice->has_tombstone && !batch.has_delete_horizon();
  if (choice->removed == 0 && !needs_horizon) return result;
  if (choice->kept == 0) {
    result.kind = Compacted::Kind::emptied;
    return result;
  }
  BatchOptions options = options_of(batch);
  options.compression = batch.compression();
  std::optional<std::int64_t> base_timestamp_ms;
  if (choice->has_tombstone) {
    options.has_delete_horizon = true;
    base_timestamp_ms = batch.has_delete_horizon() ? batch.base_timestamp_ms()
                                                   : tombstones.now_ms + tombstones.retention_ms;
  }
  BatchBuilder builder(base_timestamp_ms);
  RecordIterator records(batch, scratch);
  std::size_t place = 0;
  while (const Record* record = records.next()) {
    if (!choice->stays[place++]) continue;
    builder.append(static_cast<std::int32_t>(record->offset - batch.base_offset()), *record);
  }
  if (const Error* error = records.error()) return tl::unexpected(*error);
  result.kind = Compacted::Kind::rewritten;
  result.bytes = builder.build(options);
  return result;
}

Bytes without_records(const BatchView& batch) {
  BatchOptions options = options_of(batch);
  BatchBuilder builder(batch.base_timestamp_ms());
  return builder.build(options);
}

Bytes empty_batch(Offset base, Offset next, LeaderEpoch leader_epoch) {
  ASSERT(covers(base, next));
  BatchOptions options;
  options.base_offset = base;
  options.leader_epoch = leader_epoch;
  options.last_offset_delta = static_cast<std::int32_t>(next - base - 1);
  return BatchBuilder().build(options);
}

bool covers(Offset base, Offset next) {
  return base < next && next - base - 1 <= std::numeric_limits<std::int32_t>::max();
}

void extend(MutableBytes batch, Offset next) {
  Offset base{load_big_endian<std::int64_t>(batch.data() + batch_field::base_offset)};
  ASSERT(covers(base, next));
  store_big_endian(batch.data() + batch_field::last_offset_delta,
                   static_cast<std::int32_t>(next - base - 1));
  set_crc(batch);
}

}  // namespace leat::record
