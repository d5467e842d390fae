// The newest offset of each key, in a bounded piece of memory: what compaction decides by.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace leat::log {

/// Keys are known by 128 bits of their XXH3, so an entry takes 24 bytes whatever the key's size;
/// that two keys of one log share them is not to be expected (2^-64 with four billion keys). Not
/// thread-safe.
class KeyMap {
 public:
  /// Grows with its keys, since a map that fits into a cache is several times as fast as one that
  /// does not, up to `bytes_max`; half as much again for the moment of the last growth.
  explicit KeyMap(std::uint64_t bytes_max);

  /// Whether there is room for no other key.
  bool is_full() const { return size_ >= most(entries_.size()) && entries_.size() >= entries_max_; }
  /// Notes that `key` is at `offset`, which is behind all noted so far. False when there is no room
  /// for another key: nothing is noted then.
  bool put(BytesView key, Offset offset);
  /// Whether `key` is noted behind `offset`.
  bool is_behind(BytesView key, Offset offset) const;
  std::uint64_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::int64_t offset = -1;  // none
  };
  /// Its entry, or the free one where it would go.
  std::size_t find(const Entry& key) const;

  static std::uint64_t most(std::uint64_t entries) { return entries / 4 * 3; }
  void grow();

  std::vector<Entry> entries_;  // a power of two of them, with linear probing
  std::uint64_t entries_max_;
  std::uint64_t size_ = 0;
};

}  // namespace leat::log
