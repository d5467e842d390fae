#include "log/rebuild.h"

#include <algorithm>

namespace leat::log {
namespace {

Result<std::vector<Offset>> list_segments(const RecoveryJob& job, const TopicPartition& id) {
  std::vector<Offset> bases;
  Result<std::vector<file::DirectoryEntry>> entries = job.files.list(job.layout.partition(id));
  if (!entries) return fail(entries);
  for (const file::DirectoryEntry& entry : *entries) {
    if (std::optional<Offset> base = parse_segment_name(entry.name, ".log")) bases.push_back(*base);
  }
  return bases;
}

/// Adds the segment at `base`, which should lead to `next`; without a next one, to wherever it
/// goes.
Result<void> add_segment(RecoveryJob& job, PartitionState& state, Offset base,
                         std::optional<Offset> next) {
  Result<file::FilePtr> file =
      job.files.open(job.layout.segment(state.id, base), file::OpenMode::read);
  if (!file) return fail(file);
  Result<std::uint64_t> size = (*file)->size();
  if (!size) return fail(size);
  SegmentState segment;
  segment.base_offset = segment.next_offset = base;
  segment.first_append_ms = segment.last_append_ms = job.now_ms;
  auto take = [&](const ScannedBatch& batch) {
    segment.next_offset = batch.head.next_offset;
    segment.bytes = batch.position + batch.head.bytes;
    segment.max_timestamp_ms = std::max(segment.max_timestamp_ms, batch.head.max_timestamp_ms);
    state.leader_epoch = std::max(state.leader_epoch, batch.head.leader_epoch);
    add_mark(segment.marks, batch);
  };
  if (next) {
    RangeVisitor visitor;
    visitor.batch = take;
    visitor.damage = [&](const Damage& damage, const std::string& cause) {
      add_damage(state.damage, damage);
      job.report(damage_finding(job.layout, state.id, damage, cause));
    };
    auto no_boundary = [](std::uint64_t) { return std::optional<Place>(); };
    Result<void> checked =
        check_range(**file, base, {base, 0}, {*next, *size}, no_boundary, visitor);
    if (!checked) return checked;
    segment.next_offset = *next;
    segment.bytes = *size;
  } else {
    BatchScanner scanner(**file, {base, 0}, *size, BatchScanner::Check::crc);
    while (true) {
      Result<std::optional<ScannedBatch>> batch = scanner.next();
      if (!batch) return fail(batch);
      if (!*batch) break;
      take(**batch);
    }
  }
  // The new checkpoint will say that this is on disk; nothing else says whether it is.
  Result<void> synced = (*file)->sync();
  if (!synced) return synced;
  if (segment.bytes > 0) state.segments.push_back(segment);
  state.end_offset = segment.next_offset;
  return {};
}

Result<void> rebuild_partition(RecoveryJob& job, PartitionState& state) {
  Result<std::vector<Offset>> bases = list_segments(job, state.id);
  if (!bases) return fail(bases);
  if (bases->empty()) return {};
  state.start_offset = bases->front();
  for (std::size_t i = 0; i < bases->size(); ++i) {
    std::optional<Offset> next;
    if (i + 1 < bases->size()) next = (*bases)[i + 1];
    Result<void> added = add_segment(job, state, (*bases)[i], next);
    if (!added) return added;
  }
  for (const std::string& directory :
       {job.layout.partition(state.id), job.layout.topic(state.id.topic_id),
        job.layout.partitions()}) {
    Result<void> synced = job.files.sync_directory(directory);
    if (!synced) return synced;
  }
  return {};
}

}  // namespace

Result<void> rebuild_states(RecoveryJob& job, std::map<TopicPartition, PartitionState>& states) {
  Result<std::vector<file::DirectoryEntry>> topics = job.files.list(job.layout.partitions());
  if (!topics) return fail(topics);
  for (const file::DirectoryEntry& topic : *topics) {
    std::optional<Uuid> topic_id = Uuid::from_hex(topic.name);
    if (!topic_id) continue;
    Result<std::vector<file::DirectoryEntry>> entries = job.files.list(job.layout.topic(*topic_id));
    if (!entries) return fail(entries);
    for (const file::DirectoryEntry& entry : *entries) {
      std::optional<PartitionId> number = parse_partition_name(entry.name);
      if (!number) continue;
      PartitionState state;
      state.id = {*topic_id, *number};
      Result<void> rebuilt = rebuild_partition(job, state);
      if (!rebuilt) return rebuilt;
      states[state.id] = std::move(state);
    }
  }
  return {};
}

}  // namespace leat::log
