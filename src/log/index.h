// A segment's sparse index: about every so many bytes, which offset begins where and the largest
// timestamp before it. It holds no truth: whatever is missing or wrong is read again from the
// segment.
//
//   index file := magic:u32 version:u32 base_offset:i64 entry*
//   entry      := offset_delta:u32 position:u32 max_timestamp_before_ms:i64 check:u32
//
// `check` is the low half of the XXH3 of the entry's other bytes, seeded with the segment's name,
// so that entries can be appended without rewriting the file, and a torn one shows, or one that a
// power cut brought to light from another segment's index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "log/state.h"

namespace leat::log {

/// Not thread-safe: its segment guards it. Entries stand at batch boundaries, by position.
class Index {
 public:
  Index(Offset base_offset, const std::string& segment_path)
      : base_offset_(base_offset), seed_(seed_of(segment_path)) {}

  /// Ignored unless it lies behind the last entry.
  void add(Place place, std::int64_t max_timestamp_before_ms);
  /// Adds a boundary anywhere, such as behind damage.
  void insert(Place place);
  /// The last entry at or below; the segment's begin if there is none.
  Place floor_offset(Offset offset) const;
  Place floor_position(std::uint64_t position) const;
  /// The first entry at or above the position.
  std::optional<Place> ceil_position(std::uint64_t position) const;
  /// The last entry with nothing as late as `timestamp_ms` before it.
  Place floor_timestamp(std::int64_t timestamp_ms) const;

  /// Drops entries at or behind the position.
  void truncate(std::uint64_t position);
  /// Puts these entries before those of `later`.
  void prepend_to(Index& later) const;
  std::size_t size() const { return entries_.size(); }
  Place last() const;
  /// The largest timestamp before last().
  std::int64_t last_max_timestamp_ms() const;

  /// The file's bytes for entries [first, size()); with the header if `first` is 0.
  Bytes encode(std::size_t first) const;
  /// Adds the good entries that `bytes` begins with, and below `end` only. REQUIRES: empty.
  void decode(BytesView bytes, Place end);
  /// The position in one entry's bytes; nullopt for a bad one.
  std::optional<std::uint64_t> position_of(BytesView entry) const;
  /// Where entry `i` stands in the file.
  static std::uint64_t file_position(std::size_t i);

 private:
  struct Entry {
    std::uint32_t offset_delta;
    std::uint32_t position;
    std::int64_t max_timestamp_before_ms;
  };
  Place place(const Entry& entry) const {
    return {base_offset_ + entry.offset_delta, entry.position};
  }

  static std::uint64_t seed_of(const std::string& segment_path);
  std::uint32_t check_of(BytesView entry) const;

  Offset base_offset_;
  std::uint64_t seed_;
  std::vector<Entry> entries_;
};

}  // namespace leat::log
