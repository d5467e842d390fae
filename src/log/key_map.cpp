#include "log/key_map.h"

#include <algorithm>
#include <bit>

#include <xxhash.h>

namespace leat::log {

KeyMap::KeyMap(std::uint64_t keys, std::uint64_t bytes_max) {
  std::uint64_t room = std::bit_floor(std::max<std::uint64_t>(bytes_max / sizeof(Entry), 16));
  std::uint64_t wanted = std::bit_ceil(std::max<std::uint64_t>(keys + keys / 2, 16));
  entries_.resize(std::min(room, wanted));
  most_ = entries_.size() / 4 * 3;
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
  Entry& there = entries_[find(entry)];
  if (there.offset < 0) {
    if (is_full()) return false;
    ++size_;
  }
  there = entry;
  return true;
}

bool KeyMap::is_behind(BytesView key, Offset offset) const {
  XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return entries_[find({hash.low64, hash.high64, 0})].offset > offset.value();
}

}  // namespace leat::log
