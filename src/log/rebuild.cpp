#include "log/rebuild.h"

#include <algorithm>

#include "log/seal.h"

namespace leat::log {
namespace {

/// Every segment's file, compacted ones before what they were made from.
Result<std::vector<SegmentName>> list_segments(const RecoveryJob& job, const TopicPartition& id) {
  std::vector<SegmentName> names;
  Result<std::vector<file::DirectoryEntry>> entries = job.files.list(job.layout.partition(id));
  if (!entries) return fail(entries);
  for (const file::DirectoryEntry& entry : *entries) {
    if (std::optional<SegmentName> name = parse_segment_name(entry.name, ".log")) {
      names.push_back(*name);
    }
  }
  std::sort(names.begin(), names.end(), [](const SegmentName& a, const SegmentName& b) {
    return a.base != b.base ? a.base < b.base : a.version > b.version;
  });
  return names;
}

/// Where a compacted segment ends if it is whole: its seal is written before anything that it
/// replaces is removed. nullopt otherwise.
Result<std::optional<Offset>> whole_end(const RecoveryJob& job, const TopicPartition& id,
                                        SegmentName name) {
  std::string path = job.layout.segment(id, name.base, name.version);
  Result<Bytes> bytes = file::read_file(job.files, with_suffix(path, ".seal"));
  if (!bytes && bytes.error().code == Errc::not_found) return std::nullopt;
  if (!bytes) return fail(bytes);
  Result<Seal> seal = decode_seal(*bytes);
  if (!seal || seal->base_offset != name.base) return std::nullopt;
  Result<file::FilePtr> file = job.files.open(path, file::OpenMode::read);
  if (!file) return fail(file);
  Result<std::uint64_t> hash = hash_file(**file, 0, seal->bytes);
  if (!hash && hash.error().code != Errc::corrupt_message) return fail(hash);
  if (!hash || *hash != seal->hash) return std::nullopt;
  return seal->next_offset;
}

/// Those that make up the log: of a compacted segment and what it was made from, one or the other.
/// A compacted one that is not whole counts only where nothing else has its records.
Result<std::vector<SegmentName>> choose_segments(const RecoveryJob& job, const TopicPartition& id) {
  Result<std::vector<SegmentName>> names = list_segments(job, id);
  if (!names) return names;
  std::vector<SegmentName> chosen;
  Offset covered{0};
  for (std::size_t i = 0; i < names->size(); ++i) {
    SegmentName name = (*names)[i];
    if (name.base < covered) continue;
    if (name.version > 0) {
      Result<std::optional<Offset>> end = whole_end(job, id, name);
      if (!end) return fail(end);
      bool has_other = i + 1 < names->size() && (*names)[i + 1].base == name.base;
      if (!*end && has_other) continue;
      if (*end) covered = **end;
    }
    if (chosen.empty() || chosen.back().base != name.base) chosen.push_back(name);
  }
  return chosen;
}

/// Adds the segment of that name, which should lead to `next`; without a next one, to wherever it
/// goes.
Result<void> add_segment(RecoveryJob& job, PartitionState& state, SegmentName name,
                         std::optional<Offset> next) {
  Offset base = name.base;
  Result<file::FilePtr> file =
      job.files.open(job.layout.segment(state.id, base, name.version), file::OpenMode::read);
  if (!file) return fail(file);
  Result<std::uint64_t> size = (*file)->size();
  if (!size) return fail(size);
  SegmentState segment;
  segment.base_offset = segment.next_offset = base;
  segment.version = name.version;
  segment.first_append_ms = segment.last_append_ms = job.now_ms;
  auto take = [&](const ScannedBatch& batch) {
    segment.next_offset = batch.head.next_offset;
    segment.bytes = batch.position + batch.head.bytes;
    segment.max_timestamp_ms = std::max(segment.max_timestamp_ms, batch.head.max_timestamp_ms);
    state.leader_epoch = std::max(state.leader_epoch, batch.head.leader_epoch);
    add_mark(segment.marks, batch);
    if (batch.head.has_producer()) note_producers(state, batch.head.base_offset);
  };
  if (next) {
    RangeVisitor visitor;
    visitor.batch = take;
    visitor.damage = [&](const Damage& damage, const std::string& cause) {
      add_damage(state.damage, damage);
      job.report(damage_finding(job.layout, state, damage, cause));
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
  Result<std::vector<SegmentName>> names = choose_segments(job, state.id);
  if (!names) return fail(names);
  if (names->empty()) return {};
  state.start_offset = names->front().base;
  for (std::size_t i = 0; i < names->size(); ++i) {
    std::optional<Offset> next;
    if (i + 1 < names->size()) next = (*names)[i + 1].base;
    Result<void> added = add_segment(job, state, (*names)[i], next);
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
