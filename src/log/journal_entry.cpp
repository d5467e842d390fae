#include "log/journal_entry.h"

#include <algorithm>

#include <xxhash.h>

#include "base/assert.h"

namespace leat::log {
namespace {

enum class Kind : std::uint8_t { data = 1, start, damage, gap, removed, end };

constexpr std::uint64_t frame_sequence_max = std::uint64_t{1} << 62;
constexpr std::uint8_t form_bytes = 0;
constexpr std::uint8_t form_inline = 1;
constexpr std::uint8_t form_batches = 2;
constexpr std::uint8_t form_producers = 0x80;

std::uint8_t form_of(const DataEntry& e) {
  std::uint8_t form = e.is_inline ? form_inline : e.hashes_bytes ? form_bytes : form_batches;
  return static_cast<std::uint8_t>(form | (e.has_producers ? form_producers : 0));
}

void write_body(ByteWriter& out, const DataEntry& e) {
  out.write(e.leader_epoch.value());
  out.write(e.segment_base.value());
  out.write(e.base_offset.value());
  out.write(e.next_offset.value());
  out.write(e.position);
  out.write(e.bytes);
  out.write(e.max_timestamp_ms);
  out.write(e.append_ms);
  out.write(form_of(e));
  out.write(e.hash);
}
void write_body(ByteWriter& out, const StartEntry& e) {
  out.write(e.start.value());
  out.write(static_cast<std::uint8_t>(e.all));
}
void write_body(ByteWriter& out, const DamageEntry& e) {
  write_range(out, e.damage.offsets);
  out.write(e.damage.segment_base.value());
  out.write(e.damage.position);
  out.write(e.damage.bytes);
}
void write_body(ByteWriter& out, const GapEntry& e) {
  write_range(out, e.range);
}
void write_body(ByteWriter&, const RemovedEntry&) {}
void write_body(ByteWriter& out, const EndEntry& e) {
  out.write(e.end.value());
}

DataEntry read_data(ByteReader& in, const TopicPartition& id) {
  DataEntry e;
  e.id = id;
  e.leader_epoch = LeaderEpoch{in.read<std::int32_t>()};
  e.segment_base = Offset{in.read<std::int64_t>()};
  e.base_offset = Offset{in.read<std::int64_t>()};
  e.next_offset = Offset{in.read<std::int64_t>()};
  e.position = in.read<std::uint64_t>();
  e.bytes = in.read<std::uint64_t>();
  e.max_timestamp_ms = in.read<std::int64_t>();
  e.append_ms = in.read<std::int64_t>();
  auto form = in.read<std::uint8_t>();
  e.has_producers = (form & form_producers) != 0;
  form = static_cast<std::uint8_t>(form & ~form_producers);
  e.is_inline = form == form_inline;
  e.hashes_bytes = form == form_bytes;
  e.hash = in.read<std::uint64_t>();
  return e;
}

DamageEntry read_damage(ByteReader& in, const TopicPartition& id) {
  DamageEntry e{id, {}};
  e.damage.offsets = read_range(in);
  e.damage.segment_base = Offset{in.read<std::int64_t>()};
  e.damage.position = in.read<std::uint64_t>();
  e.damage.bytes = in.read<std::uint64_t>();
  return e;
}

}  // namespace

void FrameHeader::write(Bytes& head) const {
  Bytes header;
  ByteWriter out(header);
  out.write(frame_magic);
  out.write(frame_version);
  out.write(salt);
  out.write(sequence);
  out.write(previous);
  out.write(synced);
  out.write(boot);
  out.write(entries_bytes);
  out.write(entry_count);
  out.write(inline_bytes);
  ASSERT(header.size() == frame_checksum_at && head.size() >= frame_header_bytes);
  std::copy(header.begin(), header.end(), head.begin());
}

std::optional<FrameHeader> FrameHeader::parse(BytesView bytes) {
  if (bytes.size() < frame_header_bytes) return std::nullopt;
  ByteReader in(bytes);
  if (in.read<std::uint32_t>() != frame_magic) return std::nullopt;
  if (in.read<std::uint32_t>() != frame_version) return std::nullopt;
  FrameHeader header;
  header.salt = in.read<std::uint64_t>();
  header.sequence = in.read<std::uint64_t>();
  header.previous = in.read<std::uint64_t>();
  header.synced = in.read<std::uint64_t>();
  header.boot = in.read<std::uint64_t>();
  header.entries_bytes = in.read<std::uint32_t>();
  header.entry_count = in.read<std::uint32_t>();
  header.inline_bytes = in.read<std::uint64_t>();
  header.checksum = in.read<std::uint64_t>();
  // No directory lives to see one so large, and the next one must be larger still.
  if (header.sequence > frame_sequence_max) return std::nullopt;
  return header;
}

struct Checksum::State {
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
  XXH3_64bits_reset(state_->xxh);
}
Checksum::~Checksum() = default;

void Checksum::add_frame(BytesView head) {
  add(head.first(frame_checksum_at));
  add(head.subspan(frame_header_bytes));
}
void Checksum::add(BytesView bytes) {
  XXH3_64bits_update(state_->xxh, bytes.data(), bytes.size());
}
std::uint64_t Checksum::digest() const {
  return XXH3_64bits_digest(state_->xxh);
}

void write_range(ByteWriter& out, OffsetRange range) {
  out.write(range.base.value());
  out.write(range.next.value());
}

OffsetRange read_range(ByteReader& in) {
  Offset base{in.read<std::int64_t>()};
  Offset next{in.read<std::int64_t>()};
  return {base, next};
}

void write_id(ByteWriter& out, const TopicPartition& id) {
  out.write_bytes(std::as_bytes(std::span(id.topic_id.bytes)));
  out.write(id.partition.value());
}

TopicPartition read_id(ByteReader& in) {
  TopicPartition id;
  BytesView topic = in.read_bytes(id.topic_id.bytes.size());
  if (!topic.empty()) std::memcpy(id.topic_id.bytes.data(), topic.data(), topic.size());
  id.partition = PartitionId{in.read<std::int32_t>()};
  return id;
}

void write_entry(Bytes& out, const JournalEntry& entry) {
  ByteWriter writer(out);
  writer.write(static_cast<std::uint8_t>(entry.index() + 1));
  std::visit(
      [&](const auto& e) {
        write_id(writer, e.id);
        write_body(writer, e);
      },
      entry);
}

std::optional<JournalEntry> read_entry(ByteReader& in) {
  auto kind = static_cast<Kind>(in.read<std::uint8_t>());
  TopicPartition id = read_id(in);
  switch (kind) {
    case Kind::data: return read_data(in, id);
    case Kind::start: {
      Offset start{in.read<std::int64_t>()};
      return StartEntry{id, start, in.read<std::uint8_t>() != 0};
    }
    case Kind::damage: return read_damage(in, id);
    case Kind::gap: return GapEntry{id, read_range(in)};
    case Kind::removed: return RemovedEntry{id};
    case Kind::end: return EndEntry{id, Offset{in.read<std::int64_t>()}};
  }
  return std::nullopt;
}

}  // namespace leat::log
