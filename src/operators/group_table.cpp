#include "operators/group_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "operators/key_bytes.h"

namespace leat::operators {

GroupTable::GroupTable() : slots_(64) {}

std::uint32_t GroupTable::hash_of(std::string_view key) {
  return key_hash(key);
}

std::size_t GroupTable::slot_of(std::string_view key, std::uint32_t hash) const {
  std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.group == 0) return at;
    if (slot.hash == hash && equal_keys(this->key(slot.group - 1), key)) return at;
  }
}

std::uint32_t GroupTable::find_or_add(std::string_view key, std::uint32_t hash) {
  Slot& slot = slots_[slot_of(key, hash)];
  if (slot.group != 0) return slot.group - 1;
  ASSERT(size() < 0x7fff'ffff);
  auto group = static_cast<std::uint32_t>(size());
  slot = {hash, group + 1};
  keys_.append(key);
  starts_.push_back(keys_.size());
  if (size() * 2 > slots_.size()) resize_slots(slots_.size() * 2);
  return group;
}

std::optional<std::uint32_t> GroupTable::find(std::string_view key) const {
  const Slot& slot = slots_[slot_of(key, hash_of(key))];
  if (slot.group == 0) return {};
  return slot.group - 1;
}

void GroupTable::clear() {
  keys_.clear();
  starts_.resize(1);
  std::fill(slots_.begin(), slots_.end(), Slot{});
}

void GroupTable::reserve(std::size_t keys, std::size_t bytes) {
  std::size_t slots = std::bit_ceil((size() + keys) * 2 + 1);
  if (slots > slots_.size()) resize_slots(slots);
  starts_.reserve(starts_.size() + keys);
  keys_.reserve(keys_.size() + bytes);
}

void GroupTable::resize_slots(std::size_t slots) {
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(slots, {});
  std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.group == 0) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].group != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

}  // namespace leat::operators
