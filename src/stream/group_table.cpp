#include "stream/group_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"

namespace leat::stream {

GroupTable::GroupTable() : slots_(64) {}

std::uint32_t GroupTable::find_or_add(std::string_view key) {
  std::uint64_t full_hash = XXH3_64bits(key.data(), key.size());
  auto hash = static_cast<std::uint32_t>(full_hash >> 32);
  std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    Slot& slot = slots_[at];
    if (slot.group == 0) {
      ASSERT(size() < 0x7fff'ffff);
      auto group = static_cast<std::uint32_t>(size());
      slot = {hash, group + 1};
      keys_.append(key);
      starts_.push_back(keys_.size());
      if (size() * 2 > slots_.size()) grow();
      return group;
    }
    if (slot.hash == hash && this->key(slot.group - 1) == key) return slot.group - 1;
  }
}

void GroupTable::grow() {
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.size() * 2, {});
  std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.group == 0) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].group != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

}  // namespace leat::stream
