// A snapshot of a run:
//
//   file   := "LEATRUN" version:u8=1 head_bytes:u32 head state hash:u64*2
//   head   := flags:u8 epoch:u64 next:i64 rows_in:u64 rows_out:u64 late:u64 bad:u64 files_epoch:u64
//             repeated_epoch:u64 repeated_next:i64 begin
//   flags  := 1 finished, 2 repeated_... count
//   begin  := the record of the beginning, as epoch_record.cpp has it
//   state  := what the task keeps, as stream/task.cpp has it
//
// `hash` is the XXH3-128 of all before it. Numbers are big-endian.
#include "pipeline/snapshots.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <xxhash.h>

#include "base/assert.h"

namespace leat::pipeline {

namespace {

constexpr std::string_view magic = "LEATRUN";
constexpr std::uint8_t version_1 = 1;
constexpr std::string_view ending = ".snapshot";
constexpr std::string_view aside_ending = ".aside";
constexpr std::size_t frame_bytes = magic.size() + 1 + sizeof(std::uint32_t);
constexpr std::size_t hash_bytes = 16;
constexpr std::size_t kept = 2;
// So much is made durable at a time: a commit whose sync comes behind it waits no longer than that.
constexpr std::size_t piece_bytes = 1 << 20;

// All before the state.
Bytes head_of(const Snapshot& snapshot) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write_bytes(as_bytes(magic));
  writer.write(version_1);
  writer.write<std::uint32_t>(0);  // patched below
  std::uint8_t flags = snapshot.finished ? 1 : 0;
  if (snapshot.repeated) flags |= 2;
  writer.write(flags);
  writer.write(snapshot.epoch);
  writer.write(snapshot.next.value());
  for (std::uint64_t count : {snapshot.counts.rows_in, snapshot.counts.rows_out,
                              snapshot.counts.late, snapshot.counts.bad, snapshot.files_epoch}) {
    writer.write(count);
  }
  EpochPlace repeated = snapshot.repeated.value_or(EpochPlace());
  writer.write(repeated.epoch);
  writer.write(repeated.next.value());
  writer.write_bytes(encode(Record(snapshot.begin)));
  writer.patch(magic.size() + 1, static_cast<std::uint32_t>(bytes.size() - frame_bytes));
  return bytes;
}

Bytes hash_of(std::span<const BytesView> parts) {
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                 XXH3_freeState);
  ASSERT(state != nullptr);
  XXH3_128bits_reset(state.get());
  for (BytesView part : parts) XXH3_128bits_update(state.get(), part.data(), part.size());
  XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<std::uint64_t>(hash.high64);
  writer.write<std::uint64_t>(hash.low64);
  return bytes;
}

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt_message, "the snapshot is damaged");
}

Result<void> read_head(BytesView head, Snapshot& snapshot) {
  ByteReader reader(head);
  auto flags = reader.read<std::uint8_t>();
  snapshot.finished = (flags & 1) != 0;
  snapshot.epoch = reader.read<std::uint64_t>();
  snapshot.next = Offset{reader.read<std::int64_t>()};
  for (std::uint64_t* count :
       {&snapshot.counts.rows_in, &snapshot.counts.rows_out, &snapshot.counts.late,
        &snapshot.counts.bad, &snapshot.files_epoch}) {
    *count = reader.read<std::uint64_t>();
  }
  EpochPlace repeated{reader.read<std::uint64_t>(), Offset{reader.read<std::int64_t>()}};
  if ((flags & 2) != 0) snapshot.repeated = repeated;
  auto begin = decode(reader.read_bytes(reader.remaining()));
  if (!begin) return fail(begin);
  if (!reader.ok() || !std::holds_alternative<BeginRecord>(*begin)) return damaged();
  snapshot.begin = std::move(std::get<BeginRecord>(*begin));
  return {};
}

std::optional<std::uint64_t> epoch_in(std::string_view name) {
  if (!name.ends_with(ending)) return {};
  name.remove_suffix(ending.size());
  std::uint64_t epoch = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), epoch);
  if (error != std::errc() || end != name.data() + name.size()) return {};
  return epoch;
}

}  // namespace

Bytes encode(const Snapshot& snapshot) {
  Bytes bytes = head_of(snapshot);
  bytes.insert(bytes.end(), snapshot.state.begin(), snapshot.state.end());
  std::array<BytesView, 1> parts{BytesView(bytes)};
  Bytes hash = hash_of(parts);
  bytes.insert(bytes.end(), hash.begin(), hash.end());
  return bytes;
}

