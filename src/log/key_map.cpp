#include "log/key_map.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <xxhash.h>

namespace leat::log {

KeyMap::KeyMap(std::uint64_t bytes_max)
    : entries_(16),
      entries_max_(std::bit_floor(std::max<std::uint64_t>(bytes_max / sizeof(Entry), 16))) {}

void KeyMap::grow() {
  std::vector<Entry> old(2 * entries_.size());
  std::swap(old, entries_);
  for (const Entry& entry : old) {
    if (entry.offset >= 0) entries_[find(entry)] = entry;
  }
}

std::size_t KeyMap::find(const Entry& key) const {
  std::size_t mask = entries_.size() - 1;
  std::size_t at = key.low & mask;
  while (entries_[at].offset >= 0 &&
         (entries_[at].low != key.low || entries_[at].high != key.high)) {
    at = (at + 1) & mask;
  }
  return at;
}

bool KeyMap::put(BytesView key, Offset offset) {
  XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  Entry entry{hash.low64, hash.high64, offset.value()};
  std::size_t at = find(entry);
  if (entries_[at].offset < 0) {
    if (is_full()) return false;
    if (size_ >= most(entries_.size())) {
      grow();
      at = find(entry);
    }
    ++size_;
  }
  entries_[at] = entry;
  return true;
}

bool KeyMap::is_behind(BytesView key, Offset offset) const {
  XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return entries_[find({hash.low64, hash.high64, 0})].offset > offset.value();
}

}  // namespace leat::log
