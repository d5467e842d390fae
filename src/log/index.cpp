#include "log/index.h"

#include <algorithm>

#include <xxhash.h>

namespace leat::log {
namespace {

constexpr std::uint32_t index_magic = 0x4c495831;  // "LIX1"
constexpr std::uint32_t index_version = 1;
constexpr std::size_t header_bytes = 16;
constexpr std::size_t checked_bytes = 16;  // of an entry
constexpr std::size_t entry_bytes = 20;

}  // namespace

std::uint64_t Index::seed_of(const std::string& segment_path) {
  // Topic, partition and base offset name a segment wherever its data directory is.
  std::size_t begin = segment_path.size();
  for (int parts = 0; parts < 3 && begin != std::string::npos && begin > 0; ++parts) {
    begin = segment_path.find_last_of('/', begin - 1);
  }
  std::string name = segment_path.substr(begin == std::string::npos ? 0 : begin);
  return XXH3_64bits(name.data(), name.size());
}

std::uint32_t Index::check_of(BytesView entry) const {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(entry.data(), checked_bytes, seed_));
}

void Index::add(Place place, std::int64_t max_timestamp_before_ms) {
  if (!entries_.empty() && place.position <= entries_.back().position) return;
  entries_.push_back({static_cast<std::uint32_t>(place.offset - base_offset_),
                      static_cast<std::uint32_t>(place.position), max_timestamp_before_ms});
}

void Index::insert(Place place) {
  auto at = std::lower_bound(
      entries_.begin(), entries_.end(), place.position,
      [](const Entry& entry, std::uint64_t position) { return entry.position < position; });
  if (at != entries_.end() && at->position == place.position) return;
  std::int64_t before = at == entries_.begin() ? -1 : std::prev(at)->max_timestamp_before_ms;
  entries_.insert(at, {static_cast<std::uint32_t>(place.offset - base_offset_),
                       static_cast<std::uint32_t>(place.position), before});
}

Place Index::floor_offset(Offset offset) const {
  auto at = std::partition_point(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return base_offset_ + entry.offset_delta <= offset;
  });
  return at == entries_.begin() ? Place{base_offset_, 0} : place(*std::prev(at));
}

Place Index::floor_position(std::uint64_t position) const {
  auto at = std::partition_point(entries_.begin(), entries_.end(),
                                 [&](const Entry& entry) { return entry.position <= position; });
  return at == entries_.begin() ? Place{base_offset_, 0} : place(*std::prev(at));
}

std::optional<Place> Index::ceil_position(std::uint64_t position) const {
  auto at = std::partition_point(entries_.begin(), entries_.end(),
                                 [&](const Entry& entry) { return entry.position < position; });
  if (at == entries_.end()) return std::nullopt;
  return place(*at);
}

Place Index::floor_timestamp(std::int64_t timestamp_ms) const {
  auto at = std::partition_point(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.max_timestamp_before_ms < timestamp_ms;
  });
  return at == entries_.begin() ? Place{base_offset_, 0} : place(*std::prev(at));
}

void Index::truncate(std::uint64_t position) {
  while (!entries_.empty() && entries_.back().position >= position) entries_.pop_back();
}

void Index::prepend_to(Index& later) const {
  std::vector<Entry> all = entries_;
  for (const Entry& entry : later.entries_) {
    if (all.empty() || entry.position > all.back().position) all.push_back(entry);
  }
  later.entries_ = std::move(all);
}

Place Index::last() const {
  return entries_.empty() ? Place{base_offset_, 0} : place(entries_.back());
}

std::int64_t Index::last_max_timestamp_ms() const {
  return entries_.empty() ? -1 : entries_.back().max_timestamp_before_ms;
}

Bytes Index::encode(std::size_t first) const {
  Bytes bytes;
  ByteWriter out(bytes);
  if (first == 0) {
    out.write(index_magic);
    out.write(index_version);
    out.write(base_offset_.value());
  }
  for (std::size_t i = first; i < entries_.size(); ++i) {
    out.write(entries_[i].offset_delta);
    out.write(entries_[i].position);
    out.write(entries_[i].max_timestamp_before_ms);
    BytesView entry = BytesView(bytes).last(checked_bytes);
    out.write(check_of(entry));
  }
  return bytes;
}

void Index::decode(BytesView bytes, Place end) {
  ByteReader in(bytes);
  if (in.read<std::uint32_t>() != index_magic || in.read<std::uint32_t>() != index_version ||
      in.read<std::int64_t>() != base_offset_.value()) {
    return;
  }
  while (in.remaining() >= entry_bytes) {
    BytesView raw = in.read_bytes(entry_bytes);
    ByteReader fields(raw);
    Entry entry{};
    entry.offset_delta = fields.read<std::uint32_t>();
    entry.position = fields.read<std::uint32_t>();
    entry.max_timestamp_before_ms = fields.read<std::int64_t>();
    if (fields.read<std::uint32_t>() != check_of(raw)) return;
    if (entry.position >= end.position || place(entry).offset >= end.offset) return;
    if ((entry.position == 0) != (entry.offset_delta == 0)) return;
    if (!entries_.empty() && (entry.position <= entries_.back().position ||
                              entry.offset_delta <= entries_.back().offset_delta)) {
      return;
    }
    entries_.push_back(entry);
  }
}

std::optional<std::uint64_t> Index::position_of(BytesView entry) const {
  ByteReader in(entry);
  in.read<std::uint32_t>();
  auto position = in.read<std::uint32_t>();
  in.read<std::int64_t>();
  auto check = in.read<std::uint32_t>();
  if (!in.ok() || check != check_of(entry)) return std::nullopt;
  return position;
}

std::uint64_t Index::file_position(std::size_t i) {
  return header_bytes + i * entry_bytes;
}

}  // namespace leat::log
