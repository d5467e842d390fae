#include "log/checkpoint.h"

#include <algorithm>

#include <fmt/core.h>
#include <xxhash.h>

#include "log/journal_entry.h"

namespace leat::log {
namespace {

constexpr std::uint32_t checkpoint_magic = 0x4c434b31;  // "LCK1"
constexpr std::uint32_t checkpoint_version = 4;
constexpr std::uint32_t first_version_with_marks = 2;
constexpr std::uint32_t first_version_with_compaction = 3;
constexpr std::uint32_t first_version_with_producers = 4;
constexpr std::size_t count_at = 36;

void write_segment(ByteWriter& out, const SegmentState& segment) {
  out.write(segment.base_offset.value());
  out.write(segment.next_offset.value());
  out.write(segment.bytes);
  out.write(segment.max_timestamp_ms);
  out.write(segment.first_append_ms);
  out.write(segment.last_append_ms);
  out.write(static_cast<std::uint8_t>(segment.sealed));
  out.write(segment.marks.first_crc);
  out.write(segment.marks.last_crc);
  out.write(segment.marks.last_position);
  out.write(segment.version);
}

SegmentState read_segment(ByteReader& in, std::uint32_t version) {
  SegmentState segment;
  segment.base_offset = Offset{in.read<std::int64_t>()};
  segment.next_offset = Offset{in.read<std::int64_t>()};
  segment.bytes = in.read<std::uint64_t>();
  segment.max_timestamp_ms = in.read<std::int64_t>();
  segment.first_append_ms = in.read<std::int64_t>();
  segment.last_append_ms = in.read<std::int64_t>();
  segment.sealed = in.read<std::uint8_t>() != 0;
  if (version < first_version_with_marks) return segment;
  segment.marks.first_crc = in.read<std::uint32_t>();
  segment.marks.last_crc = in.read<std::uint32_t>();
  segment.marks.last_position = in.read<std::uint64_t>();
  if (version >= first_version_with_compaction) segment.version = in.read<std::uint32_t>();
  return segment;
}

PartitionState read_partition(ByteReader& in, std::uint32_t version) {
  PartitionState state;
  state.id = read_id(in);
  state.leader_epoch = LeaderEpoch{in.read<std::int32_t>()};
  state.start_offset = Offset{in.read<std::int64_t>()};
  state.end_offset = Offset{in.read<std::int64_t>()};
  if (version >= first_version_with_compaction) {
    state.compacted_to = Offset{in.read<std::int64_t>()};
  }
  auto segments = in.read<std::uint32_t>();
  for (std::uint32_t i = 0; i < segments && in.ok(); ++i) {
    state.segments.push_back(read_segment(in, version));
  }
  auto damages = in.read<std::uint32_t>();
  for (std::uint32_t i = 0; i < damages && in.ok(); ++i) {
    Damage damage;
    damage.offsets = read_range(in);
    damage.segment_base = Offset{in.read<std::int64_t>()};
    damage.position = in.read<std::uint64_t>();
    damage.bytes = in.read<std::uint64_t>();
    state.damage.push_back(damage);
  }
  auto gaps = in.read<std::uint32_t>();
  for (std::uint32_t i = 0; i < gaps && in.ok(); ++i) state.gaps.push_back(read_range(in));
  if (version < first_version_with_producers) return state;
  auto producers_from = in.read<std::int64_t>();
  if (producers_from >= 0) state.producers_from = Offset{producers_from};
  return state;
}

}  // namespace

CheckpointWriter::CheckpointWriter(const CheckpointHead& head) {
  ByteWriter out(bytes_);
  out.write(checkpoint_magic);
  out.write(checkpoint_version);
  out.write(head.salt);
  out.write(head.sequence);
  out.write(head.early_boot);
  out.write(head.epoch_floor.value());
  out.write(count_);
}

void CheckpointWriter::add(const PartitionState& partition) {
  ByteWriter out(bytes_);
  write_id(out, partition.id);
  out.write(partition.leader_epoch.value());
  out.write(partition.start_offset.value());
  out.write(partition.end_offset.value());
  out.write(partition.compacted_to.value());
  out.write(static_cast<std::uint32_t>(partition.segments.size()));
  for (const SegmentState& segment : partition.segments) write_segment(out, segment);
  out.write(static_cast<std::uint32_t>(partition.damage.size()));
  for (const Damage& damage : partition.damage) {
    write_range(out, damage.offsets);
    out.write(damage.segment_base.value());
    out.write(damage.position);
    out.write(damage.bytes);
  }
  out.write(static_cast<std::uint32_t>(partition.gaps.size()));
  for (const OffsetRange& gap : partition.gaps) write_range(out, gap);
  out.write(partition.producers_from.value_or(Offset{-1}).value());
  ++count_;
}

Bytes CheckpointWriter::finish() {
  ByteWriter out(bytes_);
  out.patch(count_at, count_);
  std::uint64_t checksum = XXH3_64bits(bytes_.data(), bytes_.size());
  out.write(checksum);
  std::size_t copy = bytes_.size();
  bytes_.resize(2 * copy);
  std::copy_n(bytes_.begin(), copy, bytes_.begin() + static_cast<std::ptrdiff_t>(copy));
  return std::move(bytes_);
}

Bytes encode(const Checkpoint& checkpoint) {
  CheckpointWriter writer(checkpoint.head);
  for (const PartitionState& partition : checkpoint.partitions) writer.add(partition);
  return writer.finish();
}

namespace {

Result<Checkpoint> decode_copy(BytesView bytes) {
  constexpr std::size_t least = count_at + sizeof(std::uint32_t) + sizeof(std::uint64_t);
  if (bytes.size() < least) return fail(Errc::corrupt_message, "checkpoint is too short");
  BytesView body = bytes.first(bytes.size() - sizeof(std::uint64_t));
  ByteReader in(body);
  if (in.read<std::uint32_t>() != checkpoint_magic) {
    return fail(Errc::corrupt_message, "checkpoint does not begin as one");
  }
  auto version = in.read<std::uint32_t>();
  if (load_big_endian<std::uint64_t>(body.data() + body.size()) !=
      XXH3_64bits(body.data(), body.size())) {
    return fail(Errc::corrupt_message, "checkpoint fails its checksum");
  }
  if (version < 1 || version > checkpoint_version) {
    return fail(Errc::unsupported_format, fmt::format("checkpoint has version {}", version));
  }
  Checkpoint checkpoint;
  checkpoint.head.salt = in.read<std::uint64_t>();
  checkpoint.head.sequence = in.read<std::uint64_t>();
  checkpoint.head.early_boot = in.read<std::uint64_t>();
  checkpoint.head.epoch_floor = LeaderEpoch{in.read<std::int32_t>()};
  auto partitions = in.read<std::uint32_t>();
  for (std::uint32_t i = 0; i < partitions && in.ok(); ++i) {
    checkpoint.partitions.push_back(read_partition(in, version));
  }
  if (!in.ok() || in.remaining() != 0) {
    return fail(Errc::corrupt_message, "checkpoint does not parse");
  }
  return checkpoint;
}

}  // namespace

Result<Checkpoint> decode_checkpoint(BytesView bytes) {
  std::size_t half = bytes.size() / 2;
  BytesView first = bytes.first(half);
  BytesView second = bytes.subspan(half);
  Result<Checkpoint> checkpoint = decode_copy(first);
  if (checkpoint) {
    bool are_equal = std::equal(first.begin(), first.end(), second.begin(), second.end());
    if (!are_equal) checkpoint->flaw = "the second copy of the checkpoint is not like the first";
    return checkpoint;
  }
  if (checkpoint.error().code != Errc::corrupt_message) return checkpoint;
  Result<Checkpoint> other = decode_copy(second);
  if (!other) return checkpoint;
  other->flaw = "the first copy of the checkpoint cannot be read: " + checkpoint.error().what;
  return other;
}

}  // namespace leat::log