Result<Snapshot> decode_snapshot(Bytes bytes) {
  BytesView all(bytes);
  if (all.size() < frame_bytes + hash_bytes || as_text(all.first(magic.size())) != magic) {
    return damaged();
  }
  ByteReader frame(all.subspan(magic.size()));
  auto version = frame.read<std::uint8_t>();
  std::array<BytesView, 1> hashed{all.first(all.size() - hash_bytes)};
  Bytes hash = hash_of(hashed);
  if (!std::equal(hash.begin(), hash.end(), all.last(hash_bytes).begin())) return damaged();
  if (version != version_1) {
    return fail(Errc::unsupported_format,
                fmt::format("the snapshot is of version {}; this is Leat of version {}", version,
                            version_1));
  }
  auto head_bytes = frame.read<std::uint32_t>();
  BytesView body = hashed[0].subspan(frame_bytes);
  if (head_bytes > body.size()) return damaged();
  Snapshot snapshot;
  if (auto ok = read_head(body.first(head_bytes), snapshot); !ok) return fail(ok);
  // The state may be most of the memory that there is, so it stays where it is.
  bytes.resize(bytes.size() - hash_bytes);
  bytes.erase(bytes.begin(), bytes.begin() + frame_bytes + head_bytes);
  snapshot.state = std::move(bytes);
  return snapshot;
}

Snapshots::Snapshots(file::FileSystem& files, const std::string& data_directory,
                     const std::string& owner)
    : files_(files),
      pipelines_(data_directory + "/pipelines"),
      directory_(pipelines_ + "/" + owner) {}

std::string Snapshots::path_of(std::uint64_t epoch) const {
  return fmt::format("{}/{}{}", directory_, epoch, ending);
}

Result<void> Snapshots::make_directory() {
  if (directory_made_) return {};
  if (auto ok = files_.make_directories(directory_); !ok) return ok;
  // Who made it may have died before it was durable.
  if (auto ok = files_.sync_directory(pipelines_); !ok) return ok;
  if (auto ok = files_.sync_directory(pipelines_.substr(0, pipelines_.rfind('/'))); !ok) return ok;
  directory_made_ = true;
  return {};
}

Result<void> Snapshots::write_aside(const Snapshot& snapshot, std::uint64_t& bytes) {
  Bytes head = head_of(snapshot);
  std::array<BytesView, 3> parts{BytesView(head), BytesView(snapshot.state), BytesView()};
  Bytes hash = hash_of(std::span(parts).first(2));
  parts[2] = hash;
  bytes = head.size() + snapshot.state.size() + hash.size();
  auto file =
      files_.open(path_of(snapshot.epoch) + std::string(aside_ending), file::OpenMode::create);
  if (!file) return fail(file);
  // What a crash has left of one that was longer.
  if (auto ok = (*file)->truncate(0); !ok) return ok;
  std::uint64_t at = 0;
  for (BytesView left : parts) {
    for (; !left.empty(); left = left.subspan(std::min(left.size(), piece_bytes))) {
      std::array<BytesView, 1> piece{left.first(std::min(left.size(), piece_bytes))};
      if (auto ok = (*file)->write_at(at, piece); !ok) return ok;
      if (auto ok = (*file)->sync(); !ok) return ok;
      at += piece[0].size();
    }
  }
  return {};
}

Result<std::uint64_t> Snapshots::write(const Snapshot& snapshot) {
  std::uint64_t bytes = 0;
  if (auto ok = make_directory(); !ok) return fail(ok);
  if (auto ok = write_aside(snapshot, bytes); !ok) return fail(ok);
  std::string path = path_of(snapshot.epoch);
  if (auto ok = files_.rename(path + std::string(aside_ending), path); !ok) return fail(ok);
  if (auto ok = files_.sync_directory(directory_); !ok) return fail(ok);
  if (auto ok = remove_old(); !ok) return fail(ok);
  return bytes;
}

Result<void> Snapshots::remove_old() {
  auto epochs = list();
  if (!epochs) return fail(epochs);
  for (std::size_t i = kept; i < epochs->size(); ++i) {
    if (auto ok = files_.remove(path_of((*epochs)[i])); !ok) return ok;
  }
  // What crashes have left.
  auto entries = files_.list(directory_);
  if (!entries) return fail(entries);
  for (const auto& entry : *entries) {
    if (!entry.name.ends_with(aside_ending)) continue;
    if (auto ok = files_.remove(directory_ + "/" + entry.name); !ok) return ok;
  }
  return {};
}

Result<std::vector<std::uint64_t>> Snapshots::list() const {
  std::vector<std::uint64_t> epochs;
  auto exists = files_.exists(directory_);
  if (!exists) return fail(exists);
  if (!*exists) return epochs;
  auto entries = files_.list(directory_);
  if (!entries) return fail(entries);
  for (const auto& entry : *entries) {
    if (auto epoch = epoch_in(entry.name)) epochs.push_back(*epoch);
  }
  std::sort(epochs.rbegin(), epochs.rend());
  return epochs;
}

Result<Snapshot> Snapshots::read(std::uint64_t epoch) const {
  auto bytes = file::read_file(files_, path_of(epoch));
  if (!bytes) return fail(bytes);
  auto snapshot = decode_snapshot(std::move(*bytes));
  if (!snapshot) return snapshot;
  if (snapshot->epoch != epoch) return damaged();
  return snapshot;
}

Result<void> Snapshots::remove() {
  auto exists = files_.exists(directory_);
  if (!exists) return fail(exists);
  if (!*exists) return {};
  if (auto ok = files_.remove_all(directory_); !ok) return ok;
  return files_.sync_directory(pipelines_);
}

}  // namespace leat::pipeline
