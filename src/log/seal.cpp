#include "log/seal.h"

#include <algorithm>
#include <memory>

#include <fmt/core.h>
#include <xxhash.h>

#include "log/journal_entry.h"
#include "log/layout.h"
#include "log/scan_buffer.h"

namespace leat::log {
namespace {

constexpr std::uint32_t seal_magic = 0x4c534c31;  // "LSL1"
constexpr std::uint32_t seal_version = 1;
constexpr std::size_t seal_bytes = 88;

}  // namespace

Bytes encode(const Seal& seal) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.write(seal_magic);
  out.write(seal_version);
  out.write(seal.base_offset.value());
  out.write(seal.next_offset.value());
  out.write(seal.bytes);
  out.write(seal.batches);
  out.write(seal.records);
  out.write(seal.min_timestamp_ms);
  out.write(seal.max_timestamp_ms);
  out.write(seal.last_append_ms);
  out.write(seal.hash);
  std::uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
  out.write(checksum);
  return bytes;
}

Result<Seal> decode_seal(BytesView bytes) {
  if (bytes.size() != seal_bytes) {
    return fail(Errc::corrupt_message, fmt::format("a seal of {} bytes", bytes.size()));
  }
  BytesView body = bytes.first(seal_bytes - sizeof(std::uint64_t));
  if (load_big_endian<std::uint64_t>(body.data() + body.size()) !=
      XXH3_64bits(body.data(), body.size())) {
    return fail(Errc::corrupt_message, "the seal fails its checksum");
  }
  ByteReader in(body);
  if (in.read<std::uint32_t>() != seal_magic || in.read<std::uint32_t>() != seal_version) {
    return fail(Errc::corrupt_message, "the seal does not begin as one");
  }
  Seal seal;
  seal.base_offset = Offset{in.read<std::int64_t>()};
  seal.next_offset = Offset{in.read<std::int64_t>()};
  seal.bytes = in.read<std::uint64_t>();
  seal.batches = in.read<std::uint64_t>();
  seal.records = in.read<std::uint64_t>();
  seal.min_timestamp_ms = in.read<std::int64_t>();
  seal.max_timestamp_ms = in.read<std::int64_t>();
  seal.last_append_ms = in.read<std::int64_t>();
  seal.hash = in.read<std::uint64_t>();
  return seal;
}

Result<std::uint64_t> hash_file(const file::File& file, std::uint64_t position,
                                std::uint64_t bytes) {
  constexpr std::uint64_t step = std::uint64_t{1} << 20;
  ScanBuffer buffer;
  buffer.reserve(std::min(bytes, step));
  Checksum checksum;
  while (bytes > 0) {
    MutableBytes into = buffer.bytes().first(std::min(bytes, step));
    Result<std::size_t> got = file.read_at(position, into);
    if (!got) return fail(got);
    if (*got != into.size()) return fail(Errc::corrupt_message, "the file is too short");
    checksum.add(into);
    position += *got;
    bytes -= *got;
  }
  return checksum.digest();
}

Result<Seal> compute_seal(const Segment& segment) {
  SegmentState state = segment.state();
  Seal seal;
  seal.base_offset = state.base_offset;
  seal.next_offset = state.next_offset;
  seal.bytes = state.bytes;
  seal.max_timestamp_ms = state.max_timestamp_ms;
  seal.last_append_ms = state.last_append_ms;
  auto count = [&](const file::File&, const ScannedBatch& batch) -> Result<bool> {
    std::int64_t least = std::min(batch.head.base_timestamp_ms, batch.head.max_timestamp_ms);
    seal.min_timestamp_ms = seal.batches == 0 ? least : std::min(seal.min_timestamp_ms, least);
    ++seal.batches;
    seal.records += static_cast<std::uint64_t>(batch.head.record_count);
    return true;
  };
  Result<void> visited =
      segment.visit({state.base_offset, 0}, {state.next_offset, state.bytes}, count);
  if (!visited) return fail(visited);
  Result<file::FilePtr> file = segment.file();
  if (!file) return fail(file);
  Result<std::uint64_t> hash = hash_file(**file, 0, state.bytes);
  if (!hash) return fail(hash);
  seal.hash = *hash;
  return seal;
}

Result<void> write_seal(file::FileSystem& files, const Segment& segment) {
  Result<Seal> seal = compute_seal(segment);
  if (!seal) return fail(seal);
  Result<void> saved = segment.save_index();
  if (!saved) return saved;
  return file::replace_file(files, with_suffix(segment.path(), ".seal"), encode(*seal));
}

}  // namespace leat::log
