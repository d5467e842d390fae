#include "log/producer_snapshot.h"

#include <algorithm>

#include <fmt/core.h>
#include <xxhash.h>

#include "base/assert.h"

namespace leat::log {
namespace {

constexpr std::uint32_t snapshot_magic = 0x4c505331;  // "LPS1"
constexpr std::uint32_t snapshot_version = 1;

void write_producer(ByteWriter& out, ProducerId id, const Producer& producer) {
  out.write(id.value());
  out.write(producer.epoch);
  out.write(producer.last_sequence);
  out.write(producer.coordinator_epoch);
  out.write(producer.marker_offset.value());
  out.write(producer.transaction.value_or(Offset{-1}).value());
  out.write(producer.used_ms);
  out.write(producer.batch_count);
  for (std::size_t i = 0; i < producer.batch_count; ++i) {
    const RememberedBatch& batch = producer.batches[i];
    out.write(batch.base_sequence);
    out.write(batch.last_sequence);
    out.write(batch.base_offset.value());
    out.write(batch.next_offset.value());
    out.write(batch.timestamp_ms);
  }
}

Producer read_producer(ByteReader& in) {
  Producer producer;
  producer.epoch = in.read<std::int16_t>();
  producer.last_sequence = in.read<std::int32_t>();
  producer.coordinator_epoch = in.read<std::int32_t>();
  producer.marker_offset = Offset{in.read<std::int64_t>()};
  auto transaction = in.read<std::int64_t>();
  if (transaction >= 0) producer.transaction = Offset{transaction};
  if (transaction < -1) in.fail();
  producer.used_ms = in.read<std::int64_t>();
  producer.batch_count = in.read<std::uint8_t>();
  if (producer.batch_count > Producer::batches_max) in.fail();
  for (std::size_t i = 0; i < producer.batch_count && in.ok(); ++i) {
    RememberedBatch& batch = producer.batches[i];
    batch.base_sequence = in.read<std::int32_t>();
    batch.last_sequence = in.read<std::int32_t>();
    batch.base_offset = Offset{in.read<std::int64_t>()};
    batch.next_offset = Offset{in.read<std::int64_t>()};
    batch.timestamp_ms = in.read<std::int64_t>();
  }
  return producer;
}

void read_producers(ByteReader& in, ProducerTable& table) {
  auto count = in.read<std::uint32_t>();
  std::int64_t last = -1;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    auto id = in.read<std::int64_t>();
    if (id <= last) in.fail();
    last = id;
    Producer producer = read_producer(in);
    if (in.ok()) table.restore(ProducerId{id}, producer);
  }
}

std::vector<AbortedTransaction> read_aborted(ByteReader& in) {
  std::vector<AbortedTransaction> all;
  auto count = in.read<std::uint32_t>();
  Offset last{-1};
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    AbortedTransaction aborted;
    aborted.producer = ProducerId{in.read<std::int64_t>()};
    aborted.first = Offset{in.read<std::int64_t>()};
    aborted.last = Offset{in.read<std::int64_t>()};
    aborted.stable = Offset{in.read<std::int64_t>()};
    if (aborted.last <= last) in.fail();
    last = aborted.last;
    if (in.ok()) all.push_back(aborted);
  }
  return all;
}

}  // namespace

Bytes encode(const ProducerSnapshot& snapshot) {
  ASSERT(snapshot.table.is_settled());
  Bytes bytes;
  ByteWriter out(bytes);
  out.write(snapshot_magic);
  out.write(snapshot_version);
  out.write(snapshot.offset.value());
  out.write(snapshot.leader_epoch.value());
  out.write(static_cast<std::uint8_t>(snapshot.is_durable));
  std::vector<ProducerId> ids;
  for (const auto& [id, producer] : snapshot.table.producers()) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  out.write(static_cast<std::uint32_t>(ids.size()));
  for (ProducerId id : ids) write_producer(out, id, *snapshot.table.find(id));
  out.write(static_cast<std::uint32_t>(snapshot.aborted.size()));
  for (const AbortedTransaction& aborted : snapshot.aborted) {
    out.write(aborted.producer.value());
    out.write(aborted.first.value());
    out.write(aborted.last.value());
    out.write(aborted.stable.value());
  }
  std::uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
  out.write(checksum);
  return bytes;
}

Result<ProducerSnapshot> decode_producer_snapshot(BytesView bytes, std::size_t producers_max) {
  constexpr std::size_t least = 2 * sizeof(std::uint32_t) + sizeof(std::uint64_t);
  if (bytes.size() < least) return fail(Errc::corrupt_message, "the snapshot is too short");
  BytesView body = bytes.first(bytes.size() - sizeof(std::uint64_t));
  if (load_big_endian<std::uint64_t>(body.data() + body.size()) !=
      XXH3_64bits(body.data(), body.size())) {
    return fail(Errc::corrupt_message, "the snapshot fails its checksum");
  }
  ByteReader in(body);
  if (in.read<std::uint32_t>() != snapshot_magic) {
    return fail(Errc::corrupt_message, "the snapshot does not begin as one");
  }
  auto version = in.read<std::uint32_t>();
  if (version != snapshot_version) {
    return fail(Errc::unsupported_format, fmt::format("the snapshot has version {}", version));
  }
  ProducerSnapshot snapshot;
  snapshot.table = ProducerTable(producers_max);
  snapshot.offset = Offset{in.read<std::int64_t>()};
  snapshot.leader_epoch = LeaderEpoch{in.read<std::int32_t>()};
  auto is_durable = in.read<std::uint8_t>();
  if (is_durable > 1) in.fail();
  snapshot.is_durable = is_durable == 1;
  read_producers(in, snapshot.table);
  if (in.ok()) snapshot.aborted = read_aborted(in);
  if (!in.ok() || in.remaining() != 0 || snapshot.offset < Offset{0}) {
    return fail(Errc::corrupt_message, "the snapshot does not parse");
  }
  return snapshot;
}

}  // namespace leat::log
